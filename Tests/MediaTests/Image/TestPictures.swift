@testable import Media

/// The same bytes as `noise` in make_samples.py.
func noise(width: Int, height: Int) -> RGBImage {
    var state: UInt32 = 1
    let pixels = (0..<width * height * 3).map { _ -> UInt8 in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(state >> 24)
    }
    return RGBImage(width: width, height: height, pixels: pixels)
}

/// FNV-1a, 64 bits.
func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
