/// A compiled form of a kernel: a shader and its specialization constants. Kernel selection returns it.
package struct KernelVariant: Hashable, Sendable, CustomStringConvertible {
    /// The shader's name in the embedded library, e.g. "linear/row_q4_0".
    package var name: String
    /// Specialization constants from id 1 on. Id 0 is always the subgroup size.
    package var constants: [UInt32]
    /// Subgroup size to compile for; `nil` takes the device's own.
    package var subgroupSize: Int?

    package init(_ name: String, constants: [UInt32] = [], subgroupSize: Int? = nil) {
        self.name = name
        self.constants = constants
        self.subgroupSize = subgroupSize
    }

    package var description: String {
        constants.isEmpty ? name : "\(name)<\(constants.map(String.init).joined(separator: ","))>"
    }
}
