import AttentionAnalysis
import Foundation
import AttentionTypes
import Generation
import Synchronization
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Chat in lines")
struct TextFlowTests {
    @Test("words break at blanks, long ones anywhere, wide glyphs between any two") func wraps() {
        func flow(_ text: String, _ width: Int) -> [String] {
            var flow = TextFlow(width: width)
            flow.append(Span(text: text, style: .plain))
            return flow.finish().map { $0.spans.map(\.text).joined() }
        }
        #expect(flow("one two three", 8).map { $0.trimmingCharacters(in: .whitespaces) } == ["one two", "three"])
        #expect(flow("abcdefghij", 4) == ["abcd", "efgh", "ij"])
        #expect(flow("日本語です", 4) == ["日本", "語で", "す"])
        #expect(flow("a\n\nb", 4) == ["a", "", "b"])
        for width in 4..<40 {
            for line in flow("some words, 日本語 and a verylongwordindeed", width) {
                #expect(TextWidth.width(of: line) <= width)
            }
        }
    }
}
