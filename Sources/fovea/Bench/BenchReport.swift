import Compute
import Foundation
import Support

/// Results of `fovea bench`: written by `--json`, read by `--compare`.
struct BenchReport: Codable {
    /// Decoding with one setting of the tap.
    struct Decode: Codable {
        let capture: String
        let secondsPerToken: Double
        var tokensPerSecond: Double { 1 / secondsPerToken }
        /// Time beside decoding without capture, as a fraction; 0.05 is 5 % slower.
        let cost: Double
        let dispatchesPerToken: Double
    }

    /// All dispatches of one kernel in one phase.
    struct Kernel: Codable {
        let phase: String
        let kernel: String
        let dispatches: Int
        let seconds: Double
        /// f32 operations; 0 where a kernel is not counted.
        let operations: Double
    }

    /// Version of the program; absent in results of versions before it was written.
    var version: String? = Version.current
    let model: String
    let architecture: String
    let device: String
    let driver: String
    let ceilings: DeviceCeilings
    let loadSeconds: Double
    let weightBytes: Int
    let deviceBytes: Int
    /// Of speech models.
    var logMelSeconds: Double?
    /// Of models that take pictures among a text: parts into which the measured picture was cut.
    var pictureTiles: Int?
    /// Of the text, the sound or the picture that is measured; for the latter with projector.
    var encoderSeconds: Double?
    var encoderOperations: Double?
    let prefillTokens: Int
    let prefillSeconds: Double
    /// Absent where the device has no timestamps.
    var prefillOperations: Double?
    /// Tokens before the first decoded one.
    var decodeContext: Int?
    let decodeTokens: Int
    /// Bytes of weights, keys and values that one token reads.
    let decodeBytesPerToken: Double
    let decode: [Decode]
    let kernels: [Kernel]
    /// The most memory the process held on the host; absent where the system does not say.
    let peakHostBytes: Int?
    /// From starting the program to the first token, nothing compiled before; then with what the first start left.
    var firstTokenColdSeconds: Double?
    var firstTokenWarmSeconds: Double?

    /// Operations a second, and their share of the measured arithmetic peak.
    private func arithmetic(_ operations: Double?, _ seconds: Double) -> String? {
        guard let operations, operations > 0, seconds > 0 else { return nil }
        let rate = operations / seconds
        let (ceiling, name) =
            ceilings.matrixOperationsPerSecond.map { ($0, "matrix") } ?? (ceilings.operationsPerSecond, "arithmetic")
        return "\(Self.rate(rate, "FLOP/s")), \(Self.percent(rate / ceiling)) of the \(name) ceiling"
    }
    /// Share of the measured read bandwidth that decoding without capture reaches.
    var decodeFraction: Double {
        guard let plain = decode.first else { return 0 }
        return decodeBytesPerToken / plain.secondsPerToken / ceilings.readBytesPerSecond
    }

    // MARK: Text

    var text: String {
        var table = TextTable(("", .left), ("", .right), ("", .left))
        table.add("read bandwidth", Self.rate(ceilings.readBytesPerSecond, "B/s"), "measured ceiling")
        table.add("copy bandwidth", Self.rate(ceilings.copyBytesPerSecond, "B/s"), "read and written bytes counted")
        table.add("f32 arithmetic", Self.rate(ceilings.operationsPerSecond, "FLOP/s"), "measured ceiling")
        if let matrices = ceilings.matrixOperationsPerSecond {
            table.add(
                "f16 matrices", Self.rate(matrices, "FLOP/s"),
                "measured ceiling; products as exact as f32 take two or three of these")
        }
        table.add(
            "loading", Self.time(loadSeconds),
            "\(ByteFormat.text(weightBytes)) of weights, \(ByteFormat.text(deviceBytes)) on the device in all")
        if let firstTokenColdSeconds, let firstTokenWarmSeconds {
            table.add(
                "first token, cold", Self.time(firstTokenColdSeconds),
                "from the program's start, no shader compiled before")
            table.add("first token, warm", Self.time(firstTokenWarmSeconds), "from the program's start, shaders cached")
        }
        if let logMelSeconds { table.add("log-mel", Self.time(logMelSeconds), "30 s of sound, on the host") }
        if let encoderSeconds {
            let notes = [
                pictureTiles.map { "a picture in \($0) tile\($0 == 1 ? "" : "s")" },
                arithmetic(encoderOperations, encoderSeconds),
            ]
            table.add("encoder", Self.time(encoderSeconds), notes.compactMap { $0 }.joined(separator: "; "))
        }
        let prefill = [
            "\(prefillTokens) tokens, \(Self.figure(Double(prefillTokens) / prefillSeconds)) tokens/s",
            arithmetic(prefillOperations, prefillSeconds),
        ]
        table.add("prefill", Self.time(prefillSeconds), prefill.compactMap { $0 }.joined(separator: "; "))
        for run in decode {
            let note =
                run.cost == 0 && run.capture == "off"
                ? "\(Self.rate(decodeBytesPerToken / run.secondsPerToken, "B/s")), \(Self.percent(decodeFraction)) of the read ceiling"
                : "costs \(Self.percent(run.cost))"
            table.add(
                "decode, capture \(run.capture)", "\(Self.figure(run.tokensPerSecond)) tokens/s",
                "\(note); \(Self.figure(run.dispatchesPerToken)) dispatches a token")
        }
        if let peakHostBytes { table.add("host memory", ByteFormat.text(peakHostBytes), "at its peak") }

        var kernelTable = TextTable(
            ("phase", .left), ("kernel", .left), ("dispatches", .right), ("time", .right), ("share", .right),
            ("", .right))
        var phases: [String] = []
        for kernel in kernels where !phases.contains(kernel.phase) { phases.append(kernel.phase) }
        for phase in phases {
            let rows = kernels.filter { $0.phase == phase }
            let total = rows.reduce(0) { $0 + $1.seconds }
            for row in rows {
                kernelTable.add(
                    phase, row.kernel, "\(row.dispatches)", Self.time(row.seconds),
                    Self.percent(total > 0 ? row.seconds / total : 0),
                    row.operations > 0 && row.seconds > 0 ? Self.rate(row.operations / row.seconds, "FLOP/s") : "")
            }
        }
        let heading = Sanitizer.stream.line("\(model) (\(architecture)) on \(device), \(driver)")
        return [
            heading, table.text,
            kernelTable.isEmpty ? "the device has no timestamps: no table of kernels" : kernelTable.text,
        ]
        .joined(separator: "\n\n")
    }

