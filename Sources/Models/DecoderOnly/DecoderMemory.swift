import Compute
import Transformer

/// What some layers of a decoder attend to beside the tokens (pictures): keys and values that stay from pass to pass, and
/// what of them each position sees.
package protocol DecoderMemory: DeviceResource {
    var cache: KeyValueCache { get }
    /// Changes when what recorded steps read has moved or has another size.
    var revision: Int { get }
    /// Hears the tokens that are about to run from position `start` on; what came there before is forgotten. The device is
    /// idle.
    func place(_ tokens: [Int], at start: Int) throws
    /// Forgets all it holds; its memory stays.
    func forget()
    /// What the positions of a pass see, its rows counted from 0; nil while there is nothing: layers that attend to it are
    /// then left out.
    func view(of positions: Range<Int>) -> DecoderMemoryView?
    /// What every position from now on sees.
    var stepView: DecoderMemoryView? { get }
}

/// What a pass sees of a decoder's memory.
package struct DecoderMemoryView {
    package let cache: KeyValueCache
    /// Positions of the memory in the cache.
    package let count: Int
    /// Runs of the pass's rows that see the same; of a step, one.
    package let masks: [MaskRun]
    /// Rows that have something to see. The others attend to everything, and their feed-forward adds nothing.
    package let seeing: [Range<Int>]
}
