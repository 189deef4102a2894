import Foundation

/// What is done to kept conversations, one after the other.
package enum StoreRequest: Sendable, Hashable {
    case keep(StoredMessage)
    /// Forget the present conversation's messages from this position on.
    case truncate(to: Int)
    case list(containing: String)
    case open(Int64)
    case begin
    case rename(Int64?, String)
    case delete(Int64)
}

/// Carries out requests in their order and puts answers into the queue.
struct StoreTask: Sendable {
    private let requests: AsyncStream<StoreRequest>.Continuation
    private let task: Task<Void, Never>

    /// - Parameter folder: where conversations are kept; nil keeps none.
    init(folder: String?, queue: EventQueue) {
        let (stream, continuation) = AsyncStream<StoreRequest>.makeStream()
        requests = continuation
        task = Task.detached {
            guard let folder else {
                for await request in stream where request.wantsAnswer {
                    queue.put(.storageFailed("nothing is kept in this session", loses: false))
                }
                return
            }
            do {
                let store = try ConversationStore(folder: folder)
                for await request in stream {
                    do {
                        if let event = try await Self.carryOut(request, store) { queue.put(event) }
                    } catch  where request.wantsAnswer {
                        queue.put(.storageFailed("\(error)", loses: false))
                    }
                }
            } catch {
                // The app goes on without; said once.
                queue.put(.storageFailed("\(error)", loses: true))
                for await request in stream where request.wantsAnswer {
                    queue.put(.storageFailed("\(error)", loses: false))
                }
            }
        }
    }

    func put(_ request: StoreRequest) { requests.yield(request) }

    /// Waits until all that was asked is written.
    func finish() async {
        requests.finish()
        await task.value
    }

    private static func carryOut(_ request: StoreRequest, _ store: ConversationStore) async throws -> Event? {
        switch request {
        case .keep(let message): try await store.keep(message)
        case .truncate(let position): try await store.truncate(to: position)
        case .list(let words): return .conversations(try await store.conversations(containing: words))
        case .open(let id): return .conversationOpened(try await store.resume(id))
        case .begin: await store.begin()
        case .rename(let id, let title): try await store.rename(id, to: title)
        case .delete(let id):
            try await store.delete(id)
            return .conversations(try await store.conversations())
        }
        return nil
    }
}

extension StoreRequest {
    /// Somebody waits for what comes of it.
    var wantsAnswer: Bool {
        switch self {
        case .list, .open, .delete, .rename: true
        case .keep, .truncate, .begin: false
        }
    }
}
