import Compute
import Transformer

/// Rules of Mllama's cross-attention for the pictures that each token of a conversation sees.
///
/// A token sees the last picture before it, and those before that one without a token between them. Of a picture it sees
/// the tiles that hold something. Tokens before the first picture see nothing; as in the reference (transformers'
/// `_prepare_cross_attention_mask`) they attend to everything instead, and their feed-forward adds nothing.
final class MllamaPictures: SourceVisibility {
    /// The token that stands for a picture.
    private let placeholder: Int
    /// Keys of a tile: class token and patches.
    private let keysPerTile: Int
    private let tilesPerPicture: Int
    private let initialRoom: Int
    /// A mask for each picture: the keys that tokens from its own on see, `[1, keys]`.
    private var masks: InputBuffer
    private var room: Int

    /// Filled tiles of each picture.
    private(set) var tiles: [Int] = []
    /// Positions of the pictures' tokens, in order.
    private var places: [Int] = []

    /// - Parameter room: pictures that memory is planned for; it grows for more.
    init(placeholder: Int, keysPerTile: Int, tilesPerPicture: Int, room: Int) {
        self.placeholder = placeholder
        self.keysPerTile = keysPerTile
        self.tilesPerPicture = tilesPerPicture
        self.room = room
        initialRoom = room
        masks = Self.maskBuffer(room: room, keys: room * tilesPerPicture * keysPerTile)
    }

    private static func maskBuffer(room: Int, keys: Int) -> InputBuffer {
        InputBuffer(label: "picture masks", byteCount: room * keys * 4)
    }

    private var keysPerPicture: Int { tilesPerPicture * keysPerTile }
    /// Keys of all pictures.
    var keyCount: Int { tiles.count * keysPerPicture }

    // MARK: Memory

    var plannedBuffers: [PlannedBuffer] { masks.plannedBuffers }
    func allocate(on device: Device) throws { try masks.allocate(on: device) }

    func release() {
        room = initialRoom
        masks.release()
        masks = Self.maskBuffer(room: room, keys: room * keysPerPicture)
    }

    // MARK: Pictures

    func removeAll() { keep(0) }

    /// Drops all pictures but the first `count`.
    func keep(_ count: Int) {
        tiles.removeLast(max(0, tiles.count - count))
        places = []
    }

    /// Takes note of one more picture.
    /// - Parameter filled: tiles that hold something.
    func add(tiles filled: Int, on device: Device) throws {
        if tiles.count == room {
            let larger = Self.maskBuffer(room: room + 1, keys: (room + 1) * keysPerPicture)
            try larger.allocate(on: device)
            masks = larger
            room += 1
        }
        places = []
        tiles.append(filled)
    }

    func prepare(_ tokens: [Int], at start: Int) throws -> Bool {
        let kept = places.filter { $0 < start }
        let new = tokens.indices.filter { tokens[$0] == placeholder }.map { start + $0 }
        guard kept.count + new.count <= tiles.count else {
            throw ModelError.picturesMissing(
                model: "Llama 3.2 Vision", tokens: kept.count + new.count, rows: tiles.count)
        }
        let isChanged = kept + new != places
        places = kept + new
        for index in places.indices { masks.buffer.write(maskRow(index), at: index * keyCount * 4) }
        return isChanged
    }

    /// Tiles that are visible from a picture's token on: 1 for each that is, `[pictures · tiles]`.
    private func visibleTiles(from index: Int) -> [Int] {
        var first = index
        while first > 0, places[first - 1] + 1 == places[first] { first -= 1 }
        return tiles.indices.flatMap { picture in
            (0..<tilesPerPicture).map { (first...index).contains(picture) && $0 < tiles[picture] ? 1 : 0 }
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

    // MARK: Visibility

    func runs(of positions: Range<Int>) -> (masks: [MaskRun], attending: [Range<Int>]) {
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
        let attending = ((places.first ?? .max)..<Int.max).clamped(to: positions)
        return (
            runs, attending.isEmpty ? [] : [attending.lowerBound - positions.lowerBound..<positions.count]
        )
    }

    var step: (mask: Tensor?, isAttending: Bool) {
        guard let last = places.indices.last else { return (nil, false) }
        return (mask(last), true)
    }

    /// Visible tiles of each position of a prompt, as the reference's processor gives them: `[positions, pictures · tiles]`.
    func crossAttentionMask(positions: Int) -> [[Int]] {
        (0..<positions).map { position in
            guard let index = places.lastIndex(where: { $0 <= position }) else {
                return Array(repeating: 0, count: tiles.count * tilesPerPicture)
            }
            return visibleTiles(from: index)
        }
    }
}
