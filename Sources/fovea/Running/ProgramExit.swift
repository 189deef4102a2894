import Foundation

/// Exit code of the program. Thrown by a command that has already reported its error.
struct ProgramExit: Error, Equatable {
    let code: Int32

    static let done = ProgramExit(code: 0)
    static let failed = ProgramExit(code: 1)
    static let usage = ProgramExit(code: 2)
    /// The shell's convention: 128 and the signal's number; 130 for Ctrl-C.
    static func signalled(_ signal: Int32) -> ProgramExit { ProgramExit(code: 128 + signal) }

    /// Whoever read our output has had enough (`fovea … | head`): end as any Unix tool would, without a word.
    static func endByBrokenPipe() -> ProgramExit {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        return .signalled(SIGPIPE)
    }
}

/// Errors of the program itself; errors of the engine are passed on unchanged.
enum ProgramError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Standard output is a pipe whose reader is gone.
    case outputClosed
    case cannotWriteOutput(reason: String)
    case cannotWriteFile(path: String, reason: String)
    case cannotReadFile(path: String, reason: String)
    case noTerminal(stream: String)
    case dumbTerminal(name: String)
    /// An option that makes no sense with the others, or for this model.
    case option(name: String, problem: String)
    /// The model is there but cannot do what the command asks of it.
    case unsuitableModel(model: String, problem: String)

    var description: String {
        switch self {
        case .outputClosed: "standard output was closed"
        case .cannotWriteOutput(let reason): "cannot write to standard output: \(reason)"
        case .cannotWriteFile(let path, let reason): "cannot write \(path): \(reason)"
        case .cannotReadFile(let path, let reason): "cannot read \(path): \(reason)"
        case .noTerminal(let stream):
            "the playground needs a terminal, and \(stream) is not one; for scripts use `fovea transcribe` or `fovea run`"
        case .dumbTerminal(let name):
            "the terminal cannot place a cursor (TERM=\(name)); set TERM to its type, for example xterm-256color, or use `fovea transcribe`"
        case .option(let name, let problem): "\(name): \(problem)"
        case .unsuitableModel(let model, let problem): "\(model): \(problem)"
        }
    }
}
