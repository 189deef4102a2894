import Foundation
import GRDB
import JSON
import Models
import Planning
import PlaygroundCore
import Terminal

@testable import Playground

/// Readers of model configurations and of the program's own files.
extension FuzzParser {
    static var program: [FuzzParser] {
        [configuration, session, conversationRows, conversationFile] + stores
    }

    /// A configuration without weights: the declaration of the model, and the plan of its memory.
    private static var configuration: FuzzParser {
        let folder = ScratchFolder()
        let processor = #"{"image_processor_type":"CLIPImageProcessor","size":{"shortest_edge":336},"crop_size":336}"#
        _ = try? folder.write(Array(processor.utf8), to: "preprocessor_config.json")
        return FuzzParser(name: "configuration", form: .json, otherSeeds: ["assets/configs"]) { input in
            let files = try ModelFiles(configuration: folder.write(input, to: "config.json"))
            // Where a model does not fit, many others are planned, which takes long.
            let target = PlanTarget(name: "device", memory: 1 << 44, isUnified: false)
            let planner = Planner(files, on: target)
            _ = try planner.plan(PlanRequest(model: "m"))
            // Only some models read pictures.
            _ = try? planner.plan(PlanRequest(model: "m", pictures: [PictureSize(width: 640, height: 480)]))
        }
    }

    private static var session: FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: "session", form: .framed(LineFraming())) { input in
            let session = try RecordedSession(path: folder.write(input, to: "recorded.fovea"))
            // The screen shows what the file holds.
            var state = State(
                size: Size(100, 30), theme: Theme(ScreenCapabilities(depth: .direct, unicode: true)))
            for step in session.steps.prefix(64) { _ = update(&state, .played(step.event), now: .distantPast) }
            precondition(render(state).size == state.size)
        }
    }

    /// Rows of the tables of conversations, one JSON list a line: the table and a value for each column.
    private static var conversationRows: FuzzParser {
        let folder = ScratchFolder()
        let store = try? ConversationStore(folder: folder.path)
        var settings = Configuration()
        settings.foreignKeysEnabled = false
        settings.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = OFF") }
        let queue = try? DatabaseQueue(path: folder.path + "/conversations.sqlite", configuration: settings)
        return FuzzParser(name: "conversation-rows", form: .framed(LineFraming())) { input in
            guard let store, let queue else { return }
            try queue.write { database in
                try database.execute(sql: "DELETE FROM message; DELETE FROM conversation")
                for line in input.split(separator: 0x0A).prefix(16) {
                    guard let value = try? JSONParser.parse(Array(line)).arrayValue,
                        let table = value.first?.stringValue
                    else { continue }
                    let columns =
                        table == "message"
                        ? "conversation, position, author, text, audioPath, pictures, date, progress"
                        : "id, started, title"
                    let count = table == "message" ? 8 : 3
                    let row = value.dropFirst().prefix(count).map(\.databaseValue)
                    let missing = Array(repeating: DatabaseValue.null, count: count - row.count)
                    try? database.execute(
                        sql: "INSERT INTO \(table == "message" ? "message" : "conversation") (\(columns)) "
                            + "VALUES (\(Array(repeating: "?", count: count).joined(separator: ", ")))",
                        arguments: StatementArguments(row + missing))
                }
            }
            try withExtendedLifetime(folder) { try waiting { try await read(store) } }
        }
    }

    /// The bytes of a database.
    private static var conversationFile: FuzzParser {
        FuzzParser(name: "conversation-file") { input in
            // Journals of another file must not be found beside it.
            let folder = ScratchFolder()
            _ = try folder.write(input, to: "conversations.sqlite")
            let store = try ConversationStore(folder: folder.path)
            try withExtendedLifetime(folder) { try waiting { try await read(store) } }
        }
    }

    private static func read(_ store: ConversationStore) async throws {
        for conversation in try await store.conversations().prefix(16) {
            _ = try await store.resume(conversation.id)
            _ = try await store.conversations(containing: conversation.title)
            try await store.keep(
                StoredMessage(position: 99, author: "you", text: "x", date: .distantPast, progress: "finished"))
            try await store.truncate(to: 1)
            try await store.rename(nil, to: conversation.title)
        }
    }

    /// Runs `body` to its end.
    private static func waiting(_ body: @escaping @Sendable () async throws -> Void) throws {
        let done = DispatchSemaphore(value: 0)
        let outcome = Outcome()
        Task.detached {
            do { try await body() } catch { outcome.error = error }
            done.signal()
        }
        done.wait()
        if let error = outcome.error { throw error }
    }

    /// The error of a task; the semaphore orders its use.
    private final class Outcome: @unchecked Sendable {
        var error: (any Error)?
    }
}

extension JSONValue {
    /// The value of SQLite that is nearest to this; lists are blobs.
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null, .object: .null
        case .bool(let flag): flag.databaseValue
        case .integer(let number): number.databaseValue
        case .number(let number): number.databaseValue
        case .string(let text): text.databaseValue
        case .array(let bytes): Data(bytes.map { UInt8(truncatingIfNeeded: $0.intValue ?? 0) }).databaseValue
        }
    }
}
