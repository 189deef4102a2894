import Support
import Compute
import Planning

extension MemoryPlan {
    /// The plan as tables.
    var text: String {
        var facts = TextTable(("", .left), ("", .left))
        facts.add("model", path)
        facts.add("architecture", "\(architecture), \(Self.count(parameters)) parameters in \(formatName)")
        if let context { facts.add("context", "\(context) tokens, keys and values in \(keyValueFormat.rawValue)") }
        facts.add("device", "\(device), \(ByteFormat.text(deviceMemory))")
        var table = TextTable(("purpose", .left), ("bytes", .right), ("parameters", .right))
        for part in purposes {
            table.add(part.purpose.rawValue, ByteFormat.text(part.bytes), part.parameters.map(Self.count) ?? "")
        }
        table.add("total", ByteFormat.text(total), Self.count(parameters))
        var parts = [facts.text, table.text]
        if let buffers {
            var list = TextTable(("purpose", .left), ("buffer", .left), ("bytes", .right))
            for buffer in buffers { list.add(buffer.purpose.rawValue, buffer.label ?? "", "\(buffer.bytes)") }
            parts.append(list.text)
        }
        var remarks = pictures.map(words)
        if watching > 0 { remarks.append("capturing attention takes \(ByteFormat.text(watching)) more") }
        remarks.append(
            (fits ? "fits; " : "does not fit; ")
                + "each token takes \(ByteFormat.text(bytesPerToken)) of the KV cache above")
        if let effect = keyValueEffect { remarks.append(effect) }
        remarks += suggestions.map { suggestion in
            let changes = [
                suggestion.weights.map { "--weights \($0.rawValue)" }, suggestion.context.map { "--context \($0)" },
            ]
            return "with \(changes.compactMap { $0 }.joined(separator: " ")) it fits: "
                + ByteFormat.text(suggestion.total)
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
            "\(what) takes \(picture.tokens) tokens\(share), \(ByteFormat.text(picture.keyValueBytes)) of the KV cache above"
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
