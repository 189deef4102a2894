import Foundation

/// Llama 3 to 3.3: `<|start_header_id|>role<|end_header_id|>⏎⏎ … <|eot_id|>`; from 3.1 on a system message with dates
/// stands first.
struct Llama3Chat: ChatStyle {
    /// Which date the system message gives, if it has dates.
    enum DateLine: Sendable, Hashable {
        case fixed(String)
        case today
    }

    var bos = "<|begin_of_text|>"
    var dateLine: DateLine?
    var knowledge = "December 2023"
    var asksAlways = false
    var asksForAnswer = true

    var name: String { dateLine == nil ? "llama3" : "llama3.1" }
    var stopStrings: [String] { ["<|eot_id|>", "<|eom_id|>"] }

    init(dateLine: DateLine? = nil) { self.dateLine = dateLine }

    init?(_ template: ChatTemplate) {
        guard
            template.has(
                "«<|start_header_id|>»+message[«role»]+«<|end_header_id|>\n\n»+message[«content»]|trim+«<|eot_id|>»"),
            template.has("bos_token"), !template.isReasoning
        else { return nil }
        bos = template.bos
        asksForAnswer = template.has("«<|start_header_id|>assistant<|end_header_id|>\n\n»")
        asksAlways = asksForAnswer && !template.asksForAnswer
        if let cutoff = template.capture("Cutting Knowledge Date: ", "\n") {
            guard let line = Self.dateLine(template) else { return nil }
            (knowledge, dateLine) = (cutoff, line)
        } else if template.has("Knowledge") || template.has("date_string") {
            return nil
        }
    }

    static func dateLine(_ template: ChatTemplate) -> DateLine? {
        guard template.has("«Today Date: »+date_string+«\n\n»") else { return nil }
        if template.has("strftime_now(«%d %b %Y»)") { return .today }
        return template.capture("set date_string=«", "»").map { .fixed($0) }
    }

    func write(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date, to text: inout ChatText) {
        text.markup(bos)
        var turns = messages[...]
        if let dateLine {
            let system = messages.first.flatMap { $0.role == .system ? $0.text.stripped : nil }
            if system != nil { turns = turns.dropFirst() }
            Self.writeSystem(system ?? "", dateLine: dateLine, knowledge: knowledge, date: date, to: &text)
        }
        for message in turns {
            text.markup("<|start_header_id|>\(message.role.rawValue)<|end_header_id|>\n\n")
            text.content(message.text.stripped)
            text.markup("<|eot_id|>")
        }
        if asksForAnswer, addingGenerationPrompt || asksAlways {
            text.markup("<|start_header_id|>assistant<|end_header_id|>\n\n")
        }
    }

    /// The system message with its dates.
    static func writeSystem(
        _ system: String, dateLine: DateLine, knowledge: String, date: Date, to text: inout ChatText
    ) {
        let today =
            switch dateLine {
            case .fixed(let text): text
            case .today: Self.dayMonthYear(date)
            }
        text.markup(
            "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: \(knowledge)\nToday Date: \(today)\n\n"
        )
        text.content(system)
        text.markup("<|eot_id|>")
    }

    /// `%d %b %Y` in English, local time: `26 Jul 2024`.
    private static func dayMonthYear(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = calendar.dateComponents([.day, .month, .year], from: date)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let (day, month, year) = (parts.day ?? 1, parts.month ?? 1, parts.year ?? 1970)
        return (day < 10 ? "0" : "") + "\(day) \(months[month - 1]) \(year)"
    }
}
