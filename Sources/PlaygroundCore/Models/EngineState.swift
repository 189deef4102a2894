import Foundation
import Generation
import ModelStore

/// The loaded model and its activity.
package struct EngineState: Sendable {
    package enum Phase: Sendable, Hashable {
        case idle
        case downloading(String, PullProgress?)
        case loading(String, LoadProgress)
        /// Recording through the microphone: seconds recorded, and the limit.
        case listening(Double, of: Double)
        case encoding
        case decoding
        case stopping
        case failed(String)
    }

    package var device = ""
    package var models: [ModelChoice] = []
    package var modelsKnown = false
    /// Forecasts of memory by the names of models; nil for one whose memory cannot be forecast.
    package var forecasts: [String: MemoryForecast?] = [:]
    package var model: String?
    /// Inputs and outputs of the loaded model; nil until they are known.
    package var abilities: ModelAbilities?
    package var phase: Phase = .idle
    /// The example input of the loaded model.
    package var sample: ModelSample?
    /// The model to load once the list of models is known, from the command line.
    var wanted: String?
    /// The request to send once a model is loaded.
    var waiting: GenerationRequest?
    /// The last question is to be asked again once a model is loaded.
    var asksAgain = false
    package var rate = TokenRate()

    /// The model's name on the screen: the last part of a path.
    var modelName: String? { model.map { $0.contains("/") ? (($0 as NSString).lastPathComponent) : $0 } }

    package var isBusy: Bool {
        switch phase {
        case .idle, .failed: false
        default: true
        }
    }

    package var isAnswering: Bool {
        switch phase {
        case .encoding, .decoding, .stopping: true
        default: false
        }
    }
}

/// Tokens per second over the last tokens. A rate over fewer than `least` tokens says little and is not shown.
package struct TokenRate: Sendable {
    static let least = 8

    private var times: [Double] = []
    package private(set) var perSecond: Double?

    /// - Parameter time: seconds on any steady clock.
    mutating func count(at time: Double) {
        times.append(time)
        if times.count > 17 { times.removeFirst() }
        if let first = times.first, times.count > Self.least, time > first {
            perSecond = Double(times.count - 1) / (time - first)
        }
    }

    /// Takes the rate of a whole answer.
    mutating func settle(_ summary: GenerationSummary) {
        times = []
        perSecond = summary.shownRate ?? perSecond
    }

    mutating func restart() { times = [] }
}

extension GenerationSummary {
    /// Tokens per second, where there are enough of them; see `TokenRate`.
    var shownRate: Double? { tokens >= TokenRate.least && tokensPerSecond > 0 ? tokensPerSecond : nil }
}
