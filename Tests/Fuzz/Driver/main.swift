import CFuzzer
import Foundation

// `fuzz PARSER [option of libFuzzer | corpus]…` runs libFuzzer on one parser; `fuzz --list` prints their names.

/// The parser of this run, chosen before libFuzzer starts.
nonisolated(unsafe) var chosen = FuzzParser.all[0]

@_cdecl("LLVMFuzzerCustomMutator")
func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ longest: Int, _ seed: UInt32) -> Int {
    var random = Random(state: UInt64(seed))
    let mutator = Mutator(form: chosen.form) { input, longest, _ in
        guard longest > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: max(longest, input.count)) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            _ = buffer.initialize(fromContentsOf: input)
            count = LLVMFuzzerMutate(start, min(input.count, longest), longest)
        }
    }
    let result = mutator.mutate(Array(UnsafeBufferPointer(start: data, count: size)), longest: longest, &random)
    guard !result.isEmpty else { return LLVMFuzzerMutate(data, size, longest) }
    data.update(from: result, count: result.count)
    return result.count
}

var arguments = CommandLine.arguments
guard arguments.count > 1, arguments[1] != "--list" else {
    for parser in FuzzParser.all { print(parser.name, parser.otherSeeds.joined(separator: " ")) }
    exit(0)
}
guard let parser = FuzzParser.all.first(where: { $0.name == arguments[1] }) else {
    print("There is no parser \(arguments[1]); fuzz --list prints their names.")
    exit(2)
}
chosen = parser
arguments.remove(at: 1)

var count = CInt(arguments.count)
var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
exit(
    pointers.withUnsafeMutableBufferPointer { buffer in
        var values = buffer.baseAddress
        return LLVMFuzzerRunDriver(&count, &values) { data, size in
            _ = chosen.accepts(Array(UnsafeBufferPointer(start: data, count: size)))
            return 0
        }
    })
