/// The facts in the name of a GGUF file: part of a split model, vision tower, quantization.
package struct GGUFFileName: Sendable, Hashable {
    /// The whole name.
    package let text: String
    /// The name without the numbers of a part and without the extension.
    let stem: String
    /// Number of the part, from 1; 1 for a file that is whole.
    let part: Int
    /// Number of parts; 1 for a file that is whole.
    let partCount: Int

    /// - Returns: `nil` for names without the extension `.gguf`.
    package init?(_ name: String) {
        guard name.lowercased().hasSuffix(".gguf") else { return nil }
        text = name
        if let match = name.wholeMatch(of: /(.+)-([0-9]{5})-of-([0-9]{5})\.gguf/),
            let part = Int(match.2), let partCount = Int(match.3), (1...max(1, partCount)).contains(part)
        {
            (stem, self.part, self.partCount) = (String(match.1), part, partCount)
        } else {
            (stem, part, partCount) = (String(name.dropLast(".gguf".count)), 1, 1)
        }
    }

    /// True for llama.cpp's files of a vision tower and projector.
    package var isProjector: Bool { text.lowercased().contains("mmproj") }

    /// The quantization at the end of the name, in capitals: `Q4_K_M` of `model.q4_k_m.gguf`.
    package var quantization: String? {
        let pattern =
            /[-._]((?:ud-)?(?:i?q[0-9]+(?:_[0-9a-z]+)*|tq[0-9]_0|mxfp4(?:_moe)?|bf16|f16|fp16|f32))$/.ignoresCase()
        return stem.firstMatch(of: pattern).map { $0.1.uppercased() }
    }

    /// The name of part `number` of the same model.
    func part(_ number: Int) -> String {
        partCount == 1 ? text : "\(stem)-\(Self.digits(number))-of-\(Self.digits(partCount)).gguf"
    }

    /// Five digits, with zeros in front.
    static func digits(_ number: Int) -> String { String(String(100_000 + number).suffix(5)) }

    /// The files of all parts, the first part first.
    package var parts: [String] { (1...partCount).map(part) }

    /// The text models among file names, each by its first part, sorted.
    package static func models(among names: [String]) -> [GGUFFileName] {
        names.compactMap { GGUFFileName($0) }.filter { !$0.isProjector && $0.part == 1 }.sorted { $0.text < $1.text }
    }

    /// The vision tower among file names; of several precisions f16, else the first by name.
    package static func projector(among names: [String]) -> GGUFFileName? {
        let projectors = names.compactMap { GGUFFileName($0) }.filter(\.isProjector).sorted { $0.text < $1.text }
        return projectors.first { $0.quantization == "F16" } ?? projectors.first
    }
}
