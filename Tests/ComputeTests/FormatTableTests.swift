import Foundation
import NumberFormats
import Testing

@testable import Compute

/// The table of formats (NumberFormats/ElementFormat.swift), the list of shader variants (Shaders/formats.list), the GLSL
/// and the compiled shaders name the same formats.
@Suite("the table of formats and the shaders agree")
struct FormatTableTests {
    static let shaders = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../Sources/Compute/Shaders")
    static let formats = Set(ElementFormat.weightFormats.map(\.rawValue))
    static let blocks = Set(BlockLayout.formats.map(\.rawValue))

    private func source(_ path: String) throws -> String {
        try String(contentsOf: Self.shaders.appending(path: path), encoding: .utf8)
    }

    @Test("every kernel of weights is compiled for every format, and for no other")
    func variants() {
        let compiled = Set(ShaderLibrary.names)
        func variants(_ kernel: String, _ formats: Set<String>, _ loads: [LoadPath?] = [nil]) -> Set<String> {
            Set(formats.flatMap { format in loads.map { "\(kernel)_\(format)\($0.map { "_\($0.rawValue)" } ?? "")" } })
        }
        let expected = ["embed/embed", "linear/matrix", "linear/row", "linear/tile"].reduce(into: Set<String>()) {
            $0.formUnion(variants($1, Self.formats))
        }
        .union(variants("linear/dot", Self.blocks))
        .union(variants("linear/step", Self.formats, LoadPath.allCases))
        .union(variants("linear/shuffle", Self.formats, LoadPath.allCases))
        #expect(compiled.filter { $0.hasPrefix("linear/") || $0.hasPrefix("embed/") } == expected)
        let plain = Set(LinearSelection.plainFormats.map(\.rawValue))
        #expect(
            compiled.filter { $0.hasPrefix("random/") } == Set((plain.union(["blocks"])).map { "random/weights_\($0)" })
        )
    }

    @Test("the list of variants is the table")
    func list() throws {
        let lines = try source("formats.list").split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ") }
        #expect(lines.map { String($0[0]) } == ElementFormat.weightFormats.map(\.rawValue))
        #expect(Set(lines.filter { $0.last == "blocks" }.map { String($0[0]) }) == Self.blocks)
    }

    @Test(
        "the GLSL decodes every format, and no other",
        arguments: ["common/weights.glsl", "common/weights_blocks.glsl", "common/weights_packed.glsl"])
    func functions(_ path: String) throws {
        let named = Set(try source(path).matches(of: /defined\(FORMAT_(\w+)\)/).map { String($0.1) })
        #expect(named == (path.hasSuffix("weights.glsl") ? Self.formats.subtracting(Self.blocks) : Self.blocks))
    }

    @Test("parts on the device are the bytes of a block, each once", arguments: BlockLayout.formats)
    func parts(_ format: ElementFormat) throws {
        let block = try #require(format.deviceBlock)
        #expect(block.parts.flatMap { Array($0) }.sorted() == Array(0..<format.bytesPerBlock))
        // Kernels read the first part 16 bytes at a time.
        #expect(block.parts[0].count % 16 == 0)
        #expect(block.factors.allSatisfy { $0 >= 0 && $0 + 2 <= format.bytesPerBlock })
    }
}
