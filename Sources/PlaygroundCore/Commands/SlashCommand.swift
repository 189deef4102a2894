import Foundation

/// A command of the input line, `/name argument`.
struct SlashCommand: Sendable {
    let name: String
    /// Name of the argument in the help; empty for commands without one.
    let argument: String
    let help: String
    /// Possible arguments, for completion.
    var choices: @Sendable (State) -> [String] = { _ in [] }
    /// The kind of path, if the argument is one.
    var path: PathPurpose?
    let run: @Sendable (inout State, String, Date) -> [Effect]

    static func named(_ name: String) -> SlashCommand? { all.first { $0.name == name } }

    /// Runs a line that starts with `/`.
    static func run(_ line: String, _ state: inout State, _ now: Date) -> [Effect] {
        let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
        let name = parts.first.map(String.init) ?? ""
        let argument = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        guard let command = named(name) else {
            // A path may have been dropped: only the disk tells.
            if name.contains("/") || name.contains(".") { return [.findFile(line)] }
            state.didFindFile(line, nil, now)
            return []
        }
        return command.run(&state, argument, now)
    }

    static let all: [SlashCommand] = speech + models + chat + conversation + attention + plan + compare + general

    private static let general: [SlashCommand] = [
        SlashCommand(name: "help", argument: "", help: "keys and commands") { state, _, _ in
            state.overlay = .help(scroll: 0)
            return []
        },
        SlashCommand(name: "tour", argument: "", help: "a tour of the screen in four steps") { state, _, _ in
            state.overlay = .tour(step: 0)
            return []
        },
        SlashCommand(name: "quit", argument: "", help: "quit") { state, _, _ in state.askToQuit() },
    ]
}

extension State {
    /// Reports a line that is no command: one that begins with the path of a file, or a mistyped command.
    @discardableResult
    mutating func didFindFile(_ line: String, _ file: FoundFile?, _ now: Date) -> [Effect] {
        guard let file else {
            let name = line.split(separator: " ").first ?? ""
            report("There is no command \(name); /help lists them.", now, kind: .warning)
            return []
        }
        let sounds = Completion.soundExtensions.sorted().joined(separator: ", ")
        let pictures = PictureFile.extensions.sorted().joined(separator: ", ")
        if Completion.isSound(file.path) || PictureFile.isNamed(file.path) {
            report("\(file.path) goes with a message by its path alone, and Enter; then ask.", now, kind: .warning)
        } else if let kind = file.kind {
            report("\(file.path) is \(kind).", now, kind: .warning)
        } else {
            report(
                "\(file.path) is not a recording (\(sounds)) or a picture (\(pictures)); convert it to one of these.",
                now,
                kind: .warning)
        }
        return []
    }
}

/// The file whose path a line begins with.
package struct FoundFile: Sendable, Hashable, Codable {
    package var path: String
    /// Its kind, if that is known and not read, with what to do.
    package var kind: String?

    package init(path: String, kind: String? = nil) {
        self.path = path
        self.kind = kind
    }
}
