import Foundation
import AttentionTypes
import Synchronization
import Testing

@testable import AttentionAnalysis

/// A disk of a given size, in memory.
private final class SmallDisk: SpillStorage {
    struct Full: Error, CustomStringConvertible { let description = "No space left on device" }
    private let bytes = Mutex([UInt8]())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws {
        guard offset + source.count <= capacity else { throw Full() }
        let copy = Array(source)
        bytes.withLock { bytes in
            if bytes.count < offset + copy.count {
                bytes += [UInt8](repeating: 0, count: offset + copy.count - bytes.count)
            }
            bytes.replaceSubrange(offset..<offset + copy.count, with: copy)
        }
    }

    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        let copy = bytes.withLock { Array($0[offset..<offset + target.count]) }
        target.copyBytes(from: copy)
    }
}

private final class Notices: Sendable {
    private let all = Mutex([AttentionRecord.Notice]())
    var list: [AttentionRecord.Notice] { all.withLock { $0 } }
    func add(_ notice: AttentionRecord.Notice) { all.withLock { $0.append(notice) } }
}

@Suite struct AttentionRecordTests {
    /// Two layers of token `index`; every value tells the token, layer and place, and is exact in half precision.
    private func attention(_ index: Int, keys: Int = 8) -> [AttentionWeights] {
        (0..<2).map { layer in
            AttentionWeights(
                kind: layer == 0 ? .cross : .selfAttention, layer: layer + 3, heads: 2, queries: 1, keys: keys,
                values: (0..<2 * keys).map { Float((index * 7 + layer * 31 + $0) % 1024) / 1024 })
        }
    }

    private func bytes(keys: Int = 8) -> Int { 2 * 2 * keys * 2 }

    @Test("one layer alone is as it is among all") func oneLayer() throws {
        let record = AttentionRecord()
        for index in 0..<3 { record.append(attention(index)) }
        let all = try record.attention(ofToken: 1)
        #expect(try record.attention(ofToken: 1) { kind, layer in kind == all[1].kind && layer == 4 } == [all[1]])
        #expect(try record.attention(ofToken: 1) { _, _ in false }.isEmpty)
    }

