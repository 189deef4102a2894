import Foundation
import GRDB

/// Conversations, in an SQLite file. Messages are written while they grow, so that nothing is lost with the program.
package actor ConversationStore {
    package struct Summary: Sendable, Hashable {
        package let id: Int64
        package let started: Date
        /// What a person called it, else the first thing said in it.
        package let title: String
        package let messages: Int

        package init(id: Int64, started: Date, title: String, messages: Int) {
            self.id = id
            self.started = started
            self.title = title
            self.messages = messages
        }
    }

    private let queue: DatabaseQueue
    /// The one messages are written to; nil begins one with the first message.
    package private(set) var conversation: Int64?

    /// Opens `conversations.sqlite` in `folder`, creating both where needed.
    /// - Throws: `PlaygroundError.storage` when the folder or the file cannot be written.
    package init(folder: String) throws {
        let path = (folder as NSString).appendingPathComponent("conversations.sqlite")
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            var configuration = Configuration()
            configuration.busyMode = .timeout(2)
            configuration.foreignKeysEnabled = true
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrations.migrate(queue)
        } catch {
            throw PlaygroundError.storage(operation: "opening", path: path, reason: Self.words(error))
        }
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
        migrator.registerMigration("pictures of messages") { database in
            // A JSON list of paths; they may hold any character but a zero.
            try database.alter(table: "message") { $0.add(column: "pictures", .text) }
        }
        return migrator
    }

    // MARK: Writing

    /// Writes a message of the present conversation, in place of what stood at its position. The first one begins the
    /// conversation.
    package func keep(_ message: StoredMessage) throws {
        let known = conversation
        let pictures =
            message.pictures.isEmpty
            ? nil : (try? JSONEncoder().encode(message.pictures)).flatMap { String(data: $0, encoding: .utf8) }
        conversation = try write("writing") { database in
            let id: Int64
            if let known {
                id = known
            } else {
                try database.execute(
                    sql: "INSERT INTO conversation (started, title) VALUES (?, ?)",
                    arguments: [message.date, Self.title(of: message)])
                id = database.lastInsertedRowID
            }
            try database.execute(
                sql: """
                    INSERT INTO message (conversation, position, author, text, audioPath, pictures, date, progress) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (conversation, position) DO UPDATE SET author = excluded.author, text = excluded.text,
                        audioPath = excluded.audioPath, pictures = excluded.pictures, progress = excluded.progress
                    """,
                arguments: [
                    id, message.position, message.author, message.text, message.audioPath, pictures, message.date,
                    message.progress,
                ])
            return id
        }
    }

    /// Forgets the messages of the present conversation from `position` on.
    package func truncate(to position: Int) throws {
        guard let conversation else { return }
        try write("writing") {
            try $0.execute(
                sql: "DELETE FROM message WHERE conversation = ? AND position >= ?",
                arguments: [conversation, position])
        }
    }

    /// Later messages go to a new conversation.
    package func begin() { conversation = nil }

    /// Later messages go to this one.
    /// - Returns: its messages, in order.
    package func resume(_ id: Int64) throws -> [StoredMessage] {
        let messages = try messages(of: id)
        conversation = id
        return messages
    }

    /// - Parameter id: nil is the present one.
    package func rename(_ id: Int64?, to title: String) throws {
        guard let id = id ?? conversation else { return }
        try write("writing") {
            try $0.execute(
                sql: "UPDATE conversation SET title = ? WHERE id = ?", arguments: [String(title.prefix(80)), id])
        }
    }

    package func delete(_ id: Int64) throws {
        try write("deleting from") { try $0.execute(sql: "DELETE FROM conversation WHERE id = ?", arguments: [id]) }
        if conversation == id { conversation = nil }
    }

    // MARK: Reading

    /// Conversations, newest first.
    /// - Parameter words: only those whose title or messages contain this, whatever its case (of ASCII letters).
    package func conversations(containing words: String = "") throws -> [Summary] {
        let pattern =
            "%" + words.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_") + "%"
        return try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, started, title, (SELECT COUNT(*) FROM message WHERE conversation = conversation.id) AS messages
                    FROM conversation
                    WHERE title LIKE ? ESCAPE '\\' OR EXISTS (SELECT 1 FROM message WHERE conversation = conversation.id AND text LIKE ? ESCAPE '\\')
                    ORDER BY started DESC, id DESC
                    """, arguments: [pattern, pattern]
            ).map { Summary(id: $0["id"], started: $0["started"], title: $0["title"], messages: $0["messages"]) }
        }
    }

    /// The messages of a conversation, in order.
    package func messages(of id: Int64) throws -> [StoredMessage] {
        try read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM message WHERE conversation = ? ORDER BY position", arguments: [id]
            ).map { row in
                let pictures: String? = row["pictures"]
                return StoredMessage(
                    position: row["position"], author: row["author"], text: row["text"], audioPath: row["audioPath"],
                    pictures: pictures.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) } ?? [],
                    date: row["date"],
                    progress: row["progress"])
            }
        }
    }

    private func write<Result: Sendable>(_ operation: String, _ body: @Sendable (Database) throws -> Result) throws
        -> Result
    {
        do { return try queue.write(body) } catch {
            throw PlaygroundError.storage(operation: operation, path: queue.path, reason: Self.words(error))
        }
    }

    private func read<Result: Sendable>(_ body: @Sendable (Database) throws -> Result) throws -> Result {
        do { return try queue.read(body) } catch {
            throw PlaygroundError.storage(operation: "reading", path: queue.path, reason: Self.words(error))
        }
    }

    private static func title(of message: StoredMessage) -> String {
        let text =
            message.audioPath.map { ($0 as NSString).lastPathComponent }
            ?? (message.text.isEmpty
                ? message.pictures.first.map { ($0 as NSString).lastPathComponent } ?? "" : message.text)
        return String(text.prefix(80))
    }

    private static func words(_ error: any Error) -> String {
        (error as? DatabaseError).map { $0.message ?? "SQLite error \($0.resultCode.rawValue)" }
            ?? error.localizedDescription
    }
}
