#if DEBUG
    import Compute
    import Foundation
    import Speech
    import Support
    import TestSupport
    import Testing

    @testable import Generation

    /// Faults of the device under the engine, with a model that comes with Fovea.
    @Suite(
        "Engine after faults", .usesDevice, .serialized,
        .enabled(if: IncludedModelTests.names.contains("fovea-fra-eng"), "the included models are not there"))
    struct EngineFaultTests {
        private let path = IncludedModelTests.folder("fovea-fra-eng").path
        private var request: GenerationRequest {
            var request = GenerationRequest(messages: [ChatMessage(.user, "Je suis content.")])
            request.text.maximumTokens = 8
            return request
        }

        /// Asks with faults. Returns the error and the calls that a site had.
        private func fail(_ engine: Engine, _ plan: FaultPlan) async -> (any Error)? {
            await FaultPlan.$current.withValue(plan) {
                do {
                    _ = try await EngineTests.ask(engine, request)
                    return nil
                } catch {
                    return error
                }
            }
        }

        @Test("after a lost device, the next question opens it again, loads the model and answers as before")
        func loss() async throws {
            let engine = try await EngineTests.open(path)
            let count = FaultPlan()
            let expected = try await EngineTests.ask(engine, request)
            #expect(!expected.ids.isEmpty && expected.reopened == 0)
            // The second question runs what the first one recorded, with fewer submissions.
            let second = try await FaultPlan.$current.withValue(count) { try await EngineTests.ask(engine, request) }
            #expect(second.ids == expected.ids)
            let calls = count.calls(.submission)
            #expect(calls > 3)
            for call in Set([1, calls / 2, calls]).sorted() {
                let lost = engine.device
                let error = await fail(engine, FaultPlan([.init(.submission, call: call)]))
                guard case .deviceLost = error as? ComputeError else {
                    Issue.record("submission \(call): \(String(describing: error))")
                    return
                }
                #expect(lost.isLost && lost.ledger.total == 0, "\(lost.ledger.entries)")
                #expect(engine.abilities() != nil, "the model is still the chosen one")
                let answer = try await EngineTests.ask(engine, request)
                #expect(answer.reopened == 1 && answer.ids == expected.ids && !engine.device.isLost)
                #expect(try await EngineTests.ask(engine, request).reopened == 0)
            }
            await engine.unload()
            #expect(engine.device.ledger.total == 0)
            await #expect(throws: GenerationError.noModel) { try await EngineTests.ask(engine, request) }
        }

        @Test("a device that is lost while a model is loaded: the next question loads it")
        func lossWhileLoading() async throws {
            let engine = try Engine(deviceSelector: nil, pipelineCacheFolder: nil, sessions: .standard)
            let plan = FaultPlan([.init(.submission, call: 1)])
            await #expect(throws: ComputeError.self) {
                try await FaultPlan.$current.withValue(plan) { for try await _ in engine.load(path: path) {} }
            }
            #expect(plan.fired.count == 1 && engine.device.isLost && engine.device.ledger.total == 0)
            let answer = try await EngineTests.ask(engine, request)
            #expect(answer.reopened == 1 && !answer.ids.isEmpty)
        }

        @Test("an answer without memory fails with advice, and the next one is as before")
        func memory() async throws {
            let engine = try await EngineTests.open(path)
            let expected = try await EngineTests.ask(engine, request)
            var beams = request
            beams.text.beams = 4
            let plan = FaultPlan([.init(.allocation, call: 1)])
            let error = await #expect(throws: ComputeError.self) {
                try await FaultPlan.$current.withValue(plan) { try await EngineTests.ask(engine, beams) }
            }
            #expect(error?.description.contains("A smaller model") == true)
            let answer = try await EngineTests.ask(engine, request)
            #expect(answer.ids == expected.ids && answer.reopened == 0)
        }
    }
#endif
