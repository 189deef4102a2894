import Checkpoint
import Foundation
import Support

extension ModelStore {
    /// Fetches a model: a catalogue name, `owner/repo` of a hub, or `owner/repo:FILE` for one GGUF file of several.
    ///
    /// The last element has phase `.installed`. Ending the iteration, or canceling the task that iterates, stops the
    /// download; received parts stay, and the next call continues from there.
    ///
    /// - Throws: through the stream, `ModelStoreError`.
    package func pull(_ name: String) -> AsyncThrowingStream<PullProgress, any Error> {
        .running { [self] yield in _ = try await pull(try ModelName(name), report: yield) }
    }

    /// Fetches a model and returns the path of its folder.
    ///
    /// - Throws: `ModelStoreError`; `.cancelled` if the task is canceled.
    package func pull(_ name: ModelName, report: @escaping @Sendable (PullProgress) -> Void) async throws -> String {
        do {
            return try await fetch(name, report: report)
        } catch is CancellationError {
            throw ModelStoreError.cancelled(name: name.description)
        } catch CheckpointError.cannotWrite(let file, let reason) {
            let full = [ENOSPC, EDQUOT].contains { reason == String(cString: strerror($0)) }
            throw full
                ? ModelStoreError.diskFull(path: file, needed: nil, available: nil)
                : ModelStoreError.unwritable(path: file, reason: reason)
        }
    }

    private func fetch(_ name: ModelName, report: @escaping @Sendable (PullProgress) -> Void) async throws -> String {
        let destination = path(of: name)
        let staging = StagingFolder(path: root + "/.partial/" + name.folder)
        try staging.create()
        let lock = try FileLock(path: staging.path + ".lock", name: name.description)
        defer { withExtendedLifetime(lock) {} }

        if let manifest = try? ModelManifest(folder: destination),
            manifest.files.allSatisfy({ Self.size(ofFile: destination + "/" + $0.name) == $0.byteCount })
        {
            staging.remove()
            report(installed(manifest))
            return destination
        }
        let source: any ModelSource =
            switch name.kind {
            case .catalogue(let entry): PackageSource(entry: entry, environment: environment)
            case .repository(let owner, let repository, let file):
                try HubSource(
                    owner: owner, repository: repository, file: file, name: name.description, memory: memory,
                    environment: environment)
            }
        let manifest = try await source.fetch(into: staging, report: report)
        try manifest.write(to: staging.files)
        try moveIntoPlace(staging, destination)
        report(installed(manifest))
        return destination
    }

    private func installed(_ manifest: ModelManifest) -> PullProgress {
        let bytes = manifest.files.reduce(0) { $0 + $1.byteCount }
        return PullProgress(phase: .installed, file: manifest.name, receivedBytes: bytes, totalBytes: bytes)
    }

    /// Replaces the destination by the complete folder. The previous folder is removed last.
    private func moveIntoPlace(_ staging: StagingFolder, _ destination: String) throws {
        let old = staging.path + "/old"
        if FileManager.default.fileExists(atPath: destination), rename(destination, old) != 0 {
            throw ModelStoreError.unwritable(path: destination, reason: lastSystemError())
        }
        guard rename(staging.files, destination) == 0 else {
            let reason = lastSystemError()
            _ = rename(old, destination)
            throw ModelStoreError.unwritable(path: destination, reason: reason)
        }
        staging.remove()
    }
}

/// A source of model files.
protocol ModelSource: Sendable {
    /// Fetches all files of the model into `staging.files` and verifies them.
    func fetch(into staging: StagingFolder, report: @escaping @Sendable (PullProgress) -> Void) async throws
        -> ModelManifest
}

/// The folder in which a model is assembled, on the disk of the store, so that a rename moves it into place.
struct StagingFolder: Sendable {
    let path: String
    /// The future folder of the model.
    var files: String { path + "/files" }

    func create() throws(ModelStoreError) { try makeFolder(files) }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func makeFolder(_ folder: String) throws(ModelStoreError) {
        var made = ""
        for part in folder.split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o755) != 0, errno != EEXIST {
                // A parent without search permission gives EACCES too; an existing folder gives EEXIST.
                throw .writing(made, errno: errno, reason: lastSystemError())
            }
        }
        guard access(folder, W_OK | X_OK) == 0 else { throw .unwritable(path: folder, reason: lastSystemError()) }
    }

    /// Throws `diskFull` if the disk has fewer than `needed` bytes left.
    func checkRoom(_ needed: Int) throws(ModelStoreError) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return }
        let (available, overflow) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        guard overflow || available >= needed else { throw .diskFull(path: path, needed: needed, available: available) }
    }
}

/// An advisory lock of a file, held for the lifetime of this object. The system releases it if the process ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    init(path: String, name: String) throws(ModelStoreError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .writing(path, errno: errno, reason: lastSystemError()) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .busy(name: name)
        }
    }

    deinit { close(descriptor) }
}
