import Foundation
import Testing

@testable import Playground

@Suite("Conversations on disk")
struct StoreTests {
    private func folder() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString)").path
    }

    private func message(
        _ position: Int, _ author: String, _ text: String, progress: String = "finished", audio: String? = nil
    ) -> StoredMessage {
        StoredMessage(
            position: position, author: author, text: text, audioPath: audio, date: Scene.date, progress: progress)
    }

    @Test("messages are kept while they grow and come back in order") func keeps() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try ConversationStore(folder: folder)
        try await store.keep(message(0, "person", "", audio: "/x/jfk.wav"))
        try await store.keep(message(1, "whisper-base", "And so", progress: "streaming"))
        try await store.keep(message(1, "whisper-base", "And so, my fellow Americans", progress: "finished"))

        let second = try ConversationStore(folder: folder)
        try await second.keep(message(0, "person", "hello"))
        let all = try await second.conversations()
        #expect(all.map(\.title) == ["hello", "jfk.wav"])
        #expect(all.map(\.messages) == [1, 2])
        let kept = try await second.messages(of: all[1].id)
        #expect(kept.map(\.text) == ["", "And so, my fellow Americans"])
        #expect(kept[1].progress == "finished" && kept[0].audioPath == "/x/jfk.wav")
    }

    @Test("several conversations: found by their words, renamed, resumed, cut short, deleted") func several()
        async throws
    {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try ConversationStore(folder: folder)
        try await store.keep(
            StoredMessage(
                position: 0, author: "person", text: "what is here?", pictures: ["/x/a b\".png", "~/c.jpg"],
                date: Scene.date, progress: "finished"))
        try await store.keep(message(1, "llava", "A 100% red house", progress: "finished"))
        await store.begin()
        try await store.keep(message(0, "person", "translate_this"))
        #expect(try await store.conversations(containing: "RED").map(\.title) == ["what is here?"])
        // The signs that LIKE knows stand for themselves.
        #expect(try await store.conversations(containing: "0% r").count == 1)
        #expect(try await store.conversations(containing: "e_t").count == 1)
        #expect(try await store.conversations(containing: "%").count == 1)
        #expect(try await store.conversations().count == 2)
        try await store.rename(nil, to: "German")
        let all = try await store.conversations()
        #expect(all.map(\.title) == ["German", "what is here?"])
        let resumed = try await store.resume(all[1].id)
        #expect(
            resumed.map(\.text) == ["what is here?", "A 100% red house"]
                && resumed[0].pictures == ["/x/a b\".png", "~/c.jpg"])
        try await store.truncate(to: 1)
        try await store.keep(message(1, "llava", "A house", progress: "finished"))
        #expect(try await store.messages(of: all[1].id).map(\.text) == ["what is here?", "A house"])
        try await store.delete(all[1].id)
        #expect(try await store.conversations().map(\.title) == ["German"])
        #expect(try await store.messages(of: all[1].id).isEmpty)
        // What is said after the present one is gone begins another.
        try await store.keep(message(0, "person", "new"))
        #expect(try await store.conversations().count == 2)
    }

    @Test("a folder that cannot be made is an error that says where") func unwritable() async {
        #expect(throws: PlaygroundError.self) { try ConversationStore(folder: "/dev/null/fovea") }
        do { _ = try ConversationStore(folder: "/dev/null/fovea") } catch {
            #expect("\(error)".contains("/dev/null/fovea"))
        }
    }
}
