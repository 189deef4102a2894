/// The formats a conversation is exported in.
package enum ExportFormat: String, Sendable, Hashable, CaseIterable {
    case md, json, html
}
