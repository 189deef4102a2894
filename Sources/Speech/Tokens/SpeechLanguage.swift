/// Whisper's languages by code and by English name.
package enum SpeechLanguage {
    /// Each language's code, followed by its names.
    private static let table = [
        "en english", "zh chinese mandarin", "de german", "es spanish castilian", "ru russian", "ko korean",
        "fr french", "ja japanese", "pt portuguese", "tr turkish", "pl polish", "ca catalan valencian",
        "nl dutch flemish", "ar arabic", "sv swedish", "it italian", "id indonesian", "hi hindi", "fi finnish",
        "vi vietnamese", "he hebrew", "uk ukrainian", "el greek", "ms malay", "cs czech",
        "ro romanian moldavian moldovan", "da danish", "hu hungarian", "ta tamil", "no norwegian", "th thai",
        "ur urdu", "hr croatian", "bg bulgarian", "lt lithuanian", "la latin", "mi maori", "ml malayalam",
        "cy welsh", "sk slovak", "te telugu", "fa persian", "lv latvian", "bn bengali", "sr serbian",
        "az azerbaijani", "sl slovenian", "kn kannada", "et estonian", "mk macedonian", "br breton", "eu basque",
        "is icelandic", "hy armenian", "ne nepali", "mn mongolian", "bs bosnian", "kk kazakh", "sq albanian",
        "sw swahili", "gl galician", "mr marathi", "pa punjabi panjabi", "si sinhala sinhalese", "km khmer",
        "sn shona", "yo yoruba", "so somali", "af afrikaans", "oc occitan", "ka georgian", "be belarusian",
        "tg tajik", "sd sindhi", "gu gujarati", "am amharic", "yi yiddish", "lo lao", "uz uzbek", "fo faroese",
        "ht haitian", "ps pashto pushto", "tk turkmen", "nn nynorsk", "mt maltese", "sa sanskrit",
        "lb luxembourgish letzeburgesch", "my myanmar burmese", "bo tibetan", "tl tagalog", "mg malagasy",
        "as assamese", "tt tatar", "haw hawaiian", "ln lingala", "ha hausa", "ba bashkir", "jw javanese jv",
        "su sundanese", "yue cantonese",
    ]

    private static let codes: [Substring: String] = table.reduce(into: [:]) { codes, entry in
        let words = entry.split(separator: " ")
        for word in words { codes[word] = String(words[0]) }
    }

    /// All codes, in the order of the multilingual vocabularies.
    package static let all = table.map { String($0.prefix { $0 != " " }) }

    /// The code of a language given as a code (`fr`, `FR`), a code with a region (`en-US`, `pt_BR`) or an English name
    /// (`French`); nil for anything else.
    package static func code(of text: String) -> String? {
        let lowercased = text.lowercased()
        if let code = codes[lowercased[...]] { return code }
        let base = lowercased.prefix { $0 != "-" && $0 != "_" }
        return base.count < lowercased.count && base.count <= 3 ? codes[base] : nil
    }
}