    /// Two measurements side by side.
    static func comparison(_ a: BenchReport, _ b: BenchReport) -> String {
        var table = TextTable(("", .left), ("A", .right), ("B", .right), ("B against A", .right))
        func add(_ name: String, _ a: Double, _ b: Double, _ show: (Double) -> String) {
            table.add(name, show(a), show(b), a > 0 ? figure(b / a) + "×" : "")
        }
        add("read bandwidth", a.ceilings.readBytesPerSecond, b.ceilings.readBytesPerSecond) { rate($0, "B/s") }
        add("copy bandwidth", a.ceilings.copyBytesPerSecond, b.ceilings.copyBytesPerSecond) { rate($0, "B/s") }
        add("f32 arithmetic", a.ceilings.operationsPerSecond, b.ceilings.operationsPerSecond) { rate($0, "FLOP/s") }
        add("loading", a.loadSeconds, b.loadSeconds, time)
        func addIfBoth(_ name: String, _ a: Double?, _ b: Double?) { if let a, let b { add(name, a, b, time) } }
        addIfBoth("first token, cold", a.firstTokenColdSeconds, b.firstTokenColdSeconds)
        addIfBoth("first token, warm", a.firstTokenWarmSeconds, b.firstTokenWarmSeconds)
        addIfBoth("log-mel", a.logMelSeconds, b.logMelSeconds)
        addIfBoth("encoder", a.encoderSeconds, b.encoderSeconds)
        add("prefill", a.prefillSeconds, b.prefillSeconds, time)
        for run in a.decode {
            guard let other = b.decode.first(where: { $0.capture == run.capture }) else { continue }
            add("decode, capture \(run.capture)", run.tokensPerSecond, other.tokensPerSecond) {
                figure($0) + " tokens/s"
            }
        }
        add("device memory", Double(a.deviceBytes), Double(b.deviceBytes)) { ByteFormat.text(Int($0)) }
        let names = [("A", a), ("B", b)].map {
            Sanitizer.stream.line("\($0): \($1.model) on \($1.device), \($1.driver)")
        }
        return names.joined(separator: "\n") + "\n\n" + table.text
    }

    // MARK: Figures

    /// Three significant figures.
    static func figure(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let digits = value == 0 ? 2 : max(0, 2 - Int(log10(abs(value)).rounded(.down)))
        return String(format: "%.\(min(digits, 4))f", value)
    }

    static func rate(_ value: Double, _ unit: String) -> String {
        for (scale, prefix) in [(1e12, "T"), (1e9, "G"), (1e6, "M")] where value >= scale {
            return "\(figure(value / scale)) \(prefix)\(unit)"
        }
        return "\(figure(value)) \(unit)"
    }

    static func time(_ seconds: Double) -> String {
        seconds >= 1 ? "\(figure(seconds)) s" : "\(figure(seconds * 1000)) ms"
    }
    static func percent(_ fraction: Double) -> String { String(format: "%.1f %%", fraction * 100) }
}
