import AttentionAnalysis
import AttentionTypes
import Terminal

/// The settings of the attention panel and the data it shows.
package struct AttentionState: Sendable {
    package var layer: LayerChoice = .all
    package var head: HeadChoice = .mean
    package var colorMap: ColorMap = .inferno
    package var scale: HeatScale = .linear
    package var pooling: Pooling = .max
    /// Opacity of the heat over the input, in percent.
    package var opacity = 90
    /// Shows all heads of the layer in small instead of one map.
    package var showsHeads = false
    /// Shows the whole window with its padding instead of the sound alone.
    package var showsPadding = false
    /// Masks attention sinks: positions with much of every token's attention.
    package var hidesSinks = false
    /// Subtracts the mean over the answer's tokens.
    package var isRelative = false
    /// The selected token; nil follows the newest.
    package var selected: TokenPlace?
    /// The selected view of the input; nil is the first.
    package var view: InputViewKind?
    /// Index among the pictures of the answer.
    package var picture = 0
    /// Blends the weights of the overview over the patches instead of drawing them apart.
    package var blendsOverview = false
    /// Zoom of the picture: 1, 2, 4 or 8.
    package var zoom = 1
    /// The probed input position, moved by keys or set by a click. Tokens that attend to it are shaded in the chat.
    package var probe: Probe?
    /// The arrow keys move the probe instead of selecting tokens.
    package var movesProbe = false
    /// Each token's attention to the probe.
    var looks: ProbeLooks?
    /// The attention rows of the window's tokens for the selected layer and head.
    var rows = AttentionRows()
    /// An `Event.catchUp` is queued.
    var isCatchingUp = false
    /// The shown token's attention, read from the record.
    var shown: ShownAttention?

    /// Positions with at least this share of the mean attention are sinks.
    static let sinkShare: Float = 0.04
    /// And at least this many times the uniform weight.
    static let sinkTimesEven: Float = 2.5
    static let zooms = [1, 2, 4, 8]
}

/// The views of an input.
package enum InputViewKind: String, Sendable, Hashable, CaseIterable {
    /// The spectrogram with heat over it.
    case sound
    /// The picture with heat over it.
    case picture
    /// The source words, shaded.
    case words
    /// Matrix of source words and generated tokens.
    case matrix
}

/// The attention of one token, read from the record.
struct ShownAttention: Sendable {
    var record: Int
    var kind: AttentionKind
    /// nil if the record dropped it or holds none of that kind.
    var captured: CapturedAttention?
}
