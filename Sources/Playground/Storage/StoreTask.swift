import PlaygroundCore

/// Runs store requests in order and puts the results into the queue.
struct StoreTask: Sendable {
    private let requests: AsyncStream<StoreRequest>.Continuation
    private let task: Task<Void, Never>

    /// - Parameter folder: folder of the conversations; nil saves none.
    init(folder: String?, queue: EventQueue) {
        let (stream, continuation) = AsyncStream<StoreRequest>.makeStream()
        requests = continuation
        task = Task.detached {
            guard let folder else {
                for await request in stream where request.wantsAnswer {
                    queue.put(.storageFailed("conversations are not saved in this session", loses: false))
                }
                return
            }
            let worker = StoreWorker(folder: folder, queue: queue)
            for await request in stream { await worker.run(request) }
            await worker.save()
        }
    }

    func put(_ request: StoreRequest) { requests.yield(request) }

    /// Waits until all requests are done.
    func finish() async {
        requests.finish()
        await task.value
    }
}

/// The store with the changes that could not be saved yet. They are tried again with every request, so that a full disk
/// or a locked file loses nothing once it is over.
private actor StoreWorker {
    private let folder: String
    private let queue: EventQueue
    private var opened: ConversationStore?
    private var unsaved: [StoreRequest] = []
    private var failure: (any Error)?

    init(folder: String, queue: EventQueue) {
        self.folder = folder
        self.queue = queue
    }

    func run(_ request: StoreRequest) async {
        if !request.wantsAnswer {
            // A growing message is saved again and again; only its newest form matters.
            if case .keep(let message) = request, case .keep(let last)? = unsaved.last,
                last.position == message.position
            {
                unsaved.removeLast()
            }
            unsaved.append(request)
        }
        await save()
        guard request.wantsAnswer else { return }
        do {
            // Another conversation must not get the changes of this one.
            if let failure, !unsaved.isEmpty { throw failure }
            if let event = try await carryOut(request, try store()) { queue.put(event) }
        } catch {
            queue.put(.storageFailed("\(error)", loses: false))
        }
    }

    /// Saves what is not saved yet. The first failure and the first success after it are reported.
    func save() async {
        do {
            while let next = unsaved.first {
                _ = try await carryOut(next, try store())
                unsaved.removeFirst()
            }
            if failure != nil { queue.put(.storageRestored) }
            failure = nil
        } catch {
            if failure == nil { queue.put(.storageFailed("\(error)", loses: true)) }
            failure = error
        }
    }

    private func store() throws -> ConversationStore {
        if let opened { return opened }
        let store = try ConversationStore(folder: folder)
        opened = store
        return store
    }

    private func carryOut(_ request: StoreRequest, _ store: ConversationStore) async throws -> Event? {
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
