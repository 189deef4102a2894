import Foundation
import GRDB

/// Conversations, in an SQLite file. Messages are written while they grow, so that nothing is lost with the program.
public actor ConversationStore {
    public struct Summary: Sendable, Hashable {
        public let id: Int64
        public let started: Date
        /// The first thing said in it.
        public let title: String
        public let messages: Int
    }

    private let queue: DatabaseQueue
    private var conversation: Int64?

    /// Opens `conversations.sqlite` in `folder`, creating both where needed.
    /// - Throws: `PlaygroundError.storage` when the folder or the file cannot be written.
    public init(folder: String) throws {
        let path = (folder as NSString).appendingPathComponent("conversations.sqlite")
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            var configuration = Configuration()
            configuration.busyMode = .timeout(2)
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrations.migrate(queue)
        } catch {
            throw PlaygroundError.storage(operation: "opening", path: path, reason: Self.words(error))
        }
    }

    /// `$XDG_DATA_HOME/fovea`, or what the XDG base directory specification puts in its place.
    public static func standardFolder(environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        let data = environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? ((environment["HOME"] ?? NSHomeDirectory()) as NSString).appendingPathComponent(".local/share")
        return (data as NSString).appendingPathComponent("fovea")
    }

    private static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("conversations and messages") { database in
            try database.create(table: "conversation") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("started", .datetime).notNull()
                table.column("title", .text).notNull()
            }
            try database.create(table: "message") { table in
                table.column("conversation", .integer).notNull().references("conversation", onDelete: .cascade)
                table.column("position", .integer).notNull()
                table.column("author", .text).notNull()
                table.column("text", .text).notNull()
                table.column("audioPath", .text)
                table.column("date", .datetime).notNull()
                table.column("progress", .text).notNull()
                table.primaryKey(["conversation", "position"])
            }
        }
        return migrator
    }

    /// Writes a message of the present conversation, in place of what stood at its position. The first one begins the
    /// conversation.
    public func keep(_ message: StoredMessage) throws {
        do {
            let known = conversation
            conversation = try queue.write { database in
                let id: Int64
                if let known {
                    id = known
                } else {
                    try database.execute(
                        sql: "INSERT INTO conversation (started, title) VALUES (?, ?)", arguments: [message.date, Self.title(of: message)])
                    id = database.lastInsertedRowID
                }
                try database.execute(
                    sql: """
                        INSERT INTO message (conversation, position, author, text, audioPath, date, progress) VALUES (?, ?, ?, ?, ?, ?, ?)
                        ON CONFLICT (conversation, position) DO UPDATE SET text = excluded.text, progress = excluded.progress
                        """,
                    arguments: [id, message.position, message.author, message.text, message.audioPath, message.date, message.progress])
                return id
            }
        } catch {
            throw PlaygroundError.storage(operation: "writing", path: queue.path, reason: Self.words(error))
        }
    }

    /// All conversations, newest first.
    public func conversations() throws -> [Summary] {
        do {
            return try queue.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT id, started, title, (SELECT COUNT(*) FROM message WHERE conversation = conversation.id) AS messages
                        FROM conversation ORDER BY started DESC, id DESC
                        """
                ).map { Summary(id: $0["id"], started: $0["started"], title: $0["title"], messages: $0["messages"]) }
            }
        } catch {
            throw PlaygroundError.storage(operation: "reading", path: queue.path, reason: Self.words(error))
        }
    }

    /// The messages of a conversation, in order.
    public func messages(of id: Int64) throws -> [StoredMessage] {
        do {
            return try queue.read { database in
                try Row.fetchAll(database, sql: "SELECT * FROM message WHERE conversation = ? ORDER BY position", arguments: [id]).map {
                    StoredMessage(
                        position: $0["position"], author: $0["author"], text: $0["text"], audioPath: $0["audioPath"], date: $0["date"], progress: $0["progress"])
                }
            }
        } catch {
            throw PlaygroundError.storage(operation: "reading", path: queue.path, reason: Self.words(error))
        }
    }

    private static func title(of message: StoredMessage) -> String {
        let text = message.audioPath.map { ($0 as NSString).lastPathComponent } ?? message.text
        return String(text.prefix(80))
    }

    private static func words(_ error: any Error) -> String {
        (error as? DatabaseError).map { $0.message ?? "SQLite error \($0.resultCode.rawValue)" } ?? error.localizedDescription
    }
}
