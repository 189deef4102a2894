import Compute
import Formats
import Media
import Models
import Telemetry

/// A model that was declared but not loaded, and the memory it would take.
struct Forecast {
    let model: any Model
    let architecture: String
    let plan: LoadPlan

    init(_ files: ModelFiles, on target: PlanTarget) throws {
        model = try ModelRegistry.make(from: files)
        architecture = try ModelRegistry.modelType(of: files)
        plan = LoadPlan(model.plannedBuffers(unifiedMemory: target.isUnified))
    }

    /// Positions there is room for.
    var context: Int? {
        if let decoder = model as? any DecoderOnlyModel { return decoder.contextLength }
        if let pair = model as? any EncoderDecoderModel { return pair.position + pair.positionsLeft }
        return nil
    }

    /// What pictures of these sizes cost.
    /// - Throws: `ProgramError.option` for a model that reads none.
    func pictures(_ sizes: [PictureSize], files: ModelFiles) throws -> [PlanReport.Picture] {
        if sizes.isEmpty { return [] }
        guard let reader = model as? any PictureModel else {
            throw ProgramError.option(name: "--image", problem: "a “\(architecture)” model reads no pictures")
        }
        let processor = try type(of: reader).imageProcessor(of: files)
        return try sizes.map { size in
            let layout = try processor.layout(width: size.width, height: size.height)
            let tokens = reader.pictureTokens(for: layout)
            return PlanReport.Picture(
                width: size.width, height: size.height, tiles: layout.tiles.count, tokens: tokens, keyValueBytes: tokens * model.bytesPerToken)
        }
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
                guard let other = try? Forecast(changed, on: target), other.plan.total <= target.memory else { continue }
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
