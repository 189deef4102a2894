import Synchronization

/// The ledger of all device memory this process holds: each allocation is added when Vulkan grants it and removed
/// when it is freed, so `total` always equals the bytes allocated from the driver.
package final class MemoryLedger: Sendable {
    /// One live allocation.
    package struct Entry: Sendable, Hashable, Identifiable {
        package let id: UInt64
        package let purpose: MemoryPurpose
        package let label: String
        /// Bytes granted by the driver (its alignment included), not just those asked for.
        package let bytes: Int
    }

    private struct Book {
        var nextID: UInt64 = 1
        var entries: [UInt64: Entry] = [:]
        var total = 0
        var peak = 0
    }

    private let book = Mutex(Book())

    package init() {}

    /// Adds an allocation; returns the id that removes it.
    package func record(purpose: MemoryPurpose, label: String, bytes: Int) -> UInt64 {
        book.withLock { book in
            let id = book.nextID
            book.nextID += 1
            book.entries[id] = Entry(id: id, purpose: purpose, label: label, bytes: bytes)
            book.total += bytes
            book.peak = max(book.peak, book.total)
            return id
        }
    }

    /// Removes a freed allocation.
    package func remove(_ id: UInt64) {
        book.withLock { book in
            guard let entry = book.entries.removeValue(forKey: id) else {
                preconditionFailure("memory ledger: allocation \(id) was freed twice")
            }
            book.total -= entry.bytes
        }
    }

    /// Bytes held now.
    package var total: Int { book.withLock { $0.total } }

    /// The most bytes ever held at once.
    package var peak: Int { book.withLock { $0.peak } }

    /// All live allocations, oldest first.
    package var entries: [Entry] { book.withLock { $0.entries.values.sorted { $0.id < $1.id } } }

    /// Bytes held now, by purpose; purposes without memory are absent.
    package var bytesByPurpose: [MemoryPurpose: Int] {
        book.withLock { book in
            book.entries.values.reduce(into: [:]) { $0[$1.purpose, default: 0] += $1.bytes }
        }
    }
}