    @Test func tokensComeBackAsTheyWere() throws {
        let record = AttentionRecord()
        #expect(record.append(attention(0)) == 0 && record.append(attention(1, keys: 5)) == 1 && record.append([]) == 2)
        #expect(try record.attention(ofToken: 0) == attention(0))
        #expect(try record.attention(ofToken: 1) == attention(1, keys: 5))
        #expect(try record.attention(ofToken: 2).isEmpty)
        #expect(throws: AttentionAnalysisError.tokenOutOfRange(index: 3, count: 3)) { try record.attention(ofToken: 3) }
        #expect(throws: AttentionAnalysisError.tokenOutOfRange(index: -1, count: 3)) {
            try record.attention(ofToken: -1)
        }
        #expect(record.statistics == .init(tokens: 3, dropped: 0, memoryBytes: bytes() + bytes(keys: 5), diskBytes: 0))
    }

    @Test func weightsAreWithinHalfPrecision() throws {
        let record = AttentionRecord()
        let values = (1...1500).map { 1 / Float($0 * 3) }
        record.append([AttentionWeights(kind: .cross, layer: 0, heads: 1, queries: 1, keys: 1500, values: values)])
        for (a, b) in zip(try record.attention(ofToken: 0)[0].values, values) { #expect(abs(a - b) <= b * 0x1p-11) }
    }

    @Test func theOldestSpillToARealFile() throws {
        let notices = Notices()
        let record = AttentionRecord(memoryLimit: bytes() * 3) { notices.add($0) }
        for index in 0..<200 { record.append(attention(index)) }
        #expect(record.statistics == .init(tokens: 200, dropped: 0, memoryBytes: bytes() * 3, diskBytes: bytes() * 197))
        for index in [0, 1, 100, 196, 197, 199] { #expect(try record.attention(ofToken: index) == attention(index)) }
        #expect(notices.list.isEmpty)
        let left = try FileManager.default.contentsOfDirectory(atPath: FileManager.default.temporaryDirectory.path)
        #expect(!left.contains { $0.hasPrefix("fovea-attention-") }, "the file has no name")
    }

    @Test func takenBackTokensMakeRoom() throws {
        let record = AttentionRecord(memoryLimit: bytes() * 2)
        for index in 0..<20 { record.append(attention(index)) }
        record.truncate(to: 10)
        #expect(record.count == 10 && record.statistics.memoryBytes == 0 && record.statistics.diskBytes == bytes() * 10)
        for index in 10..<30 { record.append(attention(index + 500)) }
        for index in 0..<30 {
            #expect(try record.attention(ofToken: index) == attention(index < 10 ? index : index + 500))
        }
        record.truncate(to: 99)
        #expect(record.count == 30)
        record.truncate(to: -1)
        #expect(record.statistics == .init())
        record.append(attention(1))
        #expect(try record.attention(ofToken: 0) == attention(1))
        record.removeAll()
        #expect(record.count == 0)
    }

    @Test func withoutAFileTheOldestAreDropped() throws {
        let notices = Notices()
        let record = AttentionRecord(memoryLimit: bytes() * 4, directory: "/nonexistent/folder") { notices.add($0) }
        for index in 0..<10 { record.append(attention(index)) }
        #expect(record.statistics == .init(tokens: 10, dropped: 6, memoryBytes: bytes() * 4, diskBytes: 0))
        #expect(throws: AttentionAnalysisError.tokenDropped(index: 5)) { try record.attention(ofToken: 5) }
        #expect(try record.attention(ofToken: 6) == attention(6))
        #expect(notices.list.count == 1)
        guard case .spillUnavailable(let reason)? = notices.list.first else { Issue.record("\(notices.list)"); return }
        #expect(reason.contains("/nonexistent/folder"))
    }

    @Test func aFullDiskKeepsTheNewest() throws {
        let notices = Notices(), size = bytes()
        let record = AttentionRecord(
            memoryLimit: size * 2, makeStorage: { SmallDisk(capacity: size * 5 + 7) }, onNotice: { notices.add($0) })
        for index in 0..<40 { record.append(attention(index)) }
        // Two in memory, five on disk.
        #expect(record.statistics == .init(tokens: 40, dropped: 33, memoryBytes: size * 2, diskBytes: size * 5))
        for index in 33..<40 { #expect(try record.attention(ofToken: index) == attention(index)) }
        #expect(throws: AttentionAnalysisError.tokenDropped(index: 32)) { try record.attention(ofToken: 32) }
        #expect(notices.list == [.diskFull(reason: "No space left on device", keptBytes: size * 5)])
    }

    @Test func noDiskAtAllIsNoCrash() throws {
        let notices = Notices(), size = bytes()
        let record = AttentionRecord(
            memoryLimit: size, makeStorage: { SmallDisk(capacity: 0) }, onNotice: { notices.add($0) })
        for index in 0..<5 { record.append(attention(index)) }
        #expect(
            record.statistics == .init(tokens: 5, dropped: 4, memoryBytes: size, diskBytes: 0)
                && notices.list.count == 1)
        #expect(try record.attention(ofToken: 4) == attention(4))
        // A token larger than the bound stays as long as it is the newest.
        let tight = AttentionRecord(memoryLimit: 0)
        tight.append(attention(0))
        tight.append(attention(1))
        #expect(try tight.attention(ofToken: 0) == attention(0) && tight.attention(ofToken: 1) == attention(1))
        #expect(tight.statistics.memoryBytes == size)
    }

    /// Random appends of uneven tokens and take-backs on a small disk: what is kept is right, and the newest are kept.
    @Test(arguments: [1, 2, 3, 4, 5, 6]) func unevenTokensWrapAround(seed: UInt64) throws {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let record = AttentionRecord(memoryLimit: 700, makeStorage: { SmallDisk(capacity: 3000) }, onNotice: { _ in })
        var shadow: [[AttentionWeights]] = []
        var diskBytes = 0
        for step in 0..<600 {
            if random(12) == 0 {
                let count = max(shadow.count - random(9), 0)
                shadow.removeLast(shadow.count - count)
                record.truncate(to: count)
            } else {
                shadow.append(attention(step, keys: 1 + random(30)))
                record.append(shadow[shadow.count - 1])
            }
            #expect(record.count == shadow.count)
            let statistics = record.statistics
            #expect(statistics.diskBytes <= 3000 && (statistics.memoryBytes <= 700 || shadow.count == 1))
            diskBytes += statistics.diskBytes
            // Everything now and then, the edges always.
            let edge = statistics.dropped - 1...statistics.dropped + 1
            for index in shadow.indices where step % 50 == 49 || edge.contains(index) || index >= shadow.count - 2 {
                if index < statistics.dropped {
                    #expect(throws: AttentionAnalysisError.tokenDropped(index: index)) {
                        try record.attention(ofToken: index)
                    }
                } else {
                    let found = try record.attention(ofToken: index)
                    #expect(found == shadow[index], "token \(index) after step \(step)")
                }
            }
        }
        #expect(diskBytes / 600 > 1500, "the disk is used, not given up")
    }

    @Test func readersAndTheWriterDoNotDisturbEachOther() async throws {
        let record = AttentionRecord(memoryLimit: bytes() * 5)
        record.append(attention(0))
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for index in 1..<300 { record.append(attention(index)) }
                return true
            }
            for _ in 0..<3 {
                group.addTask {
                    for _ in 0..<300 {
                        let index = record.count - 1
                        guard (try? record.attention(ofToken: index)) == attention(index),
                            (try? record.attention(ofToken: index / 2)) == attention(index / 2)
                        else { return false }
                    }
                    return true
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
