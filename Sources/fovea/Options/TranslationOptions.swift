import ArgumentParser
import Generation

/// Languages of translation models that have tokens for them.
struct TranslationOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Language of the text to translate, as a code or a name; `fovea inspect MODEL` lists them.",
            valueName: "language"))
    var sourceLanguage: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Language to translate into, as a code or a name.", valueName: "language"))
    var targetLanguage: String?

    /// The options given, by name.
    var given: [(option: String, language: String)] {
        [("--source-language", sourceLanguage), ("--target-language", targetLanguage)].compactMap { option, language in
            language.map { (option, $0) }
        }
    }

    /// Refuses languages that the model does not know.
    /// - Parameter codes: those that it knows; nil for a model without tokens for languages.
    func check(_ codes: LanguageCodes?, family: String) throws {
        for (option, language) in given {
            guard let codes else {
                throw ProgramError.option(name: option, problem: "\(family) has no tokens for languages")
            }
            do { _ = try codes.code(of: language) } catch { throw ValidationError("\(option): \(error)") }
        }
    }
}
