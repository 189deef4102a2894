import Foundation
import GRDB
import Testing

@testable import Playground
@testable import PlaygroundCore

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
        #expect(throws: StorageError.self) { try ConversationStore(folder: "/dev/null/fovea") }
        do { _ = try ConversationStore(folder: "/dev/null/fovea") } catch {
            #expect("\(error)".contains("/dev/null/fovea"))
        }
    }

    @Test("conversations are readable by their owner only") func permissions() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let store = try ConversationStore(folder: folder)
        try await store.keep(message(0, "person", "hello"))
        for (path, expected) in [(folder, 0o700), (folder + "/conversations.sqlite", 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == expected, "\(path)")
        }
    }

    @Test("values of another type are shown as damaged, the rest is kept") func damaged() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try ConversationStore(folder: folder)
        try await store.keep(message(0, "person", "hello"))
        try await store.keep(message(1, "llava", "there"))
        try await DatabaseQueue(path: folder + "/conversations.sqlite").write { database in
            try database.execute(sql: "UPDATE conversation SET started = x'00', title = x'FF00'")
            try database.execute(
                sql:
                    "UPDATE message SET date = 'never', text = x'FF', progress = x'00', pictures = 7 WHERE position = 1"
            )
        }
        let found = try await store.conversations()
        #expect(found.count == 1 && found[0].messages == 2)
        let messages = try await store.messages(of: found[0].id)
        #expect(messages.count == 2 && messages[0].text == "hello" && messages[1].author == "llava")
    }

    @Test("what could not be saved is saved later", .timeLimit(.minutes(2))) func retried() async throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // A file where the folder is to be.
        #expect(FileManager.default.createFile(atPath: folder, contents: nil))
        let queue = EventQueue(), task = StoreTask(folder: folder, queue: queue)
        task.put(.keep(message(0, "person", "hello")))
        guard case .storageFailed(_, loses: true)? = await queue.take().first else {
            Issue.record("no failure was reported")
            return
        }
        try FileManager.default.removeItem(atPath: folder)
        task.put(.keep(message(1, "llava", "there")))
        await task.finish()
        guard case .storageRestored? = await queue.take().first else {
            Issue.record("no recovery was reported")
            return
        }
        let store = try ConversationStore(folder: folder)
        let all = try await store.conversations()
        #expect(all.map(\.messages) == [2])
    }
}
