import Foundation
import JSON
import Media
import Models

/// A model's own rule for pictures of the kind that it was trained on, from `picture_check.json` in its folder: linear in
/// the statistics of a picture, and above 0 for other pictures. The file also holds how often the rule is wrong.
struct PictureCheck: Sendable {
    private static let file = "picture_check.json"
    private let weights: [String: Double]
    private let bias: Double

    /// The check of a model; nil for one without.
    /// - Throws: `JSONError` for a damaged file.
    init?(of files: ModelFiles) throws(JSONError) {
        let path = URL(fileURLWithPath: files.path).appendingPathComponent(Self.file).path
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let check = try JSONReader(contentsOf: path)
        let given = try check.object("weights")
        var weights: [String: Double] = [:]
        for name in given.members.keys { weights[name] = try given.double(name) }
        self.weights = weights
        bias = try check.double("bias")
    }

    func isFamiliar(_ picture: RGBImage) -> Bool {
        let values = PictureStatistics.values(of: picture)
        return weights.reduce(bias) { $0 + $1.value * (values[$1.key] ?? 0) } <= 0
    }
}
