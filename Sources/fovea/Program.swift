import ArgumentParser
import Foundation
import Support

/// The program: arguments in, exit code out.
@main
enum Program {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(await run(arguments).code)
    }

    /// Parses and runs one command line.
    static func run(_ arguments: [String]) async -> ProgramExit {
        let command: any ParsableCommand
        do {
            command = try Fovea.parseAsRoot(arguments)
        } catch {
            return report(parsing: error)
        }
        if let problem = Environment.problem() {
            Console.say("fovea: " + Sanitizer.stream.line(problem))
            return .usage
        }
        // The playground reads its keys and signals itself, through the terminal.
        let watchesSignals = !(command is any OwnsTerminal)
        let signals = watchesSignals ? Signals() : nil
        Logs.start(isQuiet: !watchesSignals)

        let parsed = ParsedCommand(command: command)
        let task = Task { () -> Result<Void, any Error> in
            do {
                try await parsed.run()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        signals?.start { task.cancel() }
        let result = await task.value
        return report(result, signal: signals?.received)
    }

    private static func report(_ result: Result<Void, any Error>, signal: Int32?) -> ProgramExit {
        switch result {
        case .success:
            return signal.map(ProgramExit.signalled) ?? .done
        case .failure(let error):
            if let exit = error as? ProgramExit { return exit }
            if case ProgramError.outputClosed = error { return .endByBrokenPipe() }
            if let signal {
                Console.say("fovea: stopped" + (error is CancellationError ? "" : ": " + ErrorText.line(error)))
                return .signalled(signal)
            }
            // Help, which is a command of the parser's own, or a usage error found after parsing.
            if Fovea.exitCode(for: error) != .failure { return report(parsing: error) }
            Console.say("fovea: " + ErrorText.line(error))
            return .failed
        }
    }

    /// Help and version are data and end well; everything else is a usage error.
    private static func report(parsing error: any Error) -> ProgramExit {
        let text = Fovea.fullMessage(for: error)
        guard Fovea.exitCode(for: error) != .success else {
            do {
                if !text.isEmpty { try Console.write(text + "\n") }
                return .done
            } catch ProgramError.outputClosed {
                return .endByBrokenPipe()
            } catch {
                return .failed
            }
        }
        let message = text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map {
            Sanitizer.stream.line(String($0))
        }
        Console.say("fovea: " + lines.joined(separator: "\n"))
        return .usage
    }
}

/// A command on its way into the task that runs it.
private struct ParsedCommand: @unchecked Sendable {
    // Safety: after parsing, only the task touches the command.
    let command: any ParsableCommand

    func run() async throws {
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            var synchronous = command
            try synchronous.run()
        }
    }
}

/// A command that takes the whole terminal, and with it keys and signals.
protocol OwnsTerminal {}
