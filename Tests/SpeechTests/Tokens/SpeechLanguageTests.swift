import Testing

@testable import Speech

@Suite struct SpeechLanguageTests {
    @Test(
        "codes, codes with a region and English names",
        arguments: [
            ("fr", "fr"), ("FR", "fr"), ("French", "fr"), ("en-US", "en"), ("pt_BR", "pt"), ("yue", "yue"),
            ("Cantonese", "yue"), ("jv", "jw"), ("Mandarin", "zh"),
        ])
    func known(text: String, code: String) { #expect(SpeechLanguage.code(of: text) == code) }

    @Test(arguments: ["", "zz", "-", "français", "english-US", "e"])
    func unknown(text: String) { #expect(SpeechLanguage.code(of: text) == nil) }

    @Test func allHaveTheirOwnCode() {
        #expect(SpeechLanguage.all.count == 100 && Set(SpeechLanguage.all).count == 100)
        #expect(SpeechLanguage.all.allSatisfy { SpeechLanguage.code(of: $0) == $0 })
    }
}
