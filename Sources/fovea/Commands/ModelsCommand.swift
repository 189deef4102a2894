import ArgumentParser
import Checkpoint
import Compute
import ModelStore
import Models
import NumberFormats
import Planning
import Support

/// `fovea models`: models that can be had by name, and those on this machine, also in the stores of other programs.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the bundled models, those of the catalogue, and all models on this machine.",
        discussion: """
            Besides its own, Fovea opens models in the stores of Ollama, the Hugging Face hub, LM Studio, llama.cpp and OpenAI \
            Whisper by the names they have there. Nothing is written into these stores. Memory is a forecast for the device, with \
            the default context; `fovea plan NAME` has the details.
            """)

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
            ("model", .left), ("from", .left), ("size", .right), ("memory", .right), ("family", .left), ("", .left),
            ("licence", .left))
        for report in reports {
            let remark: String? =
                switch report.opens {
                case .no(let reason) where report.installed: "cannot be opened: \(reason)"
                default: report.summary ?? report.path
                }
            table.add(
                report.name, report.isBundled ? "included" : report.installed ? report.origin : "",
                ByteFormat.text(report.bytes), report.memory.map(ByteFormat.text) ?? "", report.architecture ?? "",
                remark.map { Sanitizer.stream.line($0) } ?? "",
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
    /// The answer to whether a model can be opened: `true`, or the reason why not.
    enum Opening: Encodable {
        case yes
        case no(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .yes: try container.encode(true)
            case .no(let reason): try container.encode(reason)
            }
        }
    }

    let name: String
    /// The store that has it: `fovea`, `ollama`, `huggingface`, …
    let origin: String
    let installed: Bool
    /// It came with Fovea.
    let isBundled: Bool
    /// On the disk when installed, else what it will take there.
    let bytes: Int
    /// The same as `bytes`.
    let size: Int
    /// Bytes to download; absent for models outside the catalogue.
    let downloadBytes: Int?
    let summary: String?
    let licence: String?
    /// The folder or file that is opened.
    let path: String?
    /// That, and the vision tower of a pair of files.
    let paths: [String]
    let architecture: String?
    /// Bytes of device memory that it takes with its default context; absent where they cannot be forecast.
    let memory: Int?
    let opens: Opening

    private init(
        _ name: String, origin: String, location: ModelLocation?, bytes: Int, isBundled: Bool = false,
        problem: String? = nil, entry: (download: Int?, summary: String, licence: String)? = nil
    ) {
        self.name = name
        self.origin = origin
        installed = location != nil
        self.isBundled = isBundled
        self.bytes = bytes
        size = bytes
        downloadBytes = entry?.download
        (summary, licence) = (entry?.summary, entry?.licence)
        (path, paths) = (location?.path, location?.paths ?? [])
        guard let location, problem == nil else {
            (architecture, memory) = (nil, location == nil ? Self.forecast(name) : nil)
            opens = .no(problem ?? "not installed; get it with: fovea pull \(name)")
            return
        }
        (architecture, memory, opens) = Self.opening(location)
    }

    /// Memory of a model of the catalogue that is not installed, from its configuration.
    private static func forecast(_ name: String) -> Int? {
        guard let path = KnownConfigurations.path(of: name), let files = try? ModelFiles(planning: path) else {
            return nil
        }
        let format = Catalogue.entry(named: name)?.format.flatMap(ElementFormat.init(rawValue:))
        return memory(of: files, weights: format)
    }

    private static func memory(of files: ModelFiles, weights: ElementFormat? = nil) -> Int? {
        let planner = Planner(files, on: PlanTarget(name: "", memory: .max, isUnified: false))
        return (try? planner.plan(PlanRequest(model: files.path, weights: weights)))?.total
    }

    /// The architecture of a model, its memory, and the reason if it cannot be opened. Reads the headers of its files.
    private static func opening(_ location: ModelLocation) -> (String?, Int?, Opening) {
        var architecture: String?
        do {
            let files = try ModelFiles(path: location.path, projector: location.projector)
            let type = try ModelRegistry.modelType(of: files)
            if !type.isEmpty { architecture = type }
            _ = try ModelRegistry.make(from: files)
            return (architecture, memory(of: files), .yes)
        } catch {
            return (architecture, nil, .no(ErrorText.line(error)))
        }
    }

    /// Bundled models, the catalogue in its order, other installed models, then those in the stores of other programs.
    static func all(in store: ModelStore) -> [ModelListing] {
        let installed = store.installed()
        let own = LocalModel.Origin.fovea.rawValue
        let bundled = store.bundled.map {
            ModelListing(
                $0.name, origin: own, location: ModelLocation(path: $0.path), bytes: $0.byteCount, isBundled: true,
                entry: (nil, $0.summary, $0.licence))
        }
        let known = Catalogue.all.map { entry in
            let local = installed.first { $0.name == entry.name }
            return ModelListing(
                entry.name, origin: own, location: local.map { ModelLocation(path: $0.path) },
                bytes: local?.byteCount ?? entry.byteCount,
                entry: (entry.downloadByteCount, entry.summary, entry.licence))
        }
        let published = HubEntry.all.map { entry in
            let local = installed.first { $0.name == entry.repository }
            return ModelListing(
                entry.name, origin: own, location: local.map { ModelLocation(path: $0.path) },
                bytes: local?.byteCount ?? entry.byteCount,
                entry: (entry.byteCount, entry.summary, entry.license + (entry.isGated ? ", to be accepted" : "")))
        }
        let listed = Set(Catalogue.all.map(\.name) + HubEntry.all.map(\.repository))
        let others = installed.filter { !listed.contains($0.name) }.map {
            ModelListing($0.name, origin: own, location: ModelLocation(path: $0.path), bytes: $0.byteCount)
        }
        let found = store.found().map {
            ModelListing(
                $0.name, origin: $0.origin.rawValue, location: $0.location, bytes: $0.byteCount, problem: $0.problem)
        }
        return bundled + known + published + others + found
    }
}
