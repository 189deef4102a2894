/// Sixels (DEC STD 070, chapter 9; VT330/VT340 Programmer Reference, chapter 14): bands of six rows, one color of
/// the band after another.
enum SixelEncoder {
    /// Colors of a picture. Terminals have 256 registers and may reserve a few.
    static let colors = 240

    static func encode(_ raster: Raster) -> [UInt8] {
        var bytes = [UInt8]()
        bytes.reserveCapacity(raster.width * raster.height / 2 + 8192)
        // Pixels without a color would keep their content; every pixel is set.
        bytes += Array("\u{1B}P0;1;0q\"1;1;\(raster.width);\(raster.height)".utf8)
        let palette = Palette(of: raster, limit: colors)
        for (register, color) in palette.colors.enumerated() { bytes += Array(definition(of: register, color).utf8) }
        var registers = [UInt8](repeating: 0, count: raster.width * 6)
        for band in stride(from: 0, to: raster.height, by: 6) {
            let rows = min(6, raster.height - band)
            var used = [Bool](repeating: false, count: palette.colors.count)
            for row in 0..<rows {
                for x in 0..<raster.width {
                    let register = palette.number(of: raster[x, band + row])
                    registers[row * raster.width + x] = register
                    used[Int(register)] = true
                }
            }
            for register in used.indices where used[register] {
                bytes += Array("#\(register)".utf8)
                var (last, run): (UInt8, Int) = (0, 0)
                for x in 0..<raster.width {
                    var sixel: UInt8 = 0
                    for row in 0..<rows where Int(registers[row * raster.width + x]) == register { sixel |= 1 << row }
                    if run > 0 && sixel == last {
                        run += 1
                    } else {
                        append(last, run, to: &bytes)
                        (last, run) = (sixel, 1)
                    }
                }
                // Trailing blanks can be omitted.
                if last != 0 { append(last, run, to: &bytes) }
                bytes.append(UInt8(ascii: "$"))
            }
            bytes[bytes.count - 1] = UInt8(ascii: "-")
        }
        return bytes + Array("\u{1B}\\".utf8)
    }

    private static func append(_ sixel: UInt8, _ run: Int, to bytes: inout [UInt8]) {
        let character = sixel + 63
        if run > 3 {
            bytes += Array("!\(run)".utf8) + [character]
        } else {
            for _ in 0..<run { bytes.append(character) }
        }
    }

    /// Sets a register; channels in percent.
    private static func definition(of register: Int, _ color: Color) -> String {
        func percent(_ channel: UInt8) -> Int { (Int(channel) * 100 + 127) / 255 }
        return "#\(register);2;\(percent(color.red));\(percent(color.green));\(percent(color.blue))"
    }
}
