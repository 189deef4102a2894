import Compute
import NumberFormats
import Media
import Models
import Telemetry

/// A model that was declared but not loaded, and the memory it would take.
struct Forecast {
    let model: any Model
    let architecture: String
    /// What loading takes, and what the pictures take once they are read.
    let plan: LoadPlan
    let pictures: [PlanReport.Picture]
    private let sizes: [PictureSize]

    /// - Parameter sizes: of pictures the model is to read.
    /// - Throws: `ProgramError.option` for pictures that a model does not read.
    init(_ files: ModelFiles, on target: PlanTarget, pictures sizes: [PictureSize] = []) throws {
        let model = try ModelRegistry.make(from: files)
        self.model = model
        architecture = try ModelRegistry.modelType(of: files)
        self.sizes = sizes
        let layouts = try Self.layouts(sizes, model, architecture, files)
        let reader = model as? any PictureModel
        pictures = layouts.map {
            PlanReport.Picture($0, tokens: reader?.pictureTokens(for: $0) ?? 0, bytesPerToken: model.bytesPerToken)
        }
        plan = LoadPlan(
            model.plannedBuffers(unifiedMemory: target.isUnified)
                + layouts.flatMap { reader?.pictureBuffers(for: $0) ?? [] })
    }

    /// Positions there is room for.
    var context: Int? {
        if let decoder = model as? any DecoderOnlyModel { return decoder.contextLength }
        if let pair = model as? any EncoderDecoderModel { return pair.position + pair.positionsLeft }
        return nil
    }

    private static func layouts(
        _ sizes: [PictureSize], _ model: any Model, _ architecture: String, _ files: ModelFiles
    ) throws -> [ImageLayout] {
        if sizes.isEmpty { return [] }
        guard let reader = model as? any PictureModel else {
            throw ProgramError.option(name: "--image", problem: "a “\(architecture)” model reads no pictures")
        }
        let processor = try type(of: reader).imageProcessor(of: files)
        return try sizes.map { try processor.layout(width: $0.width, height: $0.height) }
    }

    // MARK: What would make it fit

    /// Formats to try, the least loss first.
    private static let formats: [ElementFormat] = [.f16, .q8_0, .q5_1, .q5_0, .q4_1, .q4_0]
    private static let shortestContext = 256

    /// Changes with which the model would fit: other weights, a shorter context, and if neither is enough both.
    func suggestions(_ files: ModelFiles, for target: PlanTarget) -> [PlanReport.Suggestion] {
        if plan.total <= target.memory { return [] }
        var found: [PlanReport.Suggestion] = []
        /// The first of the contexts that fits, with these weights.
        func fitting(_ weights: ElementFormat?, contexts: [Int?]) -> PlanReport.Suggestion? {
            for context in contexts {
                var changed = files
                changed.options.weights = weights ?? files.options.weights
                changed.options.contextLength = context ?? files.options.contextLength
                guard let other = try? Forecast(changed, on: target, pictures: sizes), other.plan.total <= target.memory
                else { continue }
                return PlanReport.Suggestion(weights: weights?.rawValue, context: context, total: other.plan.total)
            }
            return nil
        }
        var shorter: [Int?] = []
        var length = (context ?? 0) / 2
        while length >= Self.shortestContext {
            shorter.append(length)
            length /= 2
        }
        found += Self.formats.lazy.compactMap { fitting($0, contexts: [nil]) }.prefix(1)
        found += [fitting(nil, contexts: shorter)].compactMap { $0 }
        if found.isEmpty { found += Self.formats.lazy.compactMap { fitting($0, contexts: shorter) }.prefix(1) }
        return found
    }
}
