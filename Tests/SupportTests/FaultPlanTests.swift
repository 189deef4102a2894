#if DEBUG
    import Foundation
    import Testing

    @testable import Support

    @Suite("Fault plans")
    struct FaultPlanTests {
        @Test("a plan fails the calls it names, and no others")
        func calls() throws {
            let plan = try #require(FaultPlan(parsing: "allocation:2,read:1:EINTR,read:3:SHORT"))
            #expect(plan.next(.allocation) == nil)
            #expect(plan.next(.allocation) == .error(EIO))
            #expect(plan.next(.allocation) == nil)
            #expect(plan.next(.read) == .error(EINTR))
            #expect(plan.next(.read) == nil)
            #expect(plan.next(.read) == .short)
            #expect(plan.next(.write) == nil)
            #expect(plan.calls(.allocation) == 3 && plan.fired.count == 3)
        }

        @Test(
            "texts that are no plan",
            arguments: [
                "allocation", "allocation:0", "allocation:-1", "allocation:x", "heap:1", "read:1:EWHAT", "read:1:EIO:2",
            ])
        func damaged(_ text: String) { #expect(FaultPlan(parsing: text) == nil) }

        @Test("reads that are interrupted or short are continued; a failing disk is an error with its reason")
        func reads() throws {
            let path = FileManager.default.temporaryDirectory.appending(path: "fovea-reads-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            let content = [UInt8]((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            try Data(content).write(to: URL(filePath: path))
            let harmless = try #require(FaultPlan(parsing: "read:1:SHORT,read:2:EINTR,read:3:SHORT"))
            let read = try FaultPlan.$current.withValue(harmless) { try RegularFile(path: path).contents(limit: 5000) }
            #expect(read == content)
            #expect(harmless.fired.count == 3)
            let failing = try #require(FaultPlan(parsing: "read:1:SHORT,read:2:EIO"))
            FaultPlan.$current.withValue(failing) {
                #expect(throws: RegularFile.Problem.system(String(cString: strerror(EIO)))) {
                    try RegularFile(path: path).contents(limit: 5000)
                }
            }
        }

        @Test("a full disk is an error, and the file is as it was")
        func writes() throws {
            let path = FileManager.default.temporaryDirectory.appending(path: "fovea-writes-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            try OutputPath(path).write(Data("old".utf8))
            try FaultPlan.$current.withValue(FaultPlan([.init(.write, call: 1, failure: .error(ENOSPC))])) {
                #expect(throws: POSIXError(.ENOSPC)) { try OutputPath(path).write(Data("new".utf8)) }
                let kept = try String(contentsOfFile: path, encoding: .utf8)
                #expect(kept == "old")
                try OutputPath(path).write(Data("new".utf8))
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
        }
    }
#endif
