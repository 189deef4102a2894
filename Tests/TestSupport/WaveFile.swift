/// The bytes of a RIFF file; the header can state a size that is not the data's.
package func wavBytes(
    samples: [UInt8], formatTag: UInt16 = 1, channels: UInt16 = 1, rate: UInt32 = 16_000, bits: UInt16 = 16,
    claimedSize: UInt32? = nil
) -> [UInt8] {
    func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    func little(_ value: UInt16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }
    let block = channels &* (bits / 8)
    let size = claimedSize ?? UInt32(samples.count)
    var bytes = Array("RIFF".utf8) + little(size &+ 36) + Array("WAVEfmt ".utf8) + little(UInt32(16))
    bytes +=
        little(formatTag) + little(channels) + little(rate) + little(rate &* UInt32(block)) + little(block)
        + little(bits)
    return bytes + Array("data".utf8) + little(size) + samples
}
