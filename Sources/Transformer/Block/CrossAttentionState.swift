import Compute

/// Source of a decoder's cross-attention: keys and values of an encoded text, sound or pictures, and rules for which of
/// them each position sees.
package final class CrossAttentionState: DeviceResource {
    package let cache: KeyValueCache
    /// Keys in the cache.
    package private(set) var count = 0
    /// Changes when what recorded steps read has moved, has another size, or is masked otherwise.
    package private(set) var revision = 0
    private var mask: Tensor?
    /// Memory in which keys and values are computed before they are converted to the cache's format.
    private let conversion = Workspace(name: "conversion of keys and values")
    private lazy var stagingRows = conversion.reserve(
        "keys and values", rows: cache.capacity > 0 ? min(cache.capacity, Self.rowsAtOnce) : Self.rowsAtOnce,
        columns: cache.largestRow, phase: "conversion")
    private let visibility: (any SourceVisibility)?

    /// - Parameters:
    ///   - widths: key/value heads × head dimension of each cross-attention layer.
    ///   - capacity: keys that memory is planned for.
    ///   - visibility: rules for the keys that each position sees; all see the same without it.
    init(widths: [Int: Int], capacity: Int, visibility: (any SourceVisibility)?) {
        cache = KeyValueCache(purpose: .crossKV, widths: widths, capacity: capacity)
        self.visibility = visibility
    }

    package var isEmpty: Bool { count == 0 }

    /// Rows of a source whose keys and values are converted at once.
    private static let rowsAtOnce = 256

    /// Memory for keys and values before their conversion; nil where the cache takes them as they are computed.
    var staging: Slot? { cache.format == .f32 ? nil : stagingRows }

    // MARK: Memory

    package var plannedBuffers: [PlannedBuffer] {
        [cache.plannedBuffer] + (staging == nil ? [] : [conversion.plannedBuffer]) + (visibility?.plannedBuffers ?? [])
    }

    package func allocate(on device: Device) throws {
        try cache.allocate(on: device)
        if staging != nil { try conversion.allocate(on: device) }
        try visibility?.allocate(on: device)
    }

    package func release() {
        removeAll()
        cache.release()
        conversion.release()
        visibility?.release()
    }

    // MARK: Source

    /// Declares what the cache holds.
    /// - Parameter mask: `[1, keys]`, added to the scores of every position; it must stay as it is.
    func set(count: Int, mask: Tensor? = nil) {
        // Recorded steps attend to a source of one length, with or without a mask.
        if self.count != count || (self.mask == nil) != (mask == nil) { revision += 1 }
        self.count = count
        self.mask = mask
    }

    /// Drops the keys from `count` on; the memory stays.
    package func keep(_ count: Int) {
        self.count = min(self.count, count)
        revision += 1
    }

    package func removeAll() {
        count = 0
        mask = nil
        revision += 1
        visibility?.removeAll()
    }

    /// Makes room for `keys` more.
    func reserve(_ keys: Int, on stream: CommandStream) throws {
        guard count + keys > cache.capacity else { return }
        try cache.grow(to: count + keys, keeping: count, on: stream)
        revision += 1
    }

    /// Tells the visibility which tokens are about to run at positions from `start`. The device is idle.
    func prepare(_ tokens: [Int], at start: Int) throws {
        if try visibility?.prepare(tokens, at: start) == true { revision += 1 }
    }

    // MARK: Views

    /// The source as a pass over `positions` sees it; nil while there is none.
    func view(of positions: Range<Int>) -> CrossAttentionView? {
        guard !isEmpty else { return nil }
        let all = 0..<positions.count
        let (runs, attending) =
            visibility?.runs(of: positions) ?? ([MaskRun(queries: all, mask: mask)], [all])
        return CrossAttentionView(cache: cache, count: count, runs: runs, attendingRows: attending)
    }

    /// The source as every decode step from now on sees it.
    var stepView: CrossAttentionView? {
        guard !isEmpty else { return nil }
        let rows = 0..<DecodeStepper.maximumRows
        let (mask, isAttending) = visibility?.step ?? (mask, true)
        return CrossAttentionView(
            cache: cache, count: count, runs: [MaskRun(queries: rows, mask: mask)],
            attendingRows: isAttending ? [rows] : [])
    }
}

/// Rules for which keys of a source each position sees, where not all see the same.
package protocol SourceVisibility: DeviceResource {
    /// Takes note of the tokens that run next, at positions from `start`; earlier notes from there on are void.
    /// - Returns: true where masks have changed.
    func prepare(_ tokens: [Int], at start: Int) throws -> Bool
    /// Runs of the rows of a pass over `positions`, and the rows that see something. The others attend to everything, and
    /// blocks of cross-attention alone skip their feed-forward.
    func runs(of positions: Range<Int>) -> (masks: [MaskRun], attending: [Range<Int>])
    /// The mask of every decode step from now on, and whether steps see something.
    var step: (mask: Tensor?, isAttending: Bool) { get }
    func removeAll()
}

/// The source of one pass.
package struct CrossAttentionView {
    let cache: KeyValueCache
    /// Keys in the cache.
    let count: Int
    /// Runs of the pass's rows that see the same keys; of a step, one.
    let runs: [MaskRun]
    /// Rows that see something; see `SourceVisibility.runs`.
    let attendingRows: [Range<Int>]

    package init(cache: KeyValueCache, count: Int, runs: [MaskRun], attendingRows: [Range<Int>]) {
        self.cache = cache
        self.count = count
        self.runs = runs
        self.attendingRows = attendingRows
    }
}
