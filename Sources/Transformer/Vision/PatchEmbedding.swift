import Compute

/// Grid of square patches of a picture or tile, row by row from the upper left. Pixels beyond the last whole patch
/// are not seen, as with the convolution this stands for.
package struct PatchGrid: Sendable, Hashable {
    package var imageHeight: Int
    package var imageWidth: Int
    /// Edge of a patch in pixels.
    package var patchSize: Int

    package init(imageHeight: Int, imageWidth: Int, patchSize: Int) {
        self.imageHeight = imageHeight
        self.imageWidth = imageWidth
        self.patchSize = patchSize
    }

    package var rows: Int { imageHeight / patchSize }
    package var columns: Int { imageWidth / patchSize }
    /// Patches of one picture or tile.
    package var count: Int { rows * columns }
    /// Values of one patch: three channels.
    package var patchValues: Int { 3 * patchSize * patchSize }
    /// Values of one picture or tile, `[3, imageHeight, imageWidth]`.
    package var pixelValues: Int { 3 * imageHeight * imageWidth }

    /// Brings pixels `[3, imageHeight, imageWidth]` into patch rows `[rows · columns, 3 · patchSize²]`, in which a
    /// convolution whose stride is its width is a matrix product.
    package func arrange(_ pixels: ArraySlice<Float>) -> [Float] {
        precondition(
            pixels.count == pixelValues, "\(pixels.count) values are no picture of \(imageHeight)×\(imageWidth)")
        return pixels.withUnsafeBufferPointer { pixels in
            [Float](unsafeUninitializedCapacity: count * patchValues) { result, written in
                var next = 0
                for row in 0..<rows {
                    for column in 0..<columns {
                        for channel in 0..<3 {
                            var source = (channel * imageHeight + row * patchSize) * imageWidth + column * patchSize
                            for _ in 0..<patchSize {
                                for offset in 0..<patchSize { result[next + offset] = pixels[source + offset] }
                                next += patchSize
                                source += imageWidth
                            }
                        }
                    }
                }
                written = next
            }
        }
    }
}

/// The patch embedding of vision transformers (Dosovitskiy et al. 2021): a convolution of stride = width, as the matrix
/// `[hiddenSize, 3 · patchSize²]` over patch rows.
package struct PatchEmbedding {
    package let weight: Parameter
    package let bias: Parameter?

    /// - Parameter scope: the place of `weight` `[hiddenSize, 3, patchSize, patchSize]` and perhaps `bias` `[hiddenSize]`.
    package init(_ scope: ParameterScope, grid: PatchGrid, hiddenSize: Int, bias: Bool) {
        weight = scope.patches("weight", outputs: hiddenSize, channels: 3, patchSize: grid.patchSize)
        self.bias = bias ? scope.vector("bias", count: hiddenSize) : nil
    }

    /// out = patches·Wᵀ + bias + positions, for patches `[count, 3 · patchSize²]` and positions and out `[count, hiddenSize]`.
    package func callAsFunction(_ patches: Tensor, positions: Tensor?, into out: Tensor, on stream: CommandStream)
        throws
    {
        try stream.linear(patches, weight: weight.matrix, bias: bias?.tensor, residual: positions, into: out)
    }
}
