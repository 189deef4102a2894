#if DEBUG
    import Foundation
    import Support
    import TestSupport
    import Testing

    @testable import Playground
    @testable import PlaygroundCore

    /// Stored conversations while writes fail.
    @Suite("Conversations with faults")
    struct StoreFaultTests {
        @Test("a full disk and a locked file are errors, and the next write succeeds")
        func store() async throws {
            let folder = try TemporaryFolder()
            let store = try ConversationStore(folder: folder.url.path)
            let message = StoredMessage(
                position: 0, author: "person", text: "hello", audioPath: nil, date: Scene.date, progress: "finished")
            let plan = try #require(FaultPlan(parsing: "write:1:ENOSPC,write:2:EIO"))
            try await FaultPlan.$current.withValue(plan) {
                for word in ["full", "locked"] {
                    let error = await #expect(throws: StorageError.self) { try await store.keep(message) }
                    #expect(error.map { "\($0)" }?.contains(word) == true, "\(String(describing: error))")
                }
                try await store.keep(message)
            }
            #expect(try await store.conversations().map(\.title) == ["hello"])
        }
    }
#endif
