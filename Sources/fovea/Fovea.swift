import ArgumentParser
import Support

/// The command line as a whole.
struct Fovea: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fovea",
        abstract: "Talk to a multimodal transformer and watch its attention.",
        discussion: """
            Data goes to standard output, messages to standard error. Exit codes: 0 done, 1 failed, 2 usage, 130 stopped by Ctrl-C.

            MODEL is a name of `fovea models` that is installed, a folder, or a file of weights.
            """,
        version: Version.current,
        subcommands: [
            ChatCommand.self, RecordCommand.self, ReplayCommand.self, RunCommand.self, TranscribeCommand.self,
            TraceCommand.self, ServeCommand.self, DevicesCommand.self, ModelsCommand.self,
            PullCommand.self, InspectCommand.self, PlanCommand.self, BenchCommand.self, TokenizeCommand.self,
        ],
        defaultSubcommand: ChatCommand.self)

    @OptionGroup var device: DeviceOptions
}
