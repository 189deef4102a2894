// swift-tools-version: 6.0
import PackageDescription

// The floors of the house, from the ground up. A target may depend only on targets of a lower floor
// (and `Generation` on `Attribution`, which is pure arithmetic over captured arrays).
let package = Package(
    name: "fovea",
    products: [.executable(name: "fovea", targets: ["fovea"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // Floor 0: system libraries, embedded SPIR-V, number formats.
        .systemLibrary(name: "CVulkan", path: "Sources/CVulkan", pkgConfig: "vulkan", providers: [.apt(["libvulkan-dev"])]),
        .systemLibrary(name: "CNcursesSystem", path: "Sources/CNcursesSystem", providers: [.apt(["libncurses-dev"])]),
        .systemLibrary(name: "CSndfile", path: "Sources/CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CAlsa", path: "Sources/CAlsa", pkgConfig: "alsa", providers: [.apt(["libasound2-dev"])]),
        .target(name: "CMediaShims", dependencies: ["CAlsa", "CPng"]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPng", path: "Sources/CPng", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CTurboJpeg", path: "Sources/CTurboJpeg", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
        .systemLibrary(name: "CWebP", path: "Sources/CWebP", pkgConfig: "libwebpdemux", providers: [.apt(["libwebp-dev"])]),
        .target(name: "CNcurses", dependencies: ["CNcursesSystem"]),
        .target(name: "CShaders", cSettings: [.unsafeFlags(["-std=c2x", "-Wno-c23-extensions"])]),
        .target(name: "Formats"),

        // Floor 1: the device, the files, the text, the media, the terminal.
        .target(name: "Compute", dependencies: ["CVulkan", "CShaders", "Formats", .product(name: "Logging", package: "swift-log")], exclude: ["Shaders"]),
        .target(name: "Checkpoint", dependencies: ["Formats", .product(name: "Crypto", package: "swift-crypto"), .product(name: "Logging", package: "swift-log")]),
        .target(name: "Tokenization", dependencies: ["Formats"]),
        .target(name: "Media", dependencies: ["CSndfile", "CAlsa", "CPng", "CTurboJpeg", "CWebP", "CMediaShims"]),
        .target(name: "Terminal", dependencies: ["CNcurses"]),

        // Floor 2: layers and meters.
        .target(name: "Transformer", dependencies: ["Compute", "Checkpoint", "Formats"]),
        .target(name: "Telemetry", dependencies: ["Compute", "Checkpoint"]),

        // Floor 3: architectures.
        .target(name: "Models", dependencies: ["Transformer", "Telemetry", "Compute", "Checkpoint", "Media", "Formats"]),

        // Floor 4: what is done with a model.
        .target(name: "Attribution", dependencies: ["Formats"]),
        .target(name: "Generation", dependencies: ["Models", "Attribution", "Tokenization", "Media", "Telemetry", "Checkpoint", "Transformer", "Compute", "Formats", "CZlib"]),

        // Floor 5 and 6: the terminal app and the program.
        .target(
            name: "Playground",
            dependencies: ["Generation", "Models", "Attribution", "Telemetry", "Terminal", "Media", "Compute", "Checkpoint", "Formats", .product(name: "GRDB", package: "GRDB.swift")]),
        .executableTarget(
            name: "fovea",
            dependencies: [
                "Playground", "Terminal", "Generation", "Attribution", "Telemetry", "Models", "Checkpoint", "Tokenization", "Media", "Compute", "Formats",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        // Tests, one target per floor's module; `TestSupport` reads the reference fixtures.
        .target(name: "TestSupport", dependencies: ["Checkpoint", "Formats"], path: "Tests/TestSupport"),
        .testTarget(name: "ComputeTests", dependencies: ["Compute", "Formats", "TestSupport"]),
        .testTarget(name: "CheckpointTests", dependencies: ["Checkpoint", "Formats", "TestSupport"]),
        .testTarget(name: "TokenizationTests", dependencies: ["Tokenization"], exclude: ["Golden"]),
        .testTarget(name: "MediaTests", dependencies: ["Media", "CSndfile", "TestSupport"], exclude: ["Image/make_samples.py"]),
        .testTarget(name: "TerminalTests", dependencies: ["Terminal"]),
        .testTarget(name: "ModelsTests", dependencies: ["Models", "Transformer", "Compute", "Checkpoint", "Media", "Formats", "TestSupport"]),
        .testTarget(name: "AttributionTests", dependencies: ["Attribution", "Formats", "TestSupport"]),
        .testTarget(name: "GenerationTests", dependencies: ["Generation", "Models", "Media", "Tokenization", "Attribution", "Formats", "TestSupport"], exclude: ["PyTorch", "Chat"]),
        .testTarget(name: "PlaygroundTests", dependencies: ["TestSupport", "Playground", "Models", "Terminal", "Generation"], exclude: ["Snapshots"]),
        .testTarget(name: "ProgramTests", dependencies: ["TestSupport", "Checkpoint"]),
    ],
    swiftLanguageModes: [.v6]
)
