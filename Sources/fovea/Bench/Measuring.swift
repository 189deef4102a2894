import Compute
import Foundation
import Transformer

/// Timing of benchmark runs.
struct Measuring {
    /// Runs of each measurement, of which the median counts.
    let repeats: Int

    static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let began = ContinuousClock.now
        try work()
        return began.duration(to: .now) / .seconds(1)
    }

    /// From so many seconds on a run is long enough that compiling no longer counts in it.
    static let longRun = 30.0

    /// The median of several runs after one that compiles and warms up; a long one is not repeated.
    func median(_ work: () throws -> Void) throws -> Double {
        var times: [Double] = []
        for run in 0...repeats {
            try Task.checkCancellation()
            let time = try Self.seconds(work)
            if time > Self.longRun { return time }
            if run > 0 { times.append(time) }
        }
        return Self.median(of: times)
    }

    static func median(of times: [Double]) -> Double {
        let sorted = times.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// A setting of the tap.
    struct Capture {
        let name: String
        let selection: AttentionTap.Selection
    }

    /// Decodes with each setting of the tap in turn, several times over, so that a busy moment of the machine does not
    /// fall on one of them alone.
    ///
    /// - Parameters:
    ///   - begin: brings the model to where the tokens start, one step that records what is replayed later included.
    ///   - step: decodes one more token.
    func decode(
        _ captures: [Capture], count: Int, tap: AttentionTap, stream: CommandStream, begin: () throws -> Void,
        step: (Int) throws -> Void
    ) throws -> [BenchReport.Decode] {
        // Of each position its median run: a burst of other work then spoils a token, not a measurement.
        var times = [[[Double]]](repeating: Array(repeating: [], count: count), count: captures.count)
        var dispatches = [Double](repeating: 0, count: captures.count)
        // The first round compiles and records.
        for round in 0...repeats {
            for (index, capture) in captures.enumerated() {
                tap.selection = capture.selection
                try begin()
                let before = stream.dispatchCount
                for position in 0..<count {
                    try Task.checkCancellation()
                    let time = try Self.seconds { try step(position) }
                    if round > 0 { times[index][position].append(time) }
                }
                dispatches[index] = Double(stream.dispatchCount - before) / Double(count)
            }
        }
        tap.selection = .off
        let means = times.map { $0.map(Self.median(of:)).reduce(0, +) / Double(count) }
        return captures.indices.map { index in
            BenchReport.Decode(
                capture: captures[index].name, secondsPerToken: means[index], cost: means[index] / means[0] - 1,
                dispatchesPerToken: dispatches[index])
        }
    }

    /// Timings of one phase, by kernel, the longest first.
    static func table(_ phase: String, _ timings: [KernelTiming]) -> [BenchReport.Kernel] {
        Dictionary(grouping: timings, by: \.variant.name).map { name, group in
            BenchReport.Kernel(
                phase: phase, kernel: name, dispatches: group.count, seconds: group.reduce(0) { $0 + $1.seconds },
                operations: group.reduce(0) { $0 + $1.operations })
        }.sorted { ($1.seconds, $0.kernel) < ($0.seconds, $1.kernel) }
    }

    /// f32 operations of all kernels of a phase.
    static func operations(_ phase: String, in kernels: [BenchReport.Kernel]) -> Double {
        kernels.filter { $0.phase == phase }.reduce(0) { $0 + $1.operations }
    }

    /// All of a model's weights on the device.
    static func weightBytes(_ bytes: [MemoryPurpose: Int]) -> Int {
        [.weightsVision, .weightsProjector, .weightsEncoder, .weightsDecoder].reduce(0) { $0 + (bytes[$1] ?? 0) }
    }

    /// Any tokens do: the arithmetic is the same.
    /// - Parameter excluded: one that means something else: a picture's place.
    static func tokens(_ count: Int, vocabulary: Int, excluding excluded: Int? = nil) -> [Int] {
        (0..<count).map { index in
            let token = (index * 37 + 11) % min(vocabulary, 1000)
            return token == excluded ? (token + 1) % vocabulary : token
        }
    }

    /// Lets `peakHostBytes` count from now on, where the system can (Linux).
    static func forgetPeak() {
        if let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") {
            try? file.write(contentsOf: Data("5".utf8))
        }
    }

    /// `VmHWM` of Linux: the most memory this process has held.
    static var peakHostBytes: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let match = status.firstMatch(of: /VmHWM:\s*(\d+) kB/), let kibibytes = Int(match.1)
        else { return nil }
        return kibibytes * 1024
    }
}
