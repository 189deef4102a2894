import NumberFormats
import Compute
import Media
import Models
import Terminal

/// What `/plan` is asked: what a model would take on the device under these circumstances.
package struct PlanQuestion: Sendable, Hashable {
    /// Pixels of a picture.
    package struct Picture: Sendable, Hashable {
        package var width: Int
        package var height: Int

        package init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }
    }

    package var model: String
    /// nil: as the model is loaded.
    package var context: Int?
    package var weights: ElementFormat?
    package var picture: Picture?

    package init(model: String, context: Int? = nil, weights: ElementFormat? = nil, picture: Picture? = nil) {
        self.model = model
        self.context = context
        self.weights = weights
        self.picture = picture
    }

    /// Words in any order: a number is a context, `WxH` a picture, a format's name the weights, anything else a model.
    /// - Parameter model: the model where none is named.
    /// - Returns: nil when no model is meant.
    init?(_ words: String, model: String?) {
        self.init(model: model ?? "")
        for word in words.split(separator: " ").map(String.init) {
            let sides = word.lowercased().replacing("×", with: "x").split(
                separator: "x", omittingEmptySubsequences: false
            ).map { Int($0) }
            if let number = Int(word), (1...1 << 24).contains(number) {
                context = number
            } else if sides.count == 2, let width = sides[0], let height = sides[1], (1...100_000).contains(width),
                (1...100_000).contains(height)
            {
                picture = Picture(width: width, height: height)
            } else if let format = LoadOptions.weightFormats.first(where: { $0.rawValue == word.lowercased() }) {
                weights = format
            } else {
                self.model = Completion.unquoted(word)
            }
        }
        if self.model.isEmpty { return nil }
    }
}

/// Reckons plans from the list of buffers that loading allocates from. Nothing is loaded.
struct Planner {
    let path: String
    let options: LoadOptions
    let hasUnifiedMemory: Bool

    private struct Plan {
        var total: Int
        var weights: Int
        var cache: Int
        var context: Int
        var bytesPerToken: Int
        var formats: [ElementFormat]
        var picture: PlanFigures.Picture?
    }

    /// - Throws: `CheckpointError`, `ModelError`, `MediaError`, and `PlanProblem` for a picture or a context a model cannot have.
    func figures(_ question: PlanQuestion, memory: Int) throws -> PlanFigures {
        let asked = try plan(question.context, question.weights, question.picture)
        if let wanted = question.context, asked.context != wanted {
            throw PlanProblem.context(wanted, most: asked.context)
        }
        let contexts = Set([512, 1024, 2048, 4096, 8192, 32_768, asked.context]).sorted()
        let rows = contexts.compactMap { context -> PlanFigures.Row? in
            // A context the model cannot have is no row.
            guard let other = try? plan(context, question.weights, question.picture), other.context == context else {
                return nil
            }
            return .init(context: context, total: other.total, cache: other.cache)
        }
        let formats = [ElementFormat.f32, .f16, .q8_0, .q5_1, .q4_0].compactMap { format -> PlanFigures.Format? in
            guard let other = try? plan(question.context, format, question.picture) else { return nil }
            return .init(name: format.rawValue, weights: other.weights, total: other.total)
        }
        return PlanFigures(
            model: question.model, weights: asked.weights, bytesPerToken: asked.bytesPerToken, memory: memory,
            rows: rows,
            weightFormat: asked.formats.map(\.rawValue).joined(separator: ", "), context: asked.context,
            total: asked.total, formats: formats, picture: asked.picture)
    }

    private func plan(_ context: Int?, _ weights: ElementFormat?, _ picture: PlanQuestion.Picture?) throws -> Plan {
        var files = try ModelFiles(planning: path)
        files.options = LoadOptions(
            weights: weights ?? options.weights, contextLength: context ?? options.contextLength)
        let model = try ModelRegistry.make(from: files)
        var buffers = model.plannedBuffers(unifiedMemory: hasUnifiedMemory)
        var read: PlanFigures.Picture?
        if let picture {
            guard let reader = model as? any PictureReader else { throw PlanProblem.readsNoPictures }
            let layout = try type(of: reader).imageProcessor(of: files).layout(
                width: picture.width, height: picture.height)
            let own = reader.pictureBuffers(for: layout), tokens = reader.pictureTokens(for: layout)
            buffers += own
            read = PlanFigures.Picture(
                width: picture.width, height: picture.height, tiles: layout.tiles.count, tokens: tokens,
                bytes: tokens * model.bytesPerToken + own.reduce(0) { $0 + $1.bytes })
        }
        let byPurpose = buffers.reduce(into: [MemoryPurpose: Int]()) { $0[$1.purpose, default: 0] += $1.bytes }
        return Plan(
            total: byPurpose.values.reduce(0, +),
            weights: byPurpose.filter { $0.key.rawValue.hasPrefix("weights") }.reduce(0) { $0 + $1.value },
            cache: (byPurpose[.selfKV] ?? 0) + (byPurpose[.crossKV] ?? 0), context: Self.context(of: model),
            bytesPerToken: model.bytesPerToken,
            formats: model.parameters.matrixFormats, picture: read)
    }

    private static func context(of model: any Model) -> Int {
        if let decoder = model as? any DecoderOnlyModel { return decoder.contextLength }
        if let pair = model as? any EncoderDecoderModel { return pair.position + pair.positionsLeft }
        return 0
    }
}

/// What a model cannot be planned for.
enum PlanProblem: Error, CustomStringConvertible {
    case readsNoPictures
    case context(Int, most: Int)

    var description: String {
        switch self {
        case .readsNoPictures: "this model reads no pictures; leave the size out"
        case .context(let wanted, let most): "a context of \(wanted) is not to be had: this model has \(most)"
        }
    }
}

extension State {
    /// Asks, and shows that it is being reckoned.
    mutating func plan(_ question: PlanQuestion) -> [Effect] {
        memory.planQuestion = question
        memory.plan = nil
        memory.planProblem = nil
        overlay = .plan
        return [.plan(question)]
    }

    /// Changes what is asked: `w` other weights, `+` and `-` the context, `p` a picture; other keys close the box.
    mutating func handleInPlan(_ key: Key) -> [Effect] {
        guard var question = memory.planQuestion, key.modifiers.isEmpty, case .character(let character) = key.code
        else {
            overlay = nil
            return []
        }
        switch character {
        case "w":
            let formats: [ElementFormat?] = [nil, .f16, .q8_0, .q5_1, .q4_0]
            question.weights = formats[((formats.firstIndex(of: question.weights) ?? 0) + 1) % formats.count]
        case "+", "=", "-":
            // The first answer says where to begin.
            guard let now = memory.plan?.context ?? question.context, now > 0 else { return [] }
            let next = character == "-" ? now / 2 : now * 2
            guard (64...1 << 24).contains(next) else { return [] }
            question.context = next
        case "p":
            let sides: [Int?] = [nil, 336, 672, 1344]
            let side = sides[((sides.firstIndex(of: question.picture?.width) ?? 0) + 1) % sides.count]
            question.picture = side.map { PlanQuestion.Picture(width: $0, height: $0) }
        default:
            overlay = nil
            return []
        }
        return plan(question)
    }
}
