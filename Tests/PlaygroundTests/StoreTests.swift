import Foundation
import Testing

@testable import Playground

@Suite("Conversations on disk")
struct StoreTests {
    private func folder() -> String { FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString)").path }

    private func message(_ position: Int, _ author: String, _ text: String, progress: String = "finished", audio: String? = nil) -> StoredMessage {
        StoredMessage(position: position, author: author, text: text, audioPath: audio, date: Scene.date, progress: progress)
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

    @Test("a folder that cannot be made is an error that says where") func unwritable() async {
        #expect(throws: PlaygroundError.self) { try ConversationStore(folder: "/dev/null/fovea") }
        do { _ = try ConversationStore(folder: "/dev/null/fovea") } catch { #expect("\(error)".contains("/dev/null/fovea")) }
    }

    @Test("the folder follows the XDG specification") func place() {
        #expect(ConversationStore.standardFolder(environment: ["XDG_DATA_HOME": "/data", "HOME": "/h"]) == "/data/fovea")
        #expect(ConversationStore.standardFolder(environment: ["XDG_DATA_HOME": "relative", "HOME": "/h"]) == "/h/.local/share/fovea")
        #expect(ConversationStore.standardFolder(environment: ["HOME": "/h"]) == "/h/.local/share/fovea")
    }
}
