import Foundation
import Models
import TestSupport
import Testing

@testable import Planning

/// Numbers that no GGUF file should have, in each place of its metadata: the result is a plan or a typed error.
@Suite("numbers in GGUF metadata", .needsLargeFixtures)
struct GGUFNumberTests {
    static let files = [
        "llama-q4_0", "t5-q4_0", "gemma3-q4_0", "qwen2-q4_k", "qwen3-q6_k",
    ].filter { Fixtures.contains("gguf/\($0).gguf") }

    /// A number of the metadata: its key, and its bytes in the file.
    private struct Number {
        let key: String
        let type: UInt32
        let bytes: Range<Int>
    }

    /// The numbers of a well-formed file (ggml's specification of GGUF, version 3).
    private static func numbers(in file: [UInt8]) -> [Number] {
        var place = 16
        func integer(_ bytes: Int) -> Int {
            defer { place += bytes }
            return (0..<bytes).reduce(0) { $0 | Int(file[place + $1]) << (8 * $1) }
        }
        func skip(_ type: UInt32) {
            switch type {
            case 0, 1, 7: place += 1
            case 2, 3: place += 2
            case 4, 5, 6: place += 4
            case 8:
                let count = integer(8)
                place += count
            case 9:
                let (element, count) = (UInt32(integer(4)), integer(8))
                for _ in 0..<count { skip(element) }
            default: place += 8
            }
        }
        return (0..<integer(8)).compactMap { _ in
            let length = integer(8)
            let key = String(decoding: file[place..<place + length], as: UTF8.self)
            place += length
            let type = UInt32(integer(4)), start = place
            skip(type)
            return [4, 5, 6, 10, 11, 12].contains(type) ? Number(key: key, type: type, bytes: start..<place) : nil
        }
    }

    private static func extremes(_ number: Number) -> [UInt64] {
        switch number.type {
        case 6: ([0, -1, 0.5, 1e30, .infinity, .nan] as [Float]).map { UInt64($0.bitPattern) }
        case 12: ([0, -1, 1e300, .infinity, .nan] as [Double]).map(\.bitPattern)
        default: [0, 1, 3, 0xFFFF, 1 << 31, 0xFFFF_FFFF, 1 << 53, UInt64(Int.max), UInt64.max]
        }
    }

    @Test("each number of a file", arguments: files)
    func number(_ name: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.path("model.gguf")
        let original = try [UInt8](Data(contentsOf: Fixtures.model("gguf/\(name).gguf")))
        let target = PlanTarget(name: "a device", memory: 1 << 50, isUnified: true)
        func plan(_ file: [UInt8]) throws -> Bool {
            try Data(file).write(to: URL(filePath: path))
            do {
                let files = try ModelFiles(planning: path)
                return try Planner(files, on: target).plan(PlanRequest(model: "a model")).total > 0
            } catch let error as any CustomStringConvertible & Error {
                #expect(!error.description.isEmpty)
                return false
            }
        }
        #expect(try plan(original))
        var tried = 0, planned = 0
        for number in Self.numbers(in: original) {
            for value in Self.extremes(number) {
                var file = original
                for (index, place) in number.bytes.enumerated() {
                    file[place] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
                }
                if try plan(file) { planned += 1 }
                tried += 1
            }
        }
        #expect(tried >= 60 && planned > 0 && planned < tried, "\(planned) of \(tried)")
    }
}
