/// The kernel variants a workload needs, collected by a dry run: `CommandStream.dryRun`.
package struct WarmUp: Sendable {
    /// A kernel, and the views it was first used with: CPU drivers also compile for the formats of the views.
    struct Use {
        let variant: KernelVariant
        let views: [Buffer]
    }

    /// In the order of first use.
    private(set) var uses: [Use] = []
    private var known: Set<KernelVariant> = []

    mutating func add(_ variant: KernelVariant, views: [Buffer]) {
        if known.insert(variant).inserted { uses.append(Use(variant: variant, views: views)) }
    }

    /// The collected variants.
    package var variants: [KernelVariant] { uses.map(\.variant) }
}
