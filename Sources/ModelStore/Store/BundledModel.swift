import Checkpoint
import Foundation

/// A model that comes with the program: a folder with its weights and, in `fovea.json`, what to say of it and what to try it on.
package struct BundledModel: Sendable, Hashable {
    package let name: String
    package let path: String
    package let byteCount: Int
    package let summary: String
    package let licence: String
    package let sample: ModelSample?
    private let order: Int

    /// The models in a folder of folders, the one to begin with first. Folders without weights or without a readable
    /// description are not models.
    package static func all(in folder: String) -> [BundledModel] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { BundledModel(name: $0, path: folder + "/" + $0) }.sorted {
            ($0.order, $0.name) < ($1.order, $1.name)
        }
    }

    private init?(name: String, path: String) {
        guard FileManager.default.fileExists(atPath: path + "/config.json"),
            let data = FileManager.default.contents(atPath: path + "/fovea.json"),
            let description = try? JSONDecoder().decode(Description.self, from: data)
        else { return nil }
        self.name = name
        self.path = path
        // The recipe and what it was tested on are no part of what a model takes.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        byteCount = files.reduce(0) { $0 + (ModelStore.size(ofFile: path + "/" + $1) ?? 0) }
        (summary, licence, order) = (description.summary, description.licence, description.order)
        sample = description.sample.map { sample in
            ModelSample(
                picture: sample.picture.flatMap { FileNames.isPlain($0) ? path + "/" + $0 : nil },
                questions: sample.questions)
        }
    }

    private struct Description: Decodable {
        var summary: String
        var licence: String
        var order: Int
        var sample: ModelSample?
    }
}

/// An example input for a model, by its authors.
package struct ModelSample: Sendable, Hashable, Codable {
    /// Path of a picture.
    package let picture: String?
    /// Questions or texts, the best first.
    package let questions: [String]

    package init(picture: String? = nil, questions: [String]) {
        self.picture = picture
        self.questions = questions
    }
}
