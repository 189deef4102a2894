/// A palette of a picture by median cut (Heckbert, "Color Image Quantization for Frame Buffer Display",
/// 1982) on colors of five bits a channel.
struct Palette {
    let colors: [Color]
    /// The palette index of each 15-bit color.
    private let numbers: [UInt8]

    init(of raster: Raster, limit: Int) {
        // Sums of the true colors, so that a single color stays exact.
        var sums = [Sum](repeating: Sum(), count: 1 << 15)
        for pixel in raster.pixels { sums[Self.bin(pixel)].add(pixel) }
        var boxes: [[Int]] = [sums.indices.filter { sums[$0].count > 0 }]
        var open = boxes.map { Self.spread(of: $0, sums) }
        while boxes.count < limit, let widest = open.indices.max(by: { open[$0].error < open[$1].error }),
            open[widest].error > 0
        {
            let channel = open[widest].channel
            let sorted = boxes[widest].sorted { Self.level($0, channel) < Self.level($1, channel) }
            let total = sorted.reduce(0) { $0 + sums[$1].count }
            var (cut, before) = (1, sums[sorted[0]].count)
            while cut < sorted.count - 1, before < total / 2 {
                before += sums[sorted[cut]].count
                cut += 1
            }
            boxes[widest] = Array(sorted[..<cut])
            boxes.append(Array(sorted[cut...]))
            open[widest] = Self.spread(of: boxes[widest], sums)
            open.append(Self.spread(of: boxes[boxes.count - 1], sums))
        }
        var numbers = [UInt8](repeating: 0, count: sums.count)
        var colors: [Color] = []
        for box in boxes where !box.isEmpty {
            var sum = Sum()
            for bin in box {
                sum.add(sums[bin])
                numbers[bin] = UInt8(colors.count)
            }
            colors.append(sum.mean)
        }
        self.numbers = numbers
        self.colors = colors
    }

    func number(of color: Color) -> UInt8 { numbers[Self.bin(color)] }

    private struct Sum {
        var (red, green, blue, count) = (0, 0, 0, 0)

        mutating func add(_ color: Color) {
            red += Int(color.red)
            green += Int(color.green)
            blue += Int(color.blue)
            count += 1
        }

        mutating func add(_ other: Sum) {
            red += other.red
            green += other.green
            blue += other.blue
            count += other.count
        }

        var mean: Color { Color(red: UInt8(red / count), green: UInt8(green / count), blue: UInt8(blue / count)) }
    }

    private static func bin(_ color: Color) -> Int {
        Int(color.red >> 3) << 10 | Int(color.green >> 3) << 5 | Int(color.blue >> 3)
    }
    private static func level(_ bin: Int, _ channel: Int) -> Int { bin >> (10 - 5 * channel) & 31 }

    /// The widest channel of a box, and its priority for a cut; 0 for one color.
    private static func spread(of box: [Int], _ sums: [Sum]) -> (channel: Int, error: Int) {
        guard box.count > 1 else { return (0, 0) }
        var widest = (channel: 0, width: -1)
        for channel in 0..<3 {
            var (low, high) = (31, 0)
            for bin in box {
                low = min(low, level(bin, channel))
                high = max(high, level(bin, channel))
            }
            if high - low > widest.width { widest = (channel, high - low) }
        }
        return (widest.channel, widest.width * widest.width * box.reduce(0) { $0 + sums[$1].count })
    }
}
