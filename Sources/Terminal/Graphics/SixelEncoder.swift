/// Pictures as sixels (DEC STD 070, chapter 9; VT330/VT340 Programmer Reference, chapter 14): bands of six rows, one colour of
/// the band after another.
enum SixelEncoder {
    /// Levels of red, green and blue: 252 colours, which every terminal with sixels has registers for.
    static let levels = (red: 6, green: 7, blue: 6)
    /// Bayer's 4×4 matrix: what the few levels lose is spread over neighbours.
    private static let thresholds: [Int] = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]

    static func encode(_ raster: Raster) -> [UInt8] {
        var bytes = [UInt8]()
        bytes.reserveCapacity(raster.width * raster.height / 2 + 8192)
        // Pixels that no colour sets keep what is there; every pixel is set.
        bytes += Array("\u{1B}P0;1;0q\"1;1;\(raster.width);\(raster.height)".utf8)
        var defined = [Bool](repeating: false, count: levels.red * levels.green * levels.blue)
        var registers = [UInt8](repeating: 0, count: raster.width * 6)
        for band in stride(from: 0, to: raster.height, by: 6) {
            let rows = min(6, raster.height - band)
            var used = [Bool](repeating: false, count: defined.count)
            for row in 0..<rows {
                for x in 0..<raster.width {
                    let register = register(of: raster[x, band + row], x, band + row)
                    registers[row * raster.width + x] = register
                    used[Int(register)] = true
                }
            }
            for register in used.indices where used[register] {
                if !defined[register] {
                    defined[register] = true
                    bytes += Array(definition(of: register).utf8)
                } else {
                    bytes += Array("#\(register)".utf8)
                }
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
                // Nothing follows that blanks would have to hold the place for.
                if last != 0 { append(last, run, to: &bytes) }
                bytes.append(UInt8(ascii: "$"))
            }
            bytes[bytes.count - 1] = UInt8(ascii: "-")
        }
        return bytes + Array("\u{1B}\\".utf8)
    }

    private static func append(_ sixel: UInt8, _ run: Int, to bytes: inout [UInt8]) {
        let character = sixel + 63
        if run > 3 { bytes += Array("!\(run)".utf8) + [character] } else { for _ in 0..<run { bytes.append(character) } }
    }

    /// The register of the colour nearest to a pixel's, dithered by its place.
    private static func register(of color: Color, _ x: Int, _ y: Int) -> UInt8 {
        let threshold = thresholds[(y & 3) * 4 + x & 3]
        func level(_ value: UInt8, _ levels: Int) -> Int { (Int(value) * (levels - 1) * 32 + (2 * threshold + 1) * 255) / (255 * 32) }
        return UInt8((level(color.red, levels.red) * levels.green + level(color.green, levels.green)) * levels.blue + level(color.blue, levels.blue))
    }

    /// Sets a register; channels in percent.
    private static func definition(of register: Int) -> String {
        let red = register / (levels.green * levels.blue), green = register / levels.blue % levels.green, blue = register % levels.blue
        return "#\(register);2;\(red * 100 / (levels.red - 1));\(green * 100 / (levels.green - 1));\(blue * 100 / (levels.blue - 1))"
    }
}
