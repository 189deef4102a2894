/// A request to the conversation store. Requests run in order.
package enum StoreRequest: Sendable, Hashable {
    case keep(StoredMessage)
    /// Deletes the current conversation's messages from this position on.
    case truncate(to: Int)
    case list(containing: String)
    case open(Int64)
    case begin
    case rename(Int64?, String)
    case delete(Int64)
}

extension StoreRequest {
    /// True if the user waits for the result.
    package var wantsAnswer: Bool {
        switch self {
        case .list, .open, .delete, .rename: true
        case .keep, .truncate, .begin: false
        }
    }
}
