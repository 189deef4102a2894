#if DEBUG
    import Foundation
    import Generation
    import Speech
    import Support
    import Terminal
    import TestSupport
    import Testing

    @testable import Playground
    @testable import PlaygroundCore

    /// The whole app on a screen in memory, with the engine and a model that comes with Fovea, while the device fails.
    @Suite("Sessions with faults", .usesDevice, .serialized, .timeLimit(.minutes(10)))
    struct FaultSittingTests {
        private static let model = Fixtures.packageRoot.appending(path: "assets/models/fovea-fra-eng").path

        private func options(_ folder: TemporaryFolder) -> PlaygroundOptions {
            var options = PlaygroundOptions(model: Self.model, dataFolder: folder.url.path)
            options.text.maximumTokens = 6
            return options
        }

        private func backend() throws -> EngineBackend {
            EngineBackend(engine: try Engine(deviceSelector: nil, pipelineCacheFolder: nil, sessions: .standard))
        }

        /// Asks twice, with a plan of faults from the start on, and quits.
        /// - Parameter first: text that ends the wait for the first answer.
        /// - Returns: submissions before the first question, and when its answer had ended.
        private func ask(_ plan: FaultPlan, in folder: TemporaryFolder, until first: String) async throws -> (
            before: Int, after: Int
        ) {
            let backend = try backend()
            let sitting = FaultPlan.$current.withValue(plan) { Sitting(on: backend, options: options(folder)) }
            try await sitting.see("● ")
            let before = plan.calls(.submission)
            sitting.type("Bonjour.")
            sitting.press(Key(.enter))
            try await sitting.see(first)
            let after = plan.calls(.submission)
            sitting.type("Merci.")
            sitting.press(Key(.enter))
            try await sitting.see("an answer to the second question") { canvas in
                guard let question = canvas.text.range(of: "Merci.") else { return false }
                return canvas.text[question.upperBound...].contains("tok/s")
            }
            sitting.press(.control("d"))
            #expect(try await sitting.end() == .done)
            #expect(!sitting.screen.isRunning)
            return (before, after)
        }

        /// Messages of the only stored conversation.
        private func stored(in folder: TemporaryFolder) async throws -> [StoredMessage] {
            let store = try ConversationStore(folder: folder.url.path)
            let conversations = try await store.conversations()
            #expect(conversations.count == 1)
            return try await store.messages(of: try #require(conversations.first).id)
        }

        @Test(
            "a device lost within an answer: it is said, the conversation is on disk, the next answer is as without it")
        func loss() async throws {
            let (untouched, count) = (try TemporaryFolder(), FaultPlan())
            let (before, after) = try await ask(count, in: untouched, until: "tok/s")
            let expected = try await stored(in: untouched)
            #expect(expected.map(\.progress).suffix(3) == ["finished", "finished", "finished"])
            #expect(after > before + 2)
            for call in [before + 1, (before + after) / 2, after] {
                let folder = try TemporaryFolder(), plan = FaultPlan([.init(.submission, call: call)])
                _ = try await ask(plan, in: folder, until: "opens the device again")
                #expect(plan.fired.count == 1)
                let messages = try await stored(in: folder)
                let answers = messages.filter { $0.author.hasSuffix("fovea-fra-eng") }
                #expect(answers.map(\.progress) == ["failed", "finished"], "submission \(call)")
                #expect(answers.last?.text == expected.last?.text)
                #expect(messages.contains { $0.text == "Bonjour." } && messages.contains { $0.text == "Merci." })
            }
        }

        @Test("conversations: a full disk and a locked file are errors, and the next write succeeds")
        func store() async throws {
            let folder = try TemporaryFolder()
            let store = try ConversationStore(folder: folder.url.path)
            let message = StoredMessage(
                position: 0, author: "person", text: "hello", audioPath: nil, date: Scene.date, progress: "finished")
            let plan = try #require(FaultPlan(parsing: "write:1:ENOSPC,write:2:EIO"))
            try await FaultPlan.$current.withValue(plan) {
                for word in ["full", "busy"] {
                    let error = await #expect(throws: StorageError.self) { try await store.keep(message) }
                    #expect(error.map { "\($0)" }?.contains(word) == true, "\(String(describing: error))")
                }
                try await store.keep(message)
            }
            #expect(try await store.conversations().map(\.title) == ["hello"])
        }
    }
#endif
