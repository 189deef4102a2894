/// Bounds on one rendering. Templates come with downloaded files and are not trusted.
package struct TemplateLimits: Sendable, Hashable {
    /// Evaluated nodes, plus the work of operations on long values.
    package var steps = 10_000_000
    /// Scalars and elements of all strings and lists that are made.
    package var storage = 32_000_000
    /// Scalars of the rendered text.
    package var output = 8_000_000
    /// Nested expressions, statements and macro calls.
    package var depth = 256

    package init() {}

    /// Nested expressions and statements in a source, and nested values.
    static let nesting = 100
    static let valueNesting = 200
    /// Bytes of a template. The longest published ones have a tenth of this.
    static let source = 256 << 10
    /// Elements of a `range`, as in Jinja's sandbox.
    static let range = 100_000
}

/// Counts what a rendering uses and stops it at its limits.
final class Meter {
    let limits: TemplateLimits
    private var steps = 0
    private var storage = 0
    private var depth = 0

    init(_ limits: TemplateLimits) { self.limits = limits }

    /// Counts work on `count` scalars or elements.
    func work(_ count: Int) throws { try step(1 + count / 16) }

    func step(_ count: Int = 1) throws {
        steps += count
        if steps > limits.steps { throw Fault.limit("more than \(limits.steps) steps") }
    }

    /// Counts `count` new scalars or elements, before they are made.
    func make(_ count: Int) throws {
        guard count <= limits.storage - storage else {
            throw Fault.limit("more than \(limits.storage) characters and elements in values")
        }
        storage += count
        try work(count)
    }

    func enter() throws {
        depth += 1
        try step()
        if depth > limits.depth { throw Fault.limit("nested more than \(limits.depth) deep") }
    }

    func leave() { depth -= 1 }
}
