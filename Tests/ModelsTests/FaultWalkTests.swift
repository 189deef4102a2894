#if DEBUG
    import Compute
    import Foundation
    import Support
    import TestSupport
    import Testing
    import Transformer

    @testable import Models

    /// A model and the session that faults are walked through.
    private struct Walk {
        let files: ModelFiles
        let model: any Model

        init(_ name: String) throws {
            files = try ModelFiles(path: Fixtures.model(name).path)
            model = try ModelRegistry.make(from: files)
        }

        /// Logits of a prompt's last token and of ten steps behind it.
        func answer() throws -> [[Float]] {
            let shown = try model.encodeSample(of: files)
            let prompt = Array((shown + [1, 2, 3]).prefix(model.contextLength - 10))
            model.tap?.selection = .everything
            let first = try model.start(tokens: prompt, hypotheses: 1, logitRows: [prompt.count - 1])
            var logits = [try #require(first[prompt.count - 1])]
            for _ in 0..<10 {
                let last = logits[logits.count - 1]
                let next = last.indices.max { last[$0] < last[$1] } ?? 0
                logits.append(try model.advance(tokens: [next]).logits[0])
            }
            return logits
        }

        func session(on device: Device) throws -> [[Float]] {
            try model.load(from: files, on: device)
            return try answer()
        }
    }

    /// Failures of the device at every place of a session: load, encode, prefill, ten decode steps.
    ///
    /// Some places of each walk are tried; `FOVEA_ALL_FAULTS=1` tries all of them.
    @Suite("Faults of the device, walked through a session", .usesDevice, .serialized)
    struct FaultWalkTests {
        static let families = [
            "t5", "flan-t5", "marian", "bart", "m2m100", "gpt2", "llama3", "llava", "smolvlm", "mllama", "blip",
            "vit-gpt2", "trocr", "whisper-80", "mbart", "pegasus", "qwen2", "qwen3", "mistral", "gemma2",
            "gemma3-text", "phi3", "moonshine", "florence2",
        ].filter { Fixtures.contains("\($0)/config.json") }

        private static let walksAll = ProcessInfo.processInfo.environment["FOVEA_ALL_FAULTS"] != nil

        /// Calls of a walk that fail: the first, the last, and some between; the middle one where there is room for one.
        private static func places(of calls: Int, atMost count: Int) -> [Int] {
            guard calls > 0 else { return [] }
            if walksAll || calls <= count { return Array(1...calls) }
            if count == 1 { return [(calls + 1) / 2] }
            return (0..<count).map { 1 + $0 * (calls - 1) / (count - 1) }
        }

        @Test(
            "an allocation that fails: a typed error, no memory lost, the same answer afterwards", arguments: families)
        func allocations(_ family: String) throws {
            let walk = try Walk(family)
            let device = try Device(validation: false)
            let count = FaultPlan()
            let expected = try FaultPlan.$current.withValue(count) { try walk.session(on: device) }
            #expect(expected.allSatisfy { $0.allSatisfy(\.isFinite) })
            walk.model.unload()
            #expect(device.ledger.total == 0, "\(device.ledger.entries)")
            let places = Self.places(of: count.calls(.allocation), atMost: 3)
            for place in places {
                let plan = FaultPlan([.init(.allocation, call: place)])
                let error = #expect(throws: ComputeError.self, "allocation \(place)") {
                    try FaultPlan.$current.withValue(plan) { try walk.session(on: device) }
                }
                guard case .outOfDeviceMemory = error else {
                    Issue.record("allocation \(place): \(String(describing: error))")
                    continue
                }
                #expect(error?.description.contains("needs less") == true)
                // A model that was loaded answers; one that was not has left nothing behind.
                let answer: [[Float]]
                if walk.model.stream == nil {
                    #expect(device.ledger.total == 0, "allocation \(place): \(device.ledger.entries)")
                    answer = try walk.session(on: device)
                } else {
                    answer = try walk.answer()
                }
                #expect(answer == expected, "the answer after allocation \(place)")
                walk.model.unload()
                #expect(device.ledger.total == 0, "allocation \(place): \(device.ledger.entries)")
            }
            print("fault walk: \(family), \(places.count) of \(count.calls(.allocation)) allocations")
        }

        @Test(
            "a device that is lost: a typed error, all its memory freed, the same answer on the next device",
            arguments: families)
        func losses(_ family: String) throws {
            let walk = try Walk(family)
            var device = try Device(validation: false)
            let count = FaultPlan()
            let expected = try FaultPlan.$current.withValue(count) { try walk.session(on: device) }
            walk.model.unload()
            for site in [FaultPlan.Site.submission, .wait] {
                let places = Self.places(of: count.calls(site), atMost: 1)
                for place in places {
                    let plan = FaultPlan([.init(site, call: place)])
                    let error = #expect(throws: ComputeError.self, "\(site) \(place)") {
                        try FaultPlan.$current.withValue(plan) { try walk.session(on: device) }
                    }
                    guard case .deviceLost = error else {
                        Issue.record("\(site) \(place): \(String(describing: error))")
                        continue
                    }
                    #expect(error?.description.contains("opens the device again") == true)
                    #expect(device.isLost)
                    #expect(throws: ComputeError.self) {
                        try device.makeBuffer(byteCount: 4, purpose: .staging, label: "after the loss")
                    }
                    walk.model.unload()
                    #expect(device.ledger.total == 0, "\(site) \(place): \(device.ledger.entries)")
                    device = try Device(validation: false)
                    #expect(try walk.session(on: device) == expected, "the answer after \(site) \(place)")
                    walk.model.unload()
                    #expect(device.ledger.total == 0)
                }
                print("fault walk: \(family), \(places.count) of \(count.calls(site)) \(site.rawValue)s")
            }
        }

        @Test("more hypotheses than memory has room for: an error, and the model answers as before")
        func hypotheses() throws {
            let walk = try Walk("gpt2")
            let device = try Device(validation: false)
            let expected = try walk.session(on: device)
            let plan = FaultPlan([.init(.allocation, call: 1)])
            #expect(throws: ComputeError.self) {
                try FaultPlan.$current.withValue(plan) { try walk.model.decoder.reserve(hypotheses: 4) }
            }
            #expect(plan.fired.count == 1 && walk.model.position == 0)
            #expect(try walk.answer() == expected)
            walk.model.unload()
            #expect(device.ledger.total == 0)
        }
    }
#endif
