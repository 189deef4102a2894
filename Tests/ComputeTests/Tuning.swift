@testable import Compute

/// The ways a kernel can be made to compute the same thing. Every device can run every one of them (GPUs, which have no
/// texel views here, read by address instead).
enum Tuning: String, CaseIterable, Sendable {
    case vectorByAddress, vectorByTexel, coalesced

    var profile: KernelProfile { self == .coalesced ? .coalesced : .vector }
    var load: LoadPath { self == .vectorByTexel ? .texel : .address }
}
