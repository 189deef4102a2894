// swift-tools-version: 6.0
import PackageDescription

// Targets by layer, lowest first. A target depends only on targets of lower layers; Sources/README.md explains each.
let package = Package(
    name: "fovea",
    products: [.executable(name: "fovea", targets: ["fovea"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    ],
    targets: [
        // Layer 0: system libraries, embedded SPIR-V, number formats.
        .systemLibrary(
            name: "CVulkan", path: "Sources/CVulkan", pkgConfig: "vulkan", providers: [.apt(["libvulkan-dev"])]),
        .systemLibrary(name: "CNcursesSystem", path: "Sources/CNcursesSystem", providers: [.apt(["libncurses-dev"])]),
        .systemLibrary(
            name: "CSndfile", path: "Sources/CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CAlsa", path: "Sources/CAlsa", pkgConfig: "alsa", providers: [.apt(["libasound2-dev"])]),
        .target(name: "CMediaShims", dependencies: ["CAlsa", "CPng"]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPng", path: "Sources/CPng", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(
            name: "CTurboJpeg", path: "Sources/CTurboJpeg", pkgConfig: "libturbojpeg",
            providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(
            name: "CWebP", path: "Sources/CWebP", pkgConfig: "libwebpdemux", providers: [.apt(["libwebp-dev"])]),
        .target(name: "CNcurses", dependencies: ["CNcursesSystem"]),
        .target(name: "CShaders", cSettings: [.unsafeFlags(["-std=c2x", "-Wno-c23-extensions"])]),
        .target(name: "Support"),
        .target(name: "JSON", dependencies: ["Support"]),
        .target(name: "Regex"),
        .target(name: "NumberFormats"),
        .target(name: "AttentionTypes"),
        .target(name: "ChatTemplates"),

        // Layer 1: the device, the files, the text, the media, the terminal.
        .target(
            name: "Compute",
            dependencies: [
                "CVulkan", "CShaders", "Support", "NumberFormats", "AttentionTypes",
                .product(name: "Logging", package: "swift-log"),
            ], exclude: ["Shaders"]),
        .target(
            name: "Checkpoint",
            dependencies: [
                "JSON", "Support", "NumberFormats", "AttentionTypes",
            ]),
        .target(
            name: "ModelStore",
            dependencies: ["Checkpoint", "JSON", "Support", "CZlib", .product(name: "Crypto", package: "swift-crypto")]),
        .target(name: "Tokenization", dependencies: ["JSON", "Regex", "Support", "NumberFormats", "AttentionTypes"]),
        .target(
            name: "Media",
            dependencies: [
                "JSON", "CSndfile", "CAlsa", "CPng", "CTurboJpeg", "CWebP", "CZlib", "CMediaShims", "Support",
            ]),
        .target(name: "Terminal", dependencies: ["Support", "CNcurses"], exclude: ["Terminal.docc"]),

        // Layer 2: layers.
        .target(name: "Transformer", dependencies: ["Compute", "Checkpoint", "NumberFormats", "AttentionTypes"]),

        // Layer 3: architectures, and plans of the memory they take.
        .target(
            name: "Models",
            dependencies: [
                "Transformer", "Compute", "Checkpoint", "Media", "JSON", "NumberFormats", "AttentionTypes",
            ]),
        .target(name: "Planning", dependencies: ["Models", "Media", "Compute", "NumberFormats"]),

        // Layer 4: what is done with a model.
        .target(name: "AttentionAnalysis", dependencies: ["NumberFormats", "AttentionTypes"]),
        .target(
            name: "Generation",
            dependencies: [
                "Models", "AttentionAnalysis", "ChatTemplates", "Tokenization", "Media", "Planning", "Checkpoint",
                "Transformer", "Compute", "Support", "NumberFormats", "AttentionTypes", "JSON",
            ]),
        .target(
            name: "Speech",
            dependencies: [
                "Generation", "Models", "AttentionAnalysis", "Tokenization", "Media", "Checkpoint", "Transformer",
                "Compute", "AttentionTypes", "CZlib",
            ]),

        // Layers 5 and 6: the terminal app, the HTTP server and the program.
        .target(
            name: "Server",
            dependencies: [
                "JSON", "Support",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .target(
            name: "PlaygroundCore",
            dependencies: [
                "Generation", "AttentionAnalysis", "Planning", "ModelStore", "Terminal", "Media", "Support",
                "NumberFormats", "AttentionTypes",
            ], exclude: ["PlaygroundCore.docc"]),
        .target(
            name: "Playground",
            dependencies: [
                "PlaygroundCore", "Generation", "Speech", "Models", "AttentionAnalysis", "Planning", "Terminal",
                "Media",
                "Compute", "Checkpoint", "ModelStore", "Support", "NumberFormats", "AttentionTypes",
                .product(name: "GRDB", package: "GRDB.swift"),
            ], exclude: ["Playground.docc"]),
        .executableTarget(
            name: "fovea",
            dependencies: [
                "Support", "Playground", "PlaygroundCore", "Terminal", "Generation", "Speech", "AttentionAnalysis",
                "Planning", "Models", "Checkpoint", "ModelStore", "Tokenization", "Media", "Compute", "NumberFormats",
                "AttentionTypes", "JSON", "Server",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        // Tests, one target per module; `TestSupport` reads the reference fixtures.
        .target(
            name: "TestSupport", dependencies: ["Checkpoint", "JSON", "NumberFormats", "AttentionTypes"],
            path: "Tests/TestSupport"),
        .target(
            name: "ComputeReference", dependencies: ["Compute", "NumberFormats"], path: "Tests/ComputeReference"),
        .testTarget(name: "SupportTests", dependencies: ["Support"]),
        .testTarget(name: "NumberFormatsTests", dependencies: ["NumberFormats", "Checkpoint", "TestSupport"]),
        .testTarget(
            name: "ComputeTests",
            dependencies: ["Compute", "ComputeReference", "NumberFormats", "AttentionTypes", "TestSupport"]),
        .testTarget(name: "JSONTests", dependencies: ["JSON"]),
        .testTarget(name: "RegexTests", dependencies: ["Regex", "TestSupport"]),
        .testTarget(
            name: "CheckpointTests",
            dependencies: [
                "Checkpoint", "JSON", "NumberFormats", "AttentionTypes", "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        .testTarget(name: "ChatTemplatesTests", dependencies: ["ChatTemplates", "JSON"], exclude: ["Cases"]),
        .testTarget(name: "ModelStoreTests", dependencies: ["ModelStore", "Checkpoint", "CZlib", "TestSupport"]),
        .testTarget(
            name: "TokenizationTests", dependencies: ["Tokenization", "JSON", "TestSupport"], exclude: ["Golden"]),
        .testTarget(
            name: "MediaTests", dependencies: ["Media", "JSON", "CSndfile", "TestSupport"],
            exclude: ["Image/make_samples.py"]),
        .testTarget(name: "TerminalTests", dependencies: ["Terminal"]),
        .testTarget(
            name: "TransformerTests",
            dependencies: ["Transformer", "Compute", "ComputeReference", "Checkpoint", "NumberFormats", "TestSupport"]),
        .testTarget(
            name: "ModelsTests",
            dependencies: [
                "Models", "Transformer", "Compute", "Support", "ComputeReference", "Checkpoint", "Media", "JSON",
                "NumberFormats", "AttentionTypes", "TestSupport",
            ]),
        .testTarget(
            name: "AttentionAnalysisTests",
            dependencies: ["AttentionAnalysis", "NumberFormats", "AttentionTypes", "TestSupport"]),
        .target(
            name: "GenerationTestSupport", dependencies: ["Generation", "TestSupport", "AttentionTypes"],
            path: "Tests/GenerationTestSupport"),
        .testTarget(
            name: "GenerationTests",
            dependencies: [
                "Generation", "Speech", "Compute", "Support", "Models", "Media", "Tokenization", "AttentionAnalysis",
                "ComputeReference",
                "ModelStore", "JSON", "NumberFormats", "AttentionTypes", "GenerationTestSupport", "TestSupport",
            ], exclude: ["Golden"]),
        .testTarget(
            name: "SpeechTests",
            dependencies: [
                "Speech", "Generation", "Models", "Media", "Tokenization", "AttentionAnalysis", "JSON",
                "ComputeReference",
                "ModelStore", "NumberFormats", "AttentionTypes", "GenerationTestSupport", "TestSupport",
            ], exclude: ["PyTorch", "Golden"]),
        .testTarget(
            name: "PlanningTests",
            dependencies: ["Planning", "Models", "Checkpoint", "JSON", "Media", "Compute", "TestSupport"]),
        .testTarget(
            name: "PlaygroundTests",
            dependencies: [
                "TestSupport", "Playground", "PlaygroundCore", "Support", "Planning", "Terminal", "Generation", "Media",
                "ModelStore",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            exclude: ["Snapshots"]),
        .testTarget(name: "ProgramTests", dependencies: ["TestSupport", "Checkpoint", "JSON"]),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "Playground", "PlaygroundCore", "Planning", "Models", "ModelStore", "Checkpoint", "Tokenization",
                "ChatTemplates", "Regex", "JSON", "Media", "Terminal",
                .product(name: "GRDB", package: "GRDB.swift"),
            ], path: "Tests/Fuzz", exclude: ["CFuzzer", "Driver", "Seeds", "make_seeds.py"]),
    ],
    swiftLanguageModes: [.v6]
)

// `.ci/fuzz` builds a package of its own: one program, `fuzz`, and the modules of the parsers. Without FOVEA_FUZZ nothing
// of this exists. See Sources/Guides/FuzzAndSanitize.md.
@MainActor func describeFuzzer(group: String) {
    let files = group == "files"
    // Parsers of files need no package from elsewhere, which shortens the build.
    var modules = ["Checkpoint", "Tokenization", "ChatTemplates", "Regex", "JSON", "Media"]
    var excluded = ["CFuzzer", "Seeds", "make_seeds.py", "SeedTests.swift"]
    var dependencies: [Target.Dependency] = ["CFuzzer"]
    package.products = []
    if files {
        let foundations = [
            "Support", "NumberFormats", "AttentionTypes", "CSndfile", "CAlsa", "CMediaShims", "CZlib", "CPng",
            "CTurboJpeg", "CWebP",
        ]
        package.targets.removeAll { !(modules + foundations).contains($0.name) }
        package.dependencies = []
        excluded.append("Program")
    } else {
        package.targets.removeAll { $0.isTest || $0.name == "fovea" || $0.path?.hasPrefix("Tests") == true }
        modules += ["Playground", "PlaygroundCore", "Planning", "Models", "ModelStore", "Terminal"]
        dependencies.append(.product(name: "GRDB", package: "GRDB.swift"))
    }
    dependencies += modules.map { .byName(name: $0) }
    package.targets.append(.target(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"))
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: dependencies, path: "Tests/Fuzz", exclude: excluded,
            swiftSettings: files ? [.define("FOVEA_FUZZ_FILES")] : [],
            // gold fails on programs with libFuzzer.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}
if let group = Context.environment["FOVEA_FUZZ"] { describeFuzzer(group: group) }
