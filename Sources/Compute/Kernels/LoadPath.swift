/// Load path of the vector profile: reads of rows of weights, keys and activations.
///
/// Mesa's lavapipe loaded from addresses lane by lane, with a branch each, before it could gather; a texel fetch from
/// the same memory was four times faster there. Later ones gather, and call a function for each texel.
package enum LoadPath: String, Sendable, Hashable, CaseIterable {
    case address, texel

    /// The first Mesa whose lavapipe gathers.
    static let firstGatheringMesa = 24

    package init(_ properties: DeviceProperties) {
        let version = properties.driverInfo.firstMatch(of: /Mesa (\d+)\./).flatMap { Int($0.1) }
        self = properties.isCPU && version.map { $0 < Self.firstGatheringMesa } == true ? .texel : .address
    }
}

extension CommandStream {
    /// The path for a dispatch that reads these places; `wanted` forces one where it is possible at all.
    func loadPath(_ wanted: LoadPath?, profile: KernelProfile?, reading places: [(buffer: Buffer, byteOffset: Int)])
        -> LoadPath
    {
        guard (profile ?? KernelProfile(device.properties)) == .vector,
            (wanted ?? LoadPath(device.properties)) == .texel
        else { return .address }
        return places.allSatisfy { $0.byteOffset % 16 == 0 && $0.buffer.canBeViewed } ? .texel : .address
    }
}

extension Int {
    /// A byte offset as kernels of `LoadPath.texel` count it.
    var texels: UInt32 { UInt32(self / 16) }
}
