import JSON
import NumberFormats

/// Reads the Whisper files of whisper.cpp, `ggml-*.bin` (models/convert-pt-to-ggml.py).
///
/// Little-endian, without alignment: u32 magic; i32 × 11 sizes and file type; the mel filter bank; the text tokens; then
/// tensors to the end of the file, each i32 rank, i32 name length, i32 ggml type, i32 dimensions (innermost first), the
/// name, the data. Names are those of OpenAI's models.
enum WhisperCppReader: CheckpointReader {
    static let format = CheckpointFormat.whisperCpp
    private static let magic = "lmgg"
    /// Frequencies of a 400-sample window, which all Whisper models use.
    private static let frequencies = 201
    private static let mostDimensions = 4
    private static let longestName = 256

    static func candidate(in fileNames: [String]) -> String? {
        let files = fileNames.filter(FileNames.isWhisperCpp)
        return files.count == 1 ? files[0] : nil
    }

    static func recognizes(fileName: String, head: [UInt8], size: Int) -> Bool { head.starts(with: magic.utf8) }

    static func read(_ path: String) throws(CheckpointError) -> CheckpointContents {
        let file = try MappedFile(path: path)
        guard file.bytes.starts(with: magic.utf8) else {
            throw .notACheckpoint(path: path, reason: "it is not a file of whisper.cpp")
        }
        // Files of the Silero model continue with the length of its name and the name.
        if file.bytes.dropFirst(8).starts(with: "silero".utf8) {
            throw .notACheckpoint(
                path: path, reason: "it is a Silero model, which detects speech; a Whisper model is needed to read it")
        }
        var reader = ByteReader(file, offset: magic.utf8.count)
        var contents = CheckpointContents(files: [file])
        let header = try header(&reader)
        contents.whisper = header

        // 7 tensors around the encoder's layers, 4 around the decoder's.
        let expected = 11 + 15 * header.dimensions.audioLayers + 24 * header.dimensions.textLayers
        var names: Set<String> = []
        while reader.remaining > 0, names.count < expected {
            let (name, type, shape) = try tensor(&reader)
            guard names.insert(name).inserted else { throw reader.malformed("the tensor occurs twice") }
            guard let format = ElementFormat(ggmlType: type) else {
                throw .unsupportedFormat(
                    file: path, tensor: printable(name),
                    format: ElementFormat.undecodedGGMLTypes[type] ?? "ggml type \(type)")
            }
            let entry = try TensorEntry(
                name: name, format: format, shape: shape, file: 0, offset: reader.offset, path: path)
            _ = try reader.skip(entry.byteCount)
            contents.entries.append(entry)
            reader.tensor = nil
        }
        guard names.count == expected else {
            throw reader.malformed("\(names.count) tensors, expected \(expected); the download may have been cut short")
        }
        guard reader.remaining == 0 else { throw reader.malformed("\(reader.remaining) bytes follow the last tensor") }
        return contents
    }

    // MARK: Header

    private static func header(_ reader: inout ByteReader) throws(CheckpointError) -> WhisperHeader {
        func size(_ name: String, _ range: ClosedRange<Int32>) throws(CheckpointError) -> Int {
            let value = try reader.integer(Int32.self)
            guard range.contains(value) else {
                throw reader.malformed("\(name) is \(value), which no Whisper model has")
            }
            return Int(value)
        }
        let vocabulary = try size("n_vocab", 1...1 << 18)
        let audioPositions = try size("n_audio_ctx", 1...1 << 16)
        let audioWidth = try size("n_audio_state", 1...1 << 16)
        let audioHeads = try size("n_audio_head", 1...1024)
        let audioLayers = try size("n_audio_layer", 1...1024)
        let textPositions = try size("n_text_ctx", 1...1 << 16)
        let textWidth = try size("n_text_state", 1...1 << 16)
        let textHeads = try size("n_text_head", 1...1024)
        let textLayers = try size("n_text_layer", 1...1024)
        let mels = try size("n_mels", 1...1024)
        _ = try size("ftype", 0...1 << 20)
        let dimensions = WhisperHeader.Dimensions(
            mels: mels, vocabulary: vocabulary, audioPositions: audioPositions, audioWidth: audioWidth,
            audioHeads: audioHeads, audioLayers: audioLayers, textPositions: textPositions, textWidth: textWidth,
            textHeads: textHeads, textLayers: textLayers)

        let rows = try reader.integer(Int32.self)
        let columns = try reader.integer(Int32.self)
        guard rows == mels, columns == frequencies else {
            throw reader.malformed("mel filters of \(rows) × \(columns), expected \(mels) × \(frequencies)")
        }
        var filters: [Float] = []
        for _ in 0..<mels * frequencies { filters.append(try reader.float()) }

        let tokenCount = try reader.integer(Int32.self)
        guard 0...vocabulary ~= Int(tokenCount) else {
            throw reader.malformed("\(tokenCount) tokens in a vocabulary of \(vocabulary)")
        }
        var tokens: [[UInt8]] = []
        for _ in 0..<tokenCount {
            let count = try reader.checkCount(
                UInt64(try reader.integer(UInt32.self)), minimumBytes: 1, what: "bytes of a token")
            tokens.append(try reader.bytes(count: count))
        }
        return WhisperHeader(dimensions: dimensions, tokens: tokens, melFilters: filters)
    }

    // MARK: Tensors

    private static func tensor(
        _ reader: inout ByteReader
    ) throws(CheckpointError) -> (name: String, type: UInt32, shape: [Int]) {
        let rank = try reader.integer(Int32.self)
        let nameLength = try reader.integer(Int32.self)
        let type = try reader.integer(UInt32.self)
        guard 1...mostDimensions ~= Int(rank), 1...longestName ~= Int(nameLength) else {
            throw reader.malformed(
                "a tensor of \(rank) dimensions with a name of \(nameLength) bytes before byte \(reader.offset)")
        }
        var dimensions: [Int] = []
        for _ in 0..<rank { dimensions.append(Int(try reader.integer(Int32.self))) }
        let name = try reader.text(count: Int(nameLength), what: "a tensor's name")
        reader.tensor = name
        // The biases of convolutions are columns.
        if rank == 2, dimensions[0] == 1 { dimensions.removeFirst() }
        return (name, type, dimensions.reversed())
    }
}
