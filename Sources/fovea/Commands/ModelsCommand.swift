import ModelStore
import ArgumentParser
import Checkpoint
import Compute
import Support

/// `fovea models`: what can be had by name and what is here.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the bundled models, those of the catalogue, and other installed models.")

    @Option(
        name: .long, help: ArgumentHelp("Check every file of an installed model against its digest.", valueName: "name")
    )
    var verify: [String] = []

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let store = ModelStore.standard()
        for name in verify {
            try store.verify(name)
            Console.say("\(Sanitizer.stream.line(name)): every file is what it should be")
        }
        if !verify.isEmpty { return }
        let reports = ModelListing.all(in: store)
        if output.json {
            try JSONOutput.print(reports)
            return
        }
        var table = TextTable(
            ("model", .left), ("", .left), ("size", .right), ("what it is", .left), ("licence", .left))
        for report in reports {
            table.add(
                report.name, report.isBundled ? "included" : report.installed ? "installed" : "",
                ByteFormat.text(report.bytes), report.summary ?? report.path ?? "",
                report.licence ?? "")
        }
        try Console.writeLine(table.text)
        if let missing = reports.first(where: { !$0.installed }) {
            Console.say("Get one with: fovea pull \(Sanitizer.stream.line(missing.name))")
        }
    }
}

/// One line of `fovea models`.
struct ModelListing: Encodable {
    let name: String
    let installed: Bool
    /// It came with Fovea.
    let isBundled: Bool
    /// On the disk when installed, else what it will take there.
    let bytes: Int
    /// Bytes to download; absent for models outside the catalogue.
    let downloadBytes: Int?
    let summary: String?
    let licence: String?
    let path: String?

    /// Bundled models, the catalogue in its order, then other installed models.
    static func all(in store: ModelStore) -> [ModelListing] {
        let installed = store.installed()
        let bundled = store.bundled.map {
            ModelListing(
                name: $0.name, installed: true, isBundled: true, bytes: $0.byteCount, downloadBytes: nil,
                summary: $0.summary, licence: $0.licence,
                path: $0.path)
        }
        let known = Catalogue.all.map { entry in
            let local = installed.first { $0.name == entry.name }
            return ModelListing(
                name: entry.name, installed: local != nil, isBundled: false, bytes: local?.byteCount ?? entry.byteCount,
                downloadBytes: entry.downloadByteCount, summary: entry.summary, licence: entry.licence,
                path: local?.path)
        }
        let others = installed.filter { local in !Catalogue.all.contains { $0.name == local.name } }.map {
            ModelListing(
                name: $0.name, installed: true, isBundled: false, bytes: $0.byteCount, downloadBytes: nil, summary: nil,
                licence: nil, path: $0.path)
        }
        return bundled + known + others
    }
}
