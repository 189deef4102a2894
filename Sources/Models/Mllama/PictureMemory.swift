import Compute
import Transformer

/// The pictures of a conversation as Mllama's cross-attention layers remember them: keys and values, computed once for
/// each picture, and who sees what of them.
///
/// A token sees the last picture before it, and those before that one without a token between them. Of a picture it sees
/// the tiles that hold something. Tokens before the first picture see nothing; as in the reference (transformers'
/// `_prepare_cross_attention_mask`) they attend to everything instead, and their feed-forward adds nothing.
final class PictureMemory: DecoderMemory {
    /// The token that stands for a picture.
    private let placeholder: Int
    /// Keys of a tile: class token and patches.
    let keysPerTile: Int
    let tilesPerPicture: Int
    let cache: KeyValueCache
    private let initialRoom: Int
    /// A mask for each picture: what is seen from its token on, `[1, keys]`.
    private var masks: InputBuffer
    private var room: Int

    /// Tiles of each picture that hold something.
    private(set) var pictures: [Int] = []
    /// Positions of the pictures' tokens, in order.
    private var places: [Int] = []
    private(set) var revision = 0

    /// - Parameter room: pictures there is room for from the beginning; more get theirs when they come.
    init(placeholder: Int, keysPerTile: Int, tilesPerPicture: Int, layers: Int, keyValueWidth: Int, room: Int) {
        self.placeholder = placeholder
        self.keysPerTile = keysPerTile
        self.tilesPerPicture = tilesPerPicture
        self.room = room
        initialRoom = room
        let keys = room * tilesPerPicture * keysPerTile
        cache = KeyValueCache(purpose: .crossKV, layers: layers, capacity: keys, width: keyValueWidth)
        masks = Self.maskBuffer(room: room, keys: keys)
    }

    private static func maskBuffer(room: Int, keys: Int) -> InputBuffer {
        InputBuffer(label: "picture masks", byteCount: room * keys * 4)
    }

    private var keysPerPicture: Int { tilesPerPicture * keysPerTile }

    // MARK: Memory

    var plannedBuffers: [PlannedBuffer] { [cache.plannedBuffer] + masks.plannedBuffers }

    func allocate(on device: Device) throws {
        try cache.allocate(on: device)
        try masks.allocate(on: device)
    }

    func release() {
        keep(0)
        cache.release()
        room = initialRoom
        masks.release()
        masks = Self.maskBuffer(room: room, keys: room * keysPerPicture)
    }

    // MARK: Pictures

    /// Forgets all pictures but the first `count`.
    func keep(_ count: Int) {
        pictures.removeLast(max(0, pictures.count - count))
        places = []
        revision += 1
    }

    func forget() { keep(0) }

    /// Takes in one more picture.
    /// - Parameters:
    ///   - tiles: how many of its tiles hold something.
    ///   - remember: computes its keys and values, to be put in the cache from the row given on.
    func add(tiles: Int, on stream: CommandStream, remember: (_ firstRow: Int) throws -> Void) throws {
        if pictures.count == room {
            let keys = (room + 1) * keysPerPicture
            let larger = Self.maskBuffer(room: room + 1, keys: keys)
            try larger.allocate(on: stream.device)
            try cache.grow(to: keys, keeping: pictures.count * keysPerPicture, on: stream)
            masks = larger
            room += 1
        }
        try remember(pictures.count * keysPerPicture)
        places = []
        pictures.append(tiles)
        revision += 1
    }

    func place(_ tokens: [Int], at start: Int) throws {
        let kept = places.filter { $0 < start }
        let new = tokens.indices.filter { tokens[$0] == placeholder }.map { start + $0 }
        guard kept.count + new.count <= pictures.count else {
            throw ModelError.picturesMissing(
                model: "Llama 3.2 Vision", tokens: kept.count + new.count, rows: pictures.count)
        }
        if kept + new != places { revision += 1 }
        places = kept + new
        for index in places.indices { masks.buffer.write(maskRow(index), at: index * keyCount * 4) }
    }

    private var keyCount: Int { pictures.count * keysPerPicture }

    /// Which tiles of which pictures are seen from a picture's token on: 1 for each that is, `[pictures · tiles]`.
    func visibleTiles(from index: Int) -> [Int] {
        var first = index
        while first > 0, places[first - 1] + 1 == places[first] { first -= 1 }
        return pictures.indices.flatMap { picture in
            (0..<tilesPerPicture).map { (first...index).contains(picture) && $0 < pictures[picture] ? 1 : 0 }
        }
    }

    private func maskRow(_ index: Int) -> [Float] {
        visibleTiles(from: index).flatMap {
            repeatElement($0 == 1 ? Float(0) : AttentionBias.excluded, count: keysPerTile)
        }
    }

    private func mask(_ index: Int) -> Tensor {
        Tensor(buffer: masks.buffer, byteOffset: index * keyCount * 4, rows: 1, columns: keyCount)
    }

    // MARK: Views

    func view(of positions: Range<Int>) -> DecoderMemoryView? {
        guard !pictures.isEmpty else { return nil }
        let starts = [0] + places
        var runs: [MaskRun] = []
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1] : .max
            let rows = (start..<max(start, end)).clamped(to: positions)
            guard !rows.isEmpty else { continue }
            runs.append(
                MaskRun(
                    queries: rows.lowerBound - positions.lowerBound..<rows.upperBound - positions.lowerBound,
                    mask: index == 0 ? nil : mask(index - 1)))
        }
        let seeing = ((places.first ?? .max)..<Int.max).clamped(to: positions)
        return DecoderMemoryView(
            cache: cache, count: keyCount, masks: runs,
            seeing: seeing.isEmpty ? [] : [seeing.lowerBound - positions.lowerBound..<positions.count])
    }

    var stepView: DecoderMemoryView? {
        guard !pictures.isEmpty else { return nil }
        let rows = 0..<DecodeStepper.maximumRows
        guard let last = places.indices.last else {
            return DecoderMemoryView(
                cache: cache, count: keyCount, masks: [MaskRun(queries: rows, mask: nil)], seeing: [])
        }
        return DecoderMemoryView(
            cache: cache, count: keyCount, masks: [MaskRun(queries: rows, mask: mask(last))], seeing: [rows])
    }

    /// What each position of a prompt sees, as the reference's processor writes it: `[positions, pictures · tiles]`.
    func crossAttentionMask(positions: Int) -> [[Int]] {
        (0..<positions).map { position in
            guard let index = places.lastIndex(where: { $0 <= position }) else {
                return Array(repeating: 0, count: pictures.count * tilesPerPicture)
            }
            return visibleTiles(from: index)
        }
    }
}
