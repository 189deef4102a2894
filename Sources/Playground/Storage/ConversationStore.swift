import Foundation
import GRDB
import PlaygroundCore
import Support

/// Conversations in an SQLite file. Messages are saved while they grow, so that a crash loses little.
package actor ConversationStore {
    private let queue: DatabaseQueue
    /// The current conversation; nil starts one with the first message.
    package private(set) var conversation: Int64?

    /// Opens `conversations.sqlite` in `folder`, creating both where needed.
    /// - Throws: `StorageError.storage` when the folder or the file cannot be written.
    package init(folder: String) throws {
        let path = (folder as NSString).appendingPathComponent("conversations.sqlite")
        do {
            // Conversations are private: 0600 in 0700, whatever the umask. SQLite gives its journal the file's permissions.
            let files = FileManager.default
            try files.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
            if !files.fileExists(atPath: path) {
                _ = files.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            var configuration = Configuration()
            configuration.busyMode = .timeout(2)
            configuration.foreignKeysEnabled = true
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrations.migrate(queue)
        } catch {
            throw StorageError.failed(operation: "opening", path: path, reason: Self.words(error))
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

    /// Writes a message of the current conversation, replacing the one at its position. The first message starts the
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

    /// Deletes the messages of the current conversation from `position` on.
    package func truncate(to position: Int) throws {
        guard let conversation else { return }
        try write("writing") {
            try $0.execute(
                sql: "DELETE FROM message WHERE conversation = ? AND position >= ?",
                arguments: [conversation, position])
        }
    }

    /// Starts a new conversation with the next message.
    package func begin() { conversation = nil }

    /// Continues a saved conversation.
    /// - Returns: its messages, in order.
    package func resume(_ id: Int64) throws -> [StoredMessage] {
        let messages = try messages(of: id)
        conversation = id
        return messages
    }

    /// - Parameter id: nil is the current one.
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
    /// - Parameter words: only those whose title or messages contain this, ignoring the case of ASCII letters.
    package func conversations(containing words: String = "") throws -> [ConversationSummary] {
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
            ).compactMap { row in
                guard let id: Int64 = row.value("id") else { return nil }
                return ConversationSummary(
                    id: id, started: row.value("started") ?? .distantPast, title: row.value("title") ?? Self.damaged,
                    messages: row.value("messages") ?? 0)
            }
        }
    }

    /// The messages of a conversation, in order.
    package func messages(of id: Int64) throws -> [StoredMessage] {
        try read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM message WHERE conversation = ? ORDER BY position", arguments: [id]
            ).map { row in
                let pictures: String? = row.value("pictures")
                return StoredMessage(
                    position: row.value("position") ?? 0, author: row.value("author") ?? "fovea",
                    text: row.value("text") ?? Self.damaged, audioPath: row.value("audioPath"),
                    pictures: pictures.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) } ?? [],
                    date: row.value("date") ?? .distantPast, progress: row.value("progress") ?? "failed")
            }
        }
    }

    private func write<Result: Sendable>(_ operation: String, _ body: @Sendable (Database) throws -> Result) throws
        -> Result
    {
        do {
            #if DEBUG
                switch FaultPlan.current.next(.write) {
                case .error(ENOSPC): throw DatabaseError(resultCode: .SQLITE_FULL)
                case .error, .short: throw DatabaseError(resultCode: .SQLITE_BUSY)
                case nil: break
                }
            #endif
            return try queue.write(body)
        } catch {
            throw StorageError.failed(operation: operation, path: queue.path, reason: Self.words(error))
        }
    }

    private func read<Result: Sendable>(_ body: @Sendable (Database) throws -> Result) throws -> Result {
        do { return try queue.read(body) } catch {
            throw StorageError.failed(operation: "reading", path: queue.path, reason: Self.words(error))
        }
    }

    /// Stands for a value of another type than its column's.
    private static let damaged = "(damaged)"

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

extension Row {
    /// The value of a column, or `nil` if it is missing or of another type. The plain subscript traps on such values.
    fileprivate func value<Value: DatabaseValueConvertible>(_ column: String) -> Value? {
        Value.fromDatabaseValue(self[column] ?? DatabaseValue.null)
    }
}
