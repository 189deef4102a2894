/// The tasks that Florence-2 was trained for: a mark such as `<CAPTION>` stands for a sentence, some with words of the
/// person's own. Reference: transformers' `Florence2Processor`.
enum Florence2Task {
    /// Sentences by mark; “{}” is replaced by what follows the mark.
    static let sentences = [
        "<CAPTION>": "What does the image describe?",
        "<DETAILED_CAPTION>": "Describe in detail what is shown in the image.",
        "<MORE_DETAILED_CAPTION>": "Describe with a paragraph what is shown in the image.",
        "<OD>": "Locate the objects with category name in the image.",
        "<DENSE_REGION_CAPTION>": "Locate the objects in the image, with their descriptions.",
        "<REGION_PROPOSAL>": "Locate the region proposals in the image.",
        "<OCR>": "What is the text in the image?",
        "<OCR_WITH_REGION>": "What is the text in the image, with regions?",
        "<CAPTION_TO_PHRASE_GROUNDING>": "Locate the phrases in the caption: {}",
        "<REFERRING_EXPRESSION_SEGMENTATION>": "Locate {} in the image with mask",
        "<OPEN_VOCABULARY_DETECTION>": "Locate {} in the image.",
        "<REGION_TO_SEGMENTATION>": "What is the polygon mask of region {}",
        "<REGION_TO_CATEGORY>": "What is the region {}?",
        "<REGION_TO_DESCRIPTION>": "What does the region {} describe?",
        "<REGION_TO_OCR>": "What text is in the region {}?",
    ]

    /// The task where nothing is asked.
    static let standard = "<CAPTION>"

    /// The sentence for a text that begins with a mark; another text as it is; the standard task's for none.
    /// - Throws: `ModelError.task` for an unknown mark, and for one that lacks or does not take further words.
    static func prompt(for text: String) throws -> String {
        let text = text.isEmpty ? standard : text
        guard text.first == "<", let end = text.firstIndex(of: ">") else { return text }
        let mark = String(text[...end])
        // Places in the picture, of which regions are made.
        if mark.hasPrefix("<loc_") { return text }
        let words = text[text.index(after: end)...].drop { $0 == " " }
        guard let sentence = sentences[mark] else {
            throw ModelError.task(mark, problem: "it is unknown", known: sentences.keys.sorted())
        }
        let takesWords = sentence.contains("{}")
        guard takesWords != words.isEmpty else {
            let problem = takesWords ? "words must follow it" : "it stands alone"
            throw ModelError.task(mark, problem: problem, known: sentences.keys.sorted())
        }
        return sentence.replacing("{}", with: words)
    }
}
