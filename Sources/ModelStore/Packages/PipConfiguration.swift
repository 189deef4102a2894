import Foundation

/// The addresses of package indexes in pip's configuration, so that the user's mirrors apply.
///
/// It reads `PIP_INDEX_URL` and `PIP_EXTRA_INDEX_URL`, and `index-url` and `extra-index-url` of pip's configuration files, in
/// pip's order of precedence.
struct PipConfiguration: Sendable, Equatable {
    /// Addresses in the order of requests. They may hold credentials.
    let indexes: [String]

    static let defaultIndex = "https://pypi.org/simple"

    init(environment: [String: String]) {
        var settings: [String: String] = [:]
        for path in Self.files(environment: environment) {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            settings.merge(Self.settings(in: text)) { $1 }
        }
        for (variable, key) in [("PIP_INDEX_URL", "index-url"), ("PIP_EXTRA_INDEX_URL", "extra-index-url")] {
            if let value = environment[variable], !value.isEmpty { settings[key] = value }
        }
        let main = settings["index-url"] ?? Self.defaultIndex
        indexes = [main] + (settings["extra-index-url"] ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// Configuration files by ascending precedence: system, user, virtual environment, `PIP_CONFIG_FILE`.
    private static func files(environment: [String: String]) -> [String] {
        func folder(_ variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
        let named = folder("PIP_CONFIG_FILE")
        // pip's setting to ignore all files.
        if named == "/dev/null" { return [] }
        var files: [String] = (folder("XDG_CONFIG_DIRS") ?? "/etc/xdg").split(separator: ":").reversed().map {
            $0 + "/pip/pip.conf"
        }
        files.append("/etc/pip.conf")
        let home = folder("HOME") ?? NSHomeDirectory()
        files.append(home + "/.pip/pip.conf")
        files.append((folder("XDG_CONFIG_HOME") ?? home + "/.config") + "/pip/pip.conf")
        if let environment = folder("VIRTUAL_ENV") { files.append(environment + "/pip.conf") }
        if let named { files.append(named) }
        return files
    }

    /// The settings of the sections for downloads; `[download]` takes precedence over `[global]`. Indented lines continue a
    /// value.
    static func settings(in text: String) -> [String: String] {
        var sections: [String: [String: String]] = [:]
        var section = ""
        var key: String?
        for line in text.split(whereSeparator: \.isNewline) {
            let content = line.trimmingCharacters(in: .whitespaces)
            if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
            if content.hasPrefix("["), content.hasSuffix("]") {
                section = String(content.dropFirst().dropLast())
                key = nil
            } else if line.first?.isWhitespace == true, let key {
                sections[section, default: [:]][key, default: ""] += "\n" + content
            } else if let separator = content.firstIndex(where: { $0 == "=" || $0 == ":" }) {
                let name = content[..<separator].trimmingCharacters(in: .whitespaces).lowercased()
                key = name.replacingOccurrences(of: "_", with: "-")
                sections[section, default: [:]][key ?? ""] =
                    content[content.index(after: separator)...].trimmingCharacters(in: .whitespaces)
            }
        }
        return (sections["global"] ?? [:]).merging(sections["download"] ?? [:]) { $1 }
    }
}
