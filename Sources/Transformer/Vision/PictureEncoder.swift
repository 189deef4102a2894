import Compute

/// A tower that turns one picture into features that a decoder attends to.
package protocol PictureEncoder: AnyObject {
    var imageHeight: Int { get }
    var imageWidth: Int { get }
    /// Layers with attention.
    var layerCount: Int { get }
    /// Columns of the features.
    var outputSize: Int { get }
    /// Rows of the features: leading tokens, then one for each square of the picture, row after row.
    var tokens: Int { get }
    var leadingTokens: Int { get }
    /// Squares in a row of the picture.
    var gridColumns: Int { get }
    /// Edge of the square that one token stands for, in pixels.
    var tokenPixels: Int { get }
    /// Memory besides weights and workspace.
    var resources: [any DeviceResource] { get }
    /// Runs the tower over one picture.
    /// - Parameters:
    ///   - pixels: `[3, imageHeight, imageWidth]`, normalized.
    ///   - observe: receives hidden states while the run is being issued.
    /// - Returns: `[tokens, outputSize]`; it is overwritten by the next run.
    func encode(
        _ pixels: ArraySlice<Float>, tap: AttentionTap, observe: HiddenStateObserver?, on stream: CommandStream
    ) throws -> Tensor
}
