import Foundation
import Logging

/// Environment variables whose values are words of a fixed list. A word outside the list is a usage error, like a wrong
/// option value.
enum Environment {
    /// A variable and the words it takes, separated by commas where there may be several.
    private static let variables: [(name: String, words: [String])] = [
        ("FOVEA_KERNELS", ["coalesced", "vector", "dots"]), ("FOVEA_VALIDATION", ["0", "1"]),
        ("FOVEA_LOG", Logger.Level.allCases.map(\.rawValue)),
    ]

    /// The first wrong value, as a message; nil if all are right.
    static func problem(in environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
        for (name, words) in variables {
            let given = environment[name]?.split(separator: ",").map(String.init) ?? []
            if let wrong = given.first(where: { !words.contains($0) }) {
                return "\(name): “\(wrong)” is not one of \(words.joined(separator: ", "))"
            }
        }
        return nil
    }
}
