import Compute
import Transformer

/// Moonshine's encoder: waveform → positions of 24 ms, by three convolutions and a bidirectional stack.
struct WaveformEncoder {
    /// Kernels and strides of the convolutions, none padded.
    static let convolutions = [(kernel: 127, stride: 64), (kernel: 7, stride: 3), (kernel: 3, stride: 2)]

    /// Rows that each convolution gives for so many samples.
    static func rows(samples: Int) -> [Int] {
        var count = samples
        return convolutions.map { kernel, stride in
            count = count < kernel ? 0 : (count - kernel) / stride + 1
            return count
        }
    }

    private let layers: [Linear]
    private let groupNorm: GroupNorm
    private let places: [Slot]
    private let stack: Encoder
    let rotary: RotaryPositions

    init(_ scope: ParameterScope, configuration c: Moonshine.Configuration, samples: Int, workspace: Workspace) {
        let (width, rows) = (c.hiddenSize, Self.rows(samples: samples))
        let channels = [1, width, 2 * width, width]
        layers = Self.convolutions.enumerated().map { index, shape in
            let (name, outputs) = ("conv\(index + 1)", channels[index + 1])
            return Linear(
                weight: scope.convolution(
                    "\(name).weight", outputs: outputs, inputs: channels[index], kernel: shape.kernel),
                bias: index == 0 ? nil : scope.vector("\(name).bias", count: outputs))
        }
        groupNorm = GroupNorm(scope("groupnorm"), size: width)
        places = (0..<2).map {
            workspace.reserve("stem \($0 + 1)", rows: rows[$0], columns: channels[$0 + 1], phase: "encoder")
        }
        let rotary = c.rotary(c.encoder, positions: rows[2], purpose: .weightsEncoder)
        self.rotary = rotary
        stack = Encoder(
            blocks: (0..<c.encoder.layers).map { c.encoderBlock($0, scope("layers.\($0)"), rotary: rotary) },
            finalNorm: c.norm(scope("layer_norm")), hiddenSize: width, rows: rows[2], workspace: workspace,
            phase: "encoder")
    }

    /// Windows of a convolution over x `[time, channels]`: `[rows, kernel · channels]`, which overlap in memory.
    private static func windows(_ x: Tensor, convolution index: Int, rows: Int) -> Tensor {
        let (kernel, stride) = convolutions[index]
        return Tensor(
            buffer: x.buffer, byteOffset: x.byteOffset, rows: rows, columns: kernel * x.columns,
            rowStride: stride * x.columns)
    }

    /// - Parameter samples: `[samples, 1]`
    /// - Returns: `[positions, hiddenSize]`
    func callAsFunction(
        _ samples: Tensor, tap: AttentionTap, observe: HiddenStateObserver?, on stream: CommandStream
    ) throws -> Tensor {
        let rows = Self.rows(samples: samples.rows)
        let first = places[0].rows(rows[0])
        try layers[0](Self.windows(samples, convolution: 0, rows: rows[0]), into: first, on: stream)
        try stream.convert(first, cap: 1, into: first)
        try groupNorm(first, into: first, on: stream)
        let second = places[1].rows(rows[1])
        try layers[1](
            Self.windows(first, convolution: 1, rows: rows[1]), activation: .gelu, into: second, on: stream)
        let x = stack.states(rows[2])
        try layers[2](Self.windows(second, convolution: 2, rows: rows[2]), activation: .gelu, into: x, on: stream)
        try stack.run(x, tap: tap, observe: observe, on: stream)
        try stack.normalize(x, on: stream)
        try observe?(stack.blocks.count, x)
        return x
    }
}
