import ArgumentParser

/// Choice between text and JSON.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON on standard output.")
    var json = false
}
