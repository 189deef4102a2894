import Foundation

/// Rewrites lines of session files of version 1, whose events had other names and nesting.
enum SessionMigration {
    private typealias Object = [String: Any]

    /// A line of version 2 with the event of a line of version 1.
    /// - Throws: `RecordingError.invalid` for a line that is not of version 1.
    static func version2(from line: Data) throws -> Data {
        guard var object = try JSONSerialization.jsonObject(with: line) as? Object,
            let event = object["event"] as? Object,
            event.count == 1, let (name, payload) = event.first, let values = payload as? Object
        else { throw RecordingError.invalid("a line of another form") }
        object["event"] = self.event(name, values)
        return try JSONSerialization.data(withJSONObject: object)
    }

    private static func event(_ name: String, _ values: Object) -> Object {
        switch name {
        case "key", "paste", "mouse": ["input": ["_0": [name: renamed(values, ["action": "_0"])]]]
        case "load": [name: ["_0": values["name"], "_1": without(values, "name")]]
        case "loaded": [name: renamed(values, ["name": "_0", "end": "_1"])]
        case "answered": [name: renamed(values, ["number": "_0", "end": "_1"])]
        case "answer":
            [name: ["_0": values["number"], "time": values["time"], "_1": answer(values["_2"] as? Object ?? [:])]]
        case "looked":
            [
                "thumbnailLoaded": [
                    "_0": values["path"], "_1": renamed(without(values, "path"), ["pixels": "raster"]),
                ]
            ]
        case "outlined": ["waveformLoaded": ["_0": values["path"], "_1": without(values, "path")]]
        case "abilities":
            [
                name: inner(values) { abilities in
                    var abilities = renamed(
                        abilities, ["layers": "attentionLayers", "heads": "attentionHeads", "context": "contextLength"])
                    // Heads had no kind: they were of cross-attention.
                    abilities["alignmentHeads"] = (abilities["alignmentHeads"] as? [Object] ?? []).map {
                        $0.merging(["kind": "cross"]) { old, _ in old }
                    }
                    return abilities
                }
            ]
        case "memory":
            [
                name: inner(values) {
                    renamed(
                        $0,
                        [
                            "usage": "driverUsage", "budget": "driverBudget", "heap": "heapSize",
                            "perToken": "bytesPerToken", "left": "tokensLeft",
                        ])
                }
            ]
        default: [name: values]
        }
    }

    private static func answer(_ event: Object) -> Object {
        guard let (name, payload) = event.first, let values = payload as? Object else { return event }
        func prepared(_ kind: String, _ input: Any?) -> Object { ["inputPrepared": ["_0": [kind: ["_0": input]]]] }
        switch name {
        case "sound": return prepared("audio", values["_0"])
        case "picture":
            guard var picture = values["_0"] as? Object else { return event }
            picture = renamed(picture, ["pixels": "picture"])
            picture["keys"] = (picture["keys"] as? [[Any]])?.map { key -> Object in
                guard key.count == 3 || key.count == 7 else { return [:] }
                var object: Object = ["key": key[0], "tile": key[1], "isOverview": (key[2] as? Double) == 1]
                if key.count == 7 {
                    object["rectangle"] = ["x": key[3], "y": key[4], "width": key[5], "height": key[6]]
                }
                return object
            }
            return prepared("picture", picture)
        case "source":
            let tokens = (values["_0"] as? [Object])?.map { renamed($0, ["special": "isSpecial"]) }
            return prepared("source", ["tokens": tokens ?? [], "rollout": values["rollout"] ?? []])
        case "encoded": return [name: renamed(values, ["_0": "seconds"])]
        case "token": return [name: inner(values) { renamed($0, ["special": "isSpecial"]) }]
        case "finished":
            var summary = renamed(
                values, ["encode": "encodeSeconds", "prefill": "prefillSeconds", "decode": "decodeSeconds"])
            (summary["promptTokens"], summary["prefilledTokens"]) = (0, 0)
            return [name: ["_0": summary]]
        default: return event
        }
    }

    private static func renamed(_ object: Object, _ names: [String: String]) -> Object {
        Object(object.map { (names[$0.key] ?? $0.key, $0.value) }, uniquingKeysWith: { $1 })
    }

    private static func without(_ object: Object, _ name: String) -> Object { object.filter { $0.key != name } }

    private static func inner(_ object: Object, _ change: (Object) -> Object) -> Object {
        ["_0": (object["_0"] as? Object).map(change) ?? [:]]
    }
}
