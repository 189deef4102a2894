/// A perceptually uniform scale of colors for weights 0…1, legible to the color-blind.
///
/// viridis and inferno: S. van der Walt and N. Smith, matplotlib 2.0 (CC0). cividis: Nuñez, Anderton and Renslow,
/// "Optimizing colormaps with consideration for color vision deficiency" (2018). Each is kept as 33 equally spaced
/// anchors, linear between them: at most 2/255 off the full tables of viridis and inferno, 6/255 of cividis (at one kink
/// near its dark end).
package struct ColorMap: Hashable, Sendable {
    package let name: String
    private let table: [Color]

    private init(name: String, anchors: [UInt32]) {
        self.name = name
        let last = anchors.count - 1
        table = (0..<256).map { step in
            let place = Double(step) / 255 * Double(last)
            let lower = min(Int(place), last - 1)
            return Color(anchors[lower]).mixed(with: Color(anchors[lower + 1]), place - Double(lower))
        }
    }

    /// The color of `value`, clamped to 0…1; NaN counts as 0.
    package func color(_ value: Float) -> Color {
        value > 0 ? table[Int(min(value, 1) * 255 + 0.5)] : table[0]
    }

    package static let all: [ColorMap] = [viridis, inferno, cividis]

    package static func named(_ name: String) -> ColorMap? { all.first { $0.name == name.lowercased() } }

    /// The next color map, cyclic.
    package var next: ColorMap {
        let index = Self.all.firstIndex(of: self) ?? 0
        return Self.all[(index + 1) % Self.all.count]
    }

    package static let viridis = ColorMap(
        name: "viridis",
        anchors: [
            0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453681, 0x424086, 0x3f4989, 0x3b528b, 0x375a8d,
            0x33638d,
            0x2f6a8e, 0x2c728e, 0x297a8e, 0x26818e, 0x23898e, 0x21908c, 0x1f988b, 0x1f9f88, 0x21a685, 0x28ae80,
            0x31b57b,
            0x3ebc74, 0x4cc26c, 0x5dc963, 0x6ece58, 0x82d34c, 0x96d83f, 0xabdc32, 0xc0df24, 0xd5e21a, 0xeae51a,
            0xfde725,
        ])

    package static let inferno = ColorMap(
        name: "inferno",
        anchors: [
            0x000004, 0x040312, 0x0b0724, 0x150b37, 0x210c4a, 0x2e0a5a, 0x3c0965, 0x4a0c6b, 0x57106d, 0x63146e,
            0x70196e,
            0x7d1e6d, 0x89226a, 0x962766, 0xa32b61, 0xaf315c, 0xbb3755, 0xc63e4d, 0xd14644, 0xdb4f3b, 0xe35932,
            0xeb6528,
            0xf1711e, 0xf67f14, 0xf98d0a, 0xfb9c06, 0xfcab0f, 0xfbba1f, 0xf9ca32, 0xf5d949, 0xf2e865, 0xf3f586,
            0xfcffa4,
        ])

    package static let cividis = ColorMap(
        name: "cividis",
        anchors: [
            0x00224e, 0x00285b, 0x002e6a, 0x043371, 0x1a386f, 0x273e6e, 0x32436d, 0x3b496c, 0x434e6c, 0x4b546c,
            0x52596d,
            0x5a5f6e, 0x61656f, 0x686a71, 0x6f7073, 0x757676, 0x7c7b78, 0x848179, 0x8b8778, 0x938d78, 0x9b9376,
            0xa39a75,
            0xaba072, 0xb3a670, 0xbbad6c, 0xc3b469, 0xccba64, 0xd4c15f, 0xddc958, 0xe6d051, 0xefd748, 0xf8df3c,
            0xfee838,
        ])

}
