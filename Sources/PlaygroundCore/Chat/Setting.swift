import Generation

/// A sampling setting of `/set`.
struct Setting: Sendable {
    let name: String
    let allowed: String
    let value: @Sendable (TextOptions) -> String
    /// Returns false if the text is no valid value.
    let change: @Sendable (inout TextOptions, String) -> Bool

    private static func number(
        _ name: String, _ allowed: String, _ path: WritableKeyPath<SamplingOptions, Float> & Sendable
    ) -> Setting {
        Setting(name: name, allowed: allowed, value: { "\($0.sampling[keyPath: path])" }) { settings, text in
            guard let value = Float(text), value.isFinite else { return false }
            settings.sampling[keyPath: path] = value
            return true
        }
    }

    private static func optional(
        _ name: String, _ allowed: String, _ path: WritableKeyPath<SamplingOptions, Float?> & Sendable
    ) -> Setting {
        Setting(
            name: name, allowed: allowed + ", or off", value: { $0.sampling[keyPath: path].map { "\($0)" } ?? "off" }
        ) { settings, text in
            if text == "off" { settings.sampling[keyPath: path] = nil; return true }
            guard let value = Float(text), value.isFinite else { return false }
            settings.sampling[keyPath: path] = value
            return true
        }
    }

    static let all: [Setting] = [
        number("temperature", "0 (always the likeliest) or more", \.temperature),
        Setting(name: "top-k", allowed: "1 or more, or off", value: { $0.sampling.topK.map(String.init) ?? "off" }) {
            settings, text in
            if text == "off" { settings.sampling.topK = nil; return true }
            guard let value = Int(text) else { return false }
            settings.sampling.topK = value
            return true
        },
        optional("top-p", "above 0, at most 1", \.topP), optional("min-p", "0 to 1", \.minP),
        number("repetition-penalty", "above 0; 1 is none", \.repetitionPenalty),
        Setting(name: "max-tokens", allowed: "1 to 100000", value: { "\($0.maximumTokens)" }) { settings, text in
            guard let value = Int(text), (1...100_000).contains(value) else { return false }
            settings.maximumTokens = value
            return true
        },
        Setting(name: "seed", allowed: "a whole number, or off", value: { $0.sampling.seed.map { "\($0)" } ?? "off" }) {
            settings, text in
            if text == "off" { settings.sampling.seed = nil; return true }
            guard let value = UInt64(text) else { return false }
            settings.sampling.seed = value
            return true
        },
    ]
}
