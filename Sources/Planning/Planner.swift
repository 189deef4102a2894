import Compute
import Media
import Models
import NumberFormats

/// Plans for one model on one device. Models are declared, nothing is loaded.
package struct Planner {
    private let files: ModelFiles
    private let target: PlanTarget

    /// Formats to try, the smallest loss first.
    package static let formats: [ElementFormat] = [.f16, .q8_0, .q5_1, .q5_0, .q4_1, .q4_0]
    private static let contexts = [512, 1024, 2048, 4096, 8192, 32_768]
    private static let shortestContext = 256

    /// - Parameter files: the model; their options hold where a request leaves them open.
    package init(_ files: ModelFiles, on target: PlanTarget) {
        self.files = files
        self.target = target
    }

    /// Plans with the context, the weights and the pictures of `request`.
    /// - Parameter alternatives: adds the rows with other contexts and weight formats.
    /// - Throws: `CheckpointError`, `ModelError`, `MediaError`; `PlanningError` for pictures or a context that the model
    ///   cannot have.
    package func plan(_ request: PlanRequest, alternatives: Bool = false) throws -> MemoryPlan {
        var plan = try declare(request)
        plan.suggestions = suggestions(for: request, plan)
        if alternatives {
            plan.contexts = contextRows(request, plan)
            plan.formats = formatRows(request, plan)
        }
        return plan
    }

    private func declare(_ request: PlanRequest) throws -> MemoryPlan {
        var files = files
        files.options.weights = request.weights ?? files.options.weights
        files.options.contextLength = request.context ?? files.options.contextLength
        let model = try ModelRegistry.make(from: files)
        let architecture = try ModelRegistry.modelType(of: files)
        let context = model.contextLength
        if let asked = request.context, asked != context {
            throw PlanningError.context(asked: asked, available: context)
        }
        var buffers = model.plannedBuffers(unifiedMemory: target.isUnified)
        var pictures: [MemoryPlan.Picture] = []
        if !request.pictures.isEmpty {
            guard let reader = model.pictureReader else {
                throw PlanningError.readsNoPictures(architecture: architecture)
            }
            let processor = try reader.imageProcessor(of: files)
            for size in request.pictures {
                let layout = try processor.layout(width: size.width, height: size.height)
                let tokens = reader.pictureTokens(for: layout)
                buffers += reader.pictureBuffers(for: layout)
                pictures.append(
                    MemoryPlan.Picture(
                        width: layout.imageWidth, height: layout.imageHeight, tiles: layout.tiles.count,
                        tokens: tokens, keyValueBytes: tokens * model.bytesPerToken))
            }
        }
        let counts = model.parameters.elementsByPurpose
        let bytes = buffers.reduce(into: [MemoryPurpose: Int]()) { $0[$1.purpose, default: 0] += $1.bytes }
        return MemoryPlan(
            path: files.path, architecture: architecture, parameters: counts.values.reduce(0, +),
            weightFormats: model.parameters.matrixFormats, context: context, device: target.name,
            deviceMemory: target.memory, total: bytes.values.reduce(0, +), bytesPerToken: model.bytesPerToken,
            keyValueFormat: model.decoder.cacheFormat,
            purposes: MemoryPurpose.allCases.compactMap { purpose in
                bytes[purpose].map { MemoryPlan.Part(purpose: purpose, bytes: $0, parameters: counts[purpose]) }
            },
            pictures: pictures, watching: model.watchingBytes(unifiedMemory: target.isUnified),
            buffers: buffers.map { MemoryPlan.Part(purpose: $0.purpose, label: $0.label, bytes: $0.bytes) })
    }

    // MARK: Alternatives

    /// Other weights, a shorter context, and both where neither alone is enough.
    private func suggestions(for request: PlanRequest, _ plan: MemoryPlan) -> [MemoryPlan.Suggestion] {
        if plan.fits { return [] }
        /// The first of the contexts that fits, with these weights.
        func fitting(_ weights: ElementFormat?, contexts: [Int?]) -> MemoryPlan.Suggestion? {
            for context in contexts {
                let total = changed(request, weights: weights, context: context)?.total
                if let total, total <= target.memory {
                    return MemoryPlan.Suggestion(weights: weights, context: context, total: total)
                }
            }
            return nil
        }
        let shorter = sequence(first: (plan.context ?? 0) / 2) { $0 / 2 }.prefix { $0 >= Self.shortestContext }
            .map(Optional.some)
        var found = Array(Self.formats.lazy.compactMap { fitting($0, contexts: [nil]) }.prefix(1))
        if let context = fitting(nil, contexts: shorter) { found.append(context) }
        if found.isEmpty { found += Self.formats.lazy.compactMap { fitting($0, contexts: shorter) }.prefix(1) }
        return found
    }

    private func contextRows(_ request: PlanRequest, _ plan: MemoryPlan) -> [MemoryPlan.ContextRow] {
        guard let own = plan.context else { return [] }
        return Set(Self.contexts + [own]).sorted().compactMap { context in
            let other = context == own ? plan : changed(request, context: context)
            return other.map { MemoryPlan.ContextRow(context: context, cache: $0.cacheBytes, total: $0.total) }
        }
    }

    private func formatRows(_ request: PlanRequest, _ plan: MemoryPlan) -> [MemoryPlan.FormatRow] {
        let others = Self.formats.compactMap { changed(request, weights: $0) }
        var names: Set<String> = []
        return ([plan] + others).filter { names.insert($0.formatName).inserted }
            .map { MemoryPlan.FormatRow(name: $0.formatName, weights: $0.weightBytes, total: $0.total) }
    }

    /// The plan with one thing changed; nil where the model cannot have it.
    private func changed(_ request: PlanRequest, weights: ElementFormat? = nil, context: Int? = nil) -> MemoryPlan? {
        var other = request
        other.weights = weights ?? request.weights
        other.context = context ?? request.context
        return try? declare(other)
    }
}
