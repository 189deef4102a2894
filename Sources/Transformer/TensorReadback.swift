import Compute

extension CommandStream {
    /// The values of a contiguous f32 tensor, `[rows · columns]`, once all work issued so far is done: for traces and
    /// tests, not for steps.
    package func read(_ tensor: Tensor) throws -> [Float] {
        let count = tensor.rows * tensor.columns
        let host = try device.makeBuffer(
            byteCount: count * 4, purpose: .staging, label: "hidden state", access: .readback)
        try copy(from: tensor.byteRange, to: MemoryRange(buffer: host, offset: 0, byteCount: count * 4))
        try finish()
        return host.read(Float.self, count: count)
    }
}
