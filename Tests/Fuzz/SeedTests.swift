import Foundation
import Testing

/// The seeds of the fuzzer, and changed copies of them, without the fuzzer: what went wrong once is tested in every run.
///
/// `FOVEA_FUZZ_SECONDS` gives each parser so many seconds with new inputs instead of a fixed number of changed copies, and
/// `FOVEA_FUZZ_PARSERS` chooses parsers; `.ci/fuzz` sets both.
@Suite(.serialized) struct SeedTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let seeds = root.appending(path: "Tests/Fuzz/Seeds")
    private static let environment = ProcessInfo.processInfo.environment
    /// Seconds that one input may take.
    private static let limit = environment["FOVEA_FUZZ_TIMEOUT"].flatMap(Double.init) ?? 5

    private static let parsers: [String] = {
        let chosen = environment["FOVEA_FUZZ_PARSERS"]?.split(separator: " ").map(String.init)
        return FuzzParser.all.map(\.name).filter { chosen?.contains($0) ?? true }
    }()

    /// The files of a folder and those below it, by path.
    private static func files(in folder: URL) throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted().compactMap { name in
            let file = folder.appending(path: name)
            let isFolder = try file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory ?? false
            return isFolder ? nil : (name, Array(try Data(contentsOf: file)))
        }
    }

    @Test func everyParserHasSeeds() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.seeds.path)
        #expect(Set(folders) == Set(FuzzParser.all.map(\.name)))
    }

    @Test("seeds of a parser, and changed ones", arguments: parsers)
    func seeds(_ name: String) throws {
        let parser = try #require(FuzzParser.all.first { $0.name == name })
        let seeds = try Self.files(in: Self.seeds.appending(path: name))
        #expect(!seeds.isEmpty)
        for seed in seeds {
            // Inputs that went wrong may be refused; others lead through the parser.
            if seed.name.hasPrefix("regression-") {
                _ = parser.accepts(seed.bytes)
            } else {
                #expect(throws: Never.self, "\(seed.name)") { try parser.read(seed.bytes) }
            }
        }
        let mutator = Mutator(form: parser.form, bytes: Mutator.bytes)
        if let seconds = Self.environment["FOVEA_FUZZ_SECONDS"].flatMap(Double.init) {
            try search(parser, mutator, seeds.map(\.bytes), seconds: seconds)
        } else {
            var random = Random(state: 14)
            for seed in seeds {
                for _ in 0..<max(10, 120 / seeds.count) {
                    _ = parser.accepts(mutator.mutate(seed.bytes, longest: 16_384, &random))
                }
            }
        }
    }

    /// Reads changed inputs for a time. An input that ends the process or takes too long stays in `FOVEA_FUZZ_INPUT`.
    private func search(_ parser: FuzzParser, _ mutator: Mutator, _ seeds: [[UInt8]], seconds: Double) throws {
        var inputs = seeds
        for folder in parser.otherSeeds {
            inputs += try Self.files(in: Self.root.appending(path: folder)).map(\.bytes)
        }
        let kept = URL(filePath: try #require(Self.environment["FOVEA_FUZZ_INPUT"]))
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var random = Random(state: UInt64.random(in: 0...UInt64.max))
        var count = 0
        while clock.now < end {
            var input = inputs[random.below(inputs.count)]
            for _ in 0...random.below(3) { input = mutator.mutate(input, longest: 16_384, &random) }
            try Data(input).write(to: kept)
            let start = clock.now
            let isAccepted = parser.accepts(input)
            try #require(
                clock.now - start < .seconds(Self.limit),
                "\(parser.name): over \(Self.limit) s for the input in \(kept.path)")
            // An accepted input is a starting point for further ones.
            if isAccepted, random.below(8) == 0 {
                if inputs.count < 512 {
                    inputs.append(input)
                } else {
                    inputs[seeds.count + random.below(512 - seeds.count)] = input
                }
            }
            count += 1
        }
        print("\(parser.name): \(count) inputs")
    }
}
