/// A string with its scalars, for failure messages and exact comparison: `==` of `String` takes canonical equivalents as equal.
package struct Exact: Equatable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package static func == (a: Exact, b: Exact) -> Bool { a.text.unicodeScalars.elementsEqual(b.text.unicodeScalars) }
    package var description: String {
        text.debugDescription + " " + text.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ")
    }
}
