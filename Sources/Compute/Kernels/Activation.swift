/// The function a linear layer applies to its output. Raw values are the kernels' own codes.
package enum Activation: UInt32, Sendable, Hashable, CaseIterable {
    case none = 0
    /// x·Φ(x), with the exact error function (Hendrycks & Gimpel 2016).
    case gelu = 1
    /// GELU by its tanh approximation ("gelu_new", "gelu_pytorch_tanh").
    case geluTanh = 2
    /// x·σ(1.702·x), as CLIP uses it.
    case quickGelu = 3
    case relu = 4
    /// x·σ(x)
    case silu = 5
}
