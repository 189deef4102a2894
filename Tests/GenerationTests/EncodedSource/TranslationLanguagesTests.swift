import Foundation
import Models
import TestSupport
import Testing
import Tokenization

@testable import Generation

/// Languages of translation models: names and codes, their tokens, and translations into them.
@Suite("languages of translations", .usesDevice, .needsLargeFixtures, .serialized)
struct TranslationLanguagesTests {
    private static func codes(_ name: String) throws -> LanguageCodes {
        let files = try ModelFiles(path: Fixtures.model(name).path)
        return try #require(try LanguageCodes(of: try ModelRegistry.make(from: files), files))
    }

    @Test(
        "codes and names in every usual form",
        arguments: [
            ("m2m100", "fra_Latn", "fra_Latn"), ("m2m100", "FRA-latn", "fra_Latn"), ("m2m100", "fr", "fra_Latn"),
            ("m2m100", "fra", "fra_Latn"), ("m2m100", "French", "fra_Latn"), ("m2m100", "fr-CA", "fra_Latn"),
            ("m2m100", "German", "deu_Latn"), ("m2m100", "zh-Hans", "zho_Hans"), ("m2m100", "zh_hant", "zho_Hant"),
            ("m2m100", "Persian", "pes_Arab"), ("m2m100", "sw", "swh_Latn"), ("m2m100", "ar", "arb_Arab"),
            ("mbart", "fr", "fr_XX"), ("mbart", "english", "en_XX"), ("mbart", "de_DE", "de_DE"),
        ])
    func code(_ model: String, _ text: String, _ code: String) throws {
        #expect(try Self.codes(model).code(of: text) == code)
    }

    @Test("unknown and ambiguous languages are errors that name the possible ones")
    func unknown() throws {
        let codes = try Self.codes("m2m100")
        #expect(codes.all.count == 202)
        for text in ["Klingon", "xx", "", "_", "zho"] {
            do {
                _ = try codes.code(of: text)
                Issue.record("“\(text)” is a language")
            } catch {
                guard case .unknownLanguage(_, let known) = error else { throw error }
                #expect(text == "zho" ? known == ["zho_Hans", "zho_Hant"] : !known.isEmpty)
            }
        }
        #expect(LanguageCodes.name(of: "fra_Latn").hasPrefix("French"))
    }

    @Test("other models have none", arguments: ["t5", "marian", "bart"])
    func none(_ name: String) throws {
        let files = try ModelFiles(path: Fixtures.model(name).path)
        #expect(try LanguageCodes(of: try ModelRegistry.make(from: files), files) == nil)
    }

    @Test("the tokens stand where the tokenizer puts them", arguments: ["m2m100", "mbart"])
    func places(_ name: String) throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(name))
        let code = name == "mbart" ? "de_DE" : "deu_Latn", id = try #require(tokenizer.id(of: code))
        let plain = tokenizer.encode("A cat.")
        let french = try #require(tokenizer.id(of: name == "mbart" ? "fr_XX" : "fra_Latn"))
        let start = name == "mbart" ? [french] : [2]
        let prompt = try TranslationPrompt(
            source: plain, start: start, from: "German", to: "German", tokenizer: tokenizer, hasOwnTarget: false)
        let place = name == "mbart" ? plain.count - 1 : 0
        #expect(prompt.source.count == plain.count && prompt.source[place] == id && prompt.choosesTarget)
        #expect(zip(prompt.source, plain).count { $0 != $1 } == 1)
        #expect(prompt.start == (name == "mbart" ? [id] : [2, id]))
    }

    @Test("a translation into the reference's language writes the reference's tokens", arguments: ["m2m100", "mbart"])
    func translation(_ name: String) async throws {
        let golden = try Fixtures.golden(name)
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(name))
        let start = try golden.integers("main/decoder_start")
        let target = try #require(start.last.flatMap { tokenizer.piece($0) })
        let engine = try await EngineTests.open(Fixtures.model(name).path)
        let abilities = try #require(engine.abilities())
        #expect(abilities.languages != nil && abilities.needsTargetLanguage == (name == "m2m100"))
        var request = GenerationRequest(messages: [ChatMessage(.user, try golden.text("main"))])
        request.text.targetLanguage = target
        let greedy = try golden.integers("main/greedy")
        request.text.maximumTokens = greedy.count
        let answer = try await EngineTests.ask(engine, request)
        #expect(answer.source?.tokens.map(\.id) == (try golden.integers("main/input_ids")))
        #expect(answer.ids == Array(greedy.prefix(answer.ids.count)) && !answer.ids.isEmpty)
        request.text.targetLanguage = nil
        if name == "m2m100" {
            await #expect(throws: GenerationError.self) { try await EngineTests.ask(engine, request) }
        } else {
            // Its start token is a language.
            #expect(try await EngineTests.ask(engine, request).ids == answer.ids)
        }
        request.text.targetLanguage = "Klingon"
        await #expect(throws: GenerationError.self) { try await EngineTests.ask(engine, request) }
    }
}
