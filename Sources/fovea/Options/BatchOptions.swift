import ArgumentParser
import AttentionTypes

/// Options of `fovea trace` for many inputs.
struct BatchOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Rows to trace, a JSON Lines file.", valueName: "file"))
    var batch: String?

    @Flag(name: .long, help: "Trace rows from standard input, one line of JSON each, until it ends.")
    var worker = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Part of the batch to do, counted from 0; by default that of the Slurm array task, or all.",
            valueName: "i/n"))
    var shard: BatchShard?

    @Option(name: .long, help: ArgumentHelp("Print the state of a batch's folder.", valueName: "folder"))
    var status: String?

    @Option(
        name: .long, help: ArgumentHelp("Check a complete batch's shards and write its manifest.", valueName: "folder"))
    var merge: String?

    @Option(
        name: .long, help: ArgumentHelp("Heads whose attention is kept; all by default.", valueName: "0,3"),
        transform: IDList.parse)
    var heads: [Int]?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Form of the kept rows: none (whole), mean-heads, topk:K (the greatest weights), pointing (the greatest).",
            valueName: "form"))
    var reduce = AttentionReduction.none

    @Option(name: .long, help: "Number format of the kept weights.")
    var dtype = KeptElement.f16

    @Option(name: .long, help: "Rows of a prompt's attention that are kept.")
    var promptRows = KeptPromptRows.last

    var hasManyInputs: Bool { batch != nil || worker }

    func validate() throws {
        let modes = [batch != nil, worker, status != nil, merge != nil].count { $0 }
        if modes > 1 { throw ValidationError("--batch, --worker, --status and --merge exclude each other") }
        if shard != nil, batch == nil { throw ValidationError("--shard belongs to --batch") }
        if !hasManyInputs, heads != nil || reduce != .none || dtype != .f16 || promptRows != .last {
            throw ValidationError("--heads, --reduce, --dtype and --prompt-rows belong to --batch and --worker")
        }
    }

    func selection(kinds: [AttentionKind], layers: [Int]?) -> KeptAttention {
        KeptAttention(
            kinds: AttentionKind.allCases.filter(kinds.contains), layers: layers, heads: heads, reduction: reduce,
            element: dtype, promptRows: promptRows)
    }
}
