import Compute
import NumberFormats
import Media
import Models
import Telemetry
import Transformer

/// What a plan is made for.
struct PlanTarget {
    let name: String
    let memory: Int
    let isUnified: Bool
}

/// A model planned for a device, with what people ask of such a plan.
struct PlanReport: Encodable {
    struct PlannedPart: Encodable {
        let purpose: String
        let label: String?
        let bytes: Int
        /// Weights only: how many there are.
        let parameters: Int?
    }

    /// What a picture of a size costs.
    struct Picture: Encodable {
        let width: Int
        let height: Int
        let tiles: Int
        /// Tokens of the context; 0 where pictures are read by cross-attention, whose keys have a cache of their own.
        let tokens: Int
        let keyValueBytes: Int

        init(_ layout: ImageLayout, tokens: Int, bytesPerToken: Int) {
            width = layout.imageWidth
            height = layout.imageHeight
            tiles = layout.tiles.count
            self.tokens = tokens
            keyValueBytes = tokens * bytesPerToken
        }
    }

    /// A change with which the model fits.
    struct Suggestion: Encodable {
        let weights: String?
        let context: Int?
        let total: Int
    }

    let path: String
    let architecture: String
    let parameters: Int
    let weightFormats: [String]
    /// Positions there is room for.
    let context: Int?
    let device: String
    let deviceMemory: Int
    let fits: Bool
    let total: Int
    let bytesPerToken: Int
    let purposes: [PlannedPart]
    let pictures: [Picture]
    /// What the attention panel takes besides, while it watches.
    let watching: Int
    let suggestions: [Suggestion]
    let buffers: [PlannedPart]?

    init(_ forecast: Forecast, path: String, target: PlanTarget, suggestions: [Suggestion], listsBuffers: Bool) {
        let (plan, counts) = (forecast.plan, forecast.model.parameters.elementsByPurpose)
        self.path = path
        architecture = forecast.architecture
        parameters = counts.values.reduce(0, +)
        weightFormats = forecast.model.parameters.matrixFormats.map(\.rawValue)
        context = forecast.context
        device = target.name
        deviceMemory = target.memory
        fits = plan.total <= target.memory
        total = plan.total
        bytesPerToken = forecast.model.bytesPerToken
        let byPurpose = plan.bytesByPurpose
        purposes = MemoryPurpose.allCases.compactMap { purpose in
            byPurpose[purpose].map {
                PlannedPart(purpose: purpose.rawValue, label: nil, bytes: $0, parameters: counts[purpose])
            }
        }
        pictures = forecast.pictures
        watching = forecast.model.watchingBytes(unifiedMemory: target.isUnified)
        self.suggestions = suggestions
        buffers =
            listsBuffers
            ? plan.buffers.map {
                PlannedPart(purpose: $0.purpose.rawValue, label: $0.label, bytes: $0.bytes, parameters: nil)
            } : nil
    }

    // MARK: Words

    var text: String {
        var facts = TextTable(("", .left), ("", .left))
        facts.add("model", path)
        facts.add(
            "architecture",
            "\(architecture), \(Self.count(parameters)) parameters in \(weightFormats.joined(separator: ", "))")
        if let context { facts.add("context", "\(context) tokens") }
        facts.add("device", "\(device), \(ByteCount.text(deviceMemory))")
        var table = TextTable(("purpose", .left), ("bytes", .right), ("parameters", .right))
        for part in purposes {
            table.add(part.purpose, ByteCount.text(part.bytes), part.parameters.map(Self.count) ?? "")
        }
        table.add("total", ByteCount.text(total), Self.count(parameters))
        var parts = [facts.text, table.text]
        if let buffers {
            var list = TextTable(("purpose", .left), ("buffer", .left), ("bytes", .right))
            for buffer in buffers { list.add(buffer.purpose, buffer.label ?? "", "\(buffer.bytes)") }
            parts.append(list.text)
        }
        var remarks = pictures.map(words)
        if watching > 0 { remarks.append("watching attention takes \(ByteCount.text(watching)) besides") }
        remarks.append(
            (fits ? "fits; " : "does not fit; ")
                + "each token takes \(ByteCount.text(bytesPerToken)) of the KV cache above")
        remarks += suggestions.map { suggestion in
            let changes = [suggestion.weights.map { "--weights \($0)" }, suggestion.context.map { "--context \($0)" }]
                .compactMap { $0 }
            return "with \(changes.joined(separator: " ")) it fits: \(ByteCount.text(suggestion.total))"
        }
        parts.append(remarks.joined(separator: "\n"))
        return parts.joined(separator: "\n\n")
    }

    private func words(_ picture: Picture) -> String {
        let what =
            "a picture of \(picture.width)×\(picture.height)" + (picture.tiles > 1 ? " (\(picture.tiles) tiles)" : "")
        guard picture.tokens > 0 else { return "\(what) takes no tokens: its keys and values are in kv.cross" }
        let share =
            context.map { " (\((Double(picture.tokens) / Double($0) * 100).rounded(toPlaces: 1)) % of the context)" }
            ?? ""
        return
            "\(what) takes \(picture.tokens) tokens\(share), \(ByteCount.text(picture.keyValueBytes)) of the KV cache above"
    }

    /// `7.06 billion`, `37.8 million`.
    private static func count(_ number: Int) -> String {
        for (unit, name) in [(1_000_000_000, "billion"), (1_000_000, "million")] where number >= unit {
            let value = Double(number) / Double(unit)
            return "\(value.rounded(toPlaces: value < 10 ? 2 : 1)) \(name)"
        }
        return "\(number)"
    }
}

extension Double {
    fileprivate func rounded(toPlaces places: Int) -> Double {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}
