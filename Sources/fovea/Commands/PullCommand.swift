import ModelStore
import ArgumentParser
import Checkpoint
import Compute
import Foundation
import Support

/// `fovea pull`: fetch models, going on from where an earlier attempt stopped.
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch models by name, or owner/repo from Hugging Face.",
        discussion:
            """
            Every file is checked against its digest. An interrupted download continues with the next pull. Of a repository with \
            several GGUF quantizations, Q4_K_M is fetched, or the largest that fits into memory; owner/repo:QUANTIZATION names \
            another.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Names of `fovea models`, or owner/repo, owner/repo:FILE, or owner/repo:Q4_K_M for a quantization.",
            valueName: "name"))
    var names: [String]

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let store = ModelStore.standard()
        let bundled = Set(store.bundled.map(\.name))
        for name in names where bundled.contains(name) {
            Console.say("\(name) came with Fovea: there is nothing to fetch")
        }
        // All names first: a slip in the second should not show after an hour of the first.
        let wanted = try names.filter { !bundled.contains($0) }.map { name throws(ModelStoreError) in
            try ModelName(name)
        }
        for name in wanted {
            let progress = PullDisplay(name: name.description)
            defer { progress.end() }
            _ = try await store.pull(name) { progress.show($0) }
        }
        let installed = ModelListing.all(in: store).filter { listing in
            listing.installed
                && wanted.contains {
                    $0.description == listing.name || $0.description == HubEntry.named(listing.name)?.repository
                }
        }
        if output.json { try JSONOutput.print(installed) }
    }
}

/// A download on standard error: one line that moves on a terminal, a few plain lines elsewhere.
final class PullDisplay: Sendable {
    private let name: String
    private let progress = ProgressLine()

    init(name: String) { self.name = Sanitizer.stream.line(name) }

    func show(_ report: PullProgress) {
        if report.phase == .installed {
            progress.finish("\(name): installed, \(ByteFormat.text(report.receivedBytes))")
            return
        }
        let file = report.file.isEmpty ? "" : " " + Sanitizer.stream.line(report.file)
        let amount = report.totalBytes.map { "\(ByteFormat.text(report.receivedBytes)) of \(ByteFormat.text($0))" }
        progress.show(
            "\(name): \(report.phase.rawValue)\(file)", detail: report.receivedBytes > 0 ? amount : nil,
            fraction: report.phase == .resolving ? nil : report.fraction)
    }

    func end() { progress.finish(nil) }
}
