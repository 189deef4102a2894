import Checkpoint
import Foundation

/// A model that comes with the program: a folder with its weights, and `fovea.json` with a description and an example input.
package struct BundledModel: Sendable, Hashable {
    package let name: String
    package let path: String
    package let byteCount: Int
    package let summary: String
    package let licence: String
    package let sample: ModelSample?
    private let order: Int

    /// The models in a folder of folders, in the order of their descriptions. Folders without weights or a readable
    /// description are left out.
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
        // The size does not include subfolders, which hold the training recipe.
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
