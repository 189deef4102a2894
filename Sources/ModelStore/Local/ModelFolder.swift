import Checkpoint

/// A folder of model files, which may hold several models.
struct ModelFolder {
    let path: String
    let origin: LocalModel.Origin
    /// The name of the folder's only model, and of each of several up to a colon.
    let name: String
    let files: [String]

    init(path: String, origin: LocalModel.Origin, name: String) {
        (self.path, self.origin, self.name) = (path, origin, name)
        files = LocalStores.names(in: path)
    }

    /// GGUF models, one for each quantization, with the folder's vision tower; whisper.cpp's files.
    ///
    /// - Returns: An empty list for a folder of another format.
    func filesAsModels() -> [LocalModel] {
        let texts = GGUFFileName.models(among: files), projector = GGUFFileName.projector(among: files)
        if texts.isEmpty, let projector {
            return [
                model(
                    name, location: ModelLocation(path: path + "/" + projector.text), files: [projector.text],
                    problem: "a vision tower (mmproj) without the text model it belongs to")
            ]
        }
        let labels = texts.map(\.quantization)
        let models = texts.map { text in
            let isUnique = labels.filter { $0 == text.quantization }.count == 1
            let label = text.quantization.flatMap { isUnique ? $0 : nil } ?? text.text
            var other = ["\(name):\(text.text)", "\(name)/\(text.text)", "\(name):\(label)"]
            if texts.count > 1 { other.append(name) }
            return model(
                texts.count == 1 ? name : "\(name):\(label)",
                location: ModelLocation(
                    path: path + "/" + text.text, projector: projector.map { path + "/" + $0.text }),
                files: text.parts + (projector.map { [$0.text] } ?? []), otherNames: other)
        }
        let speech = files.filter(FileNames.isWhisperCpp)
        return models
            + speech.map { file in
                model(
                    speech.count + texts.count == 1 ? name : "\(name):\(file)",
                    location: ModelLocation(path: path + "/" + file), files: [file],
                    otherNames: speech.count > 1 ? [name] : ["\(name):\(file)"])
            }
    }

    /// The folder as one model.
    func wholeAsModel(name: String) -> LocalModel {
        model(name, location: ModelLocation(path: path), files: files)
    }

    private func model(
        _ name: String, location: ModelLocation, files: [String], problem: String? = nil, otherNames: [String] = []
    ) -> LocalModel {
        let paths = files.map { path + "/" + $0 }.filter { !LocalStores.isFolder($0) }
        return LocalModel(
            name: name, origin: origin, location: location,
            byteCount: paths.reduce(0) { $0 + (ModelStore.size(ofFile: $1) ?? 0) },
            problem: problem ?? paths.lazy.compactMap { LocalStores.problem(ofFile: $0) }.first, otherNames: otherNames)
    }
}
