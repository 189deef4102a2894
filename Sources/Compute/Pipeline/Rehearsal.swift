/// Kernels that work will need: what `CommandStream.rehearse` noted of it.
package struct Rehearsal: Sendable {
    /// A kernel, and the views it first came with: CPU drivers compile for the formats of these too.
    struct Use {
        let variant: KernelVariant
        let views: [Buffer]
    }

    /// In the order of first use.
    private(set) var uses: [Use] = []
    private var known: Set<KernelVariant> = []

    mutating func note(_ variant: KernelVariant, views: [Buffer]) {
        if known.insert(variant).inserted { uses.append(Use(variant: variant, views: views)) }
    }

    /// Kernels noted.
    package var variants: [KernelVariant] { uses.map(\.variant) }
}
