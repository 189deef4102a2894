import Planning
import Terminal

/// Device memory of one purpose, with its name and color on the screen.
struct MemoryPart {
    let name: String
    let color: Color
    let bytes: Int

    /// The parts of a report that hold memory, the largest first.
    static func all(of report: MemoryReport) -> [MemoryPart] {
        let held = report.byPurpose.map { (purpose: $0.key.rawValue, bytes: $0.value) }.filter { $0.bytes > 0 }
        return held.sorted { $0.bytes != $1.bytes ? $0.bytes > $1.bytes : $0.purpose < $1.purpose }.map {
            let known = table[$0.purpose]
            return MemoryPart(name: known?.name ?? $0.purpose, color: known?.color ?? .standard, bytes: $0.bytes)
        }
    }

    /// By purpose. The colors are of the palette of Okabe and Ito, distinguishable by color-blind readers.
    static let table: [String: (name: String, color: Color)] = [
        "weights.encoder": ("encoder weights", Color(0x56B4E9)),
        "weights.decoder": ("decoder weights", Color(0x3C7FC0)),
        "weights.vision": ("vision weights", Color(0x009E73)),
        "weights.projector": ("projector", Color(0x66C2A5)), "kv.self": ("self KV cache", Color(0xE69F00)),
        "kv.cross": ("cross KV cache", Color(0xD5662B)), "activations": ("activations", Color(0xCC79A7)),
        "capture": ("attention capture", Color(0xE8DC5A)), "staging": ("staging", Color(0x9AA0A8)),
        "pipelines": ("pipelines", Color(0x6E747D)),
    ]
}
