import NumberFormats
import TestSupport
import Testing

@testable import Compute
import ComputeReference

/// Kernel selection is a pure function: tested here for devices that are not at hand.
@Suite("Kernel selection", .usesDevice)
struct SelectionTests {
    static func device(_ kind: DeviceKind, subgroup: Int, shared: Int = 49152, invocations: Int = 1024)
        -> DeviceProperties
    {
        var properties = DeviceProperties()
        properties.kind = kind
        properties.subgroupSize = subgroup
        properties.maxSharedMemoryBytes = shared
        properties.maxWorkgroupInvocations = invocations
        return properties
    }

    static let lavapipe = device(.cpu, subgroup: 8, shared: 32768)
    static let nvidia = device(.discrete, subgroup: 32)
    static let amd = device(.discrete, subgroup: 64, shared: 65536)
    static let intel = device(.integrated, subgroup: 16, shared: 32768)
    static let all = [lavapipe, nvidia, amd, intel]

    @Test("lavapipe shuffles; GPUs read rows in one stream, or tile")
    func linear() {
        func choice(_ rows: Int, _ device: DeviceProperties, _ format: ElementFormat = .f16) -> KernelChoice {
            LinearSelection.select(
                LinearProblem(rows: rows, outputs: 512, inputs: 512, format: format, hasWideRows: true), device)
        }
        #expect(
            choice(1, Self.lavapipe).variant == KernelVariant("linear/step_f16_address", constants: [1, 6, 0, 0, 0, 1]))
        #expect(
            choice(1, Self.lavapipe, .f32).variant
                == KernelVariant("linear/step_f32_address", constants: [1, 2, 0, 0, 0, 1]))
        #expect(
            choice(4, Self.lavapipe).variant == KernelVariant("linear/step_f16_address", constants: [4, 2, 0, 0, 0, 1]))
        #expect(
            choice(1500, Self.lavapipe)
                == KernelChoice(
                    KernelVariant("linear/shuffle_f16_address", constants: [32, 4, 0, 0, 1, 1]), x: 16, y: 47))
        #expect(
            choice(64, Self.lavapipe).variant.constants[0] == 32 && choice(40, Self.lavapipe).variant.constants[0] == 8)
        let byTexel = LinearProblem(
            rows: 1500, outputs: 512, inputs: 512, format: .f16, hasWideRows: true, load: .texel)
        #expect(
            LinearSelection.select(byTexel, Self.lavapipe).variant
                == KernelVariant("linear/shuffle_f16_texel", constants: [8, 4, 0, 0, 1, 1]))
        #expect(
            choice(1, Self.nvidia)
                == KernelChoice(KernelVariant("linear/row_f16", constants: [1, 2, 0, 1, 4, 0, 0, 1]), x: 64))
        #expect(choice(5, Self.amd).variant == KernelVariant("linear/row_f16", constants: [8, 1, 0, 1, 2, 0, 0, 1]))
        #expect(
            choice(1500, Self.nvidia)
                == KernelChoice(KernelVariant("linear/tile_f16", constants: [0, 1, 8, 1, 0]), x: 8, y: 24))
    }

    @Test("on GPUs few long rows are shared by subgroups, and large products get large tiles")
    func filling() {
        func choice(_ rows: Int, _ outputs: Int, _ inputs: Int, isGated: Bool = false) -> KernelChoice {
            LinearSelection.select(
                LinearProblem(
                    rows: rows, outputs: outputs, inputs: inputs, format: .q4_0, hasWideRows: true, isGated: isGated),
                Self.nvidia)
        }
        func split(_ choice: KernelChoice) -> UInt32 { choice.variant.constants[7] }
        // A subgroup has two rows; a workgroup four subgroups.
        #expect(split(choice(1, 1024, 4096)) == 4 && choice(1, 1024, 4096).groups.x == 512)
        #expect(split(choice(1, 2048, 4096)) == 2 && choice(1, 2048, 4096).groups.x == 512)
        #expect(split(choice(1, 4096, 4096)) == 1 && choice(1, 4096, 4096).groups.x == 512)
        #expect(split(choice(1, 1024, 1024)) == 2 && split(choice(1, 1024, 512)) == 1)
        #expect(choice(1, 1024, 1024, isGated: true).groups.x == 512)
        #expect(
            choice(2048, 4096, 4096)
                == KernelChoice(KernelVariant("linear/tile_q4_0", constants: [0, 1, 8, 2, 0]), x: 32, y: 16))
        #expect(
            choice(512, 4096, 4096, isGated: true)
                == KernelChoice(KernelVariant("linear/tile_q4_0", constants: [0, 1, 8, 2, 1]), x: 64, y: 4))
        #expect(
            choice(511, 4096, 4096)
                == KernelChoice(KernelVariant("linear/tile_q4_0", constants: [0, 1, 8, 1, 0]), x: 64, y: 8))
    }

    @Test(
        "GPUs with an instruction for products of bytes use it for weights in blocks, with units for matrices use them for many rows"
    )
    func instructions() {
        func choice(_ rows: Int, _ format: ElementFormat, outputs: Int = 4096, _ device: DeviceProperties)
            -> KernelChoice
        {
            LinearSelection.select(
                LinearProblem(rows: rows, outputs: outputs, inputs: 4096, format: format, hasWideRows: true), device)
        }
        var dots = Self.nvidia
        dots.acceleratesPackedDot = true
        #expect(
            choice(1, .q4_0, dots)
                == KernelChoice(KernelVariant("linear/dot_q4_0", constants: [1, 4, 0, 1, 4, 0, 0, 2]), x: 512))
        #expect(
            choice(5, .q4_k, outputs: 1024, dots).variant
                == KernelVariant("linear/dot_q4_k", constants: [8, 2, 0, 1, 4, 0, 0, 4]))
        #expect(
            choice(1, .f16, dots).variant.name == "linear/row_f16"
                && choice(100, .q4_0, dots).variant.name == "linear/tile_q4_0")

        var matrices = Self.nvidia
        matrices.cooperativeMatrix = MatrixShape(m: 16, n: 16, k: 16)
        #expect(
            choice(2048, .f16, matrices)
                == KernelChoice(
                    KernelVariant("linear/matrix_f16", constants: [0, 1, 8, 0, 16, 16, 16, 4, 2, 4, 32]), x: 32, y: 16))
        #expect(
            choice(64, .f16, matrices)
                == KernelChoice(
                    KernelVariant("linear/matrix_f16", constants: [0, 1, 4, 0, 16, 16, 16, 2, 2, 2, 32]), x: 64, y: 1))
        // Weights in two halves take slices half as deep; where shared memory is small, tiles are; or they are of f32.
        #expect(choice(2048, .q4_0, matrices).variant.constants == [0, 1, 8, 0, 16, 16, 16, 4, 2, 4, 16])
        matrices.maxSharedMemoryBytes = 32768
        #expect(
            choice(2048, .q4_0, matrices).groups.x == 64
                && choice(2048, .q4_0, matrices).variant.name == "linear/matrix_q4_0")
        matrices.maxSharedMemoryBytes = 16384
        #expect(
            choice(2048, .q4_0, matrices).variant.name == "linear/tile_q4_0"
                && choice(8, .f16, matrices).variant.name == "linear/row_f16")
    }

    @Test("lavapipe before Mesa 24 reads texels; nothing else does")
    func loadPaths() {
        func path(_ kind: DeviceKind, _ driver: String) -> LoadPath {
            var properties = Self.device(kind, subgroup: 8)
            properties.driverInfo = driver
            return LoadPath(properties)
        }
        #expect(path(.cpu, "Mesa 22.3.6 (LLVM 15.0.6)") == .texel)
        #expect(path(.cpu, "Mesa 23.3.1 (LLVM 17.0.1)") == .texel)
        #expect(path(.cpu, "Mesa 24.0.0 (LLVM 17.0.1)") == .address)
        #expect(path(.cpu, "Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6)") == .address)
        #expect(path(.cpu, "SwiftShader driver 5.0.0") == .address)
        #expect(path(.integrated, "Mesa 22.3.6") == .address)
    }

    @Test("norms and gates join few rows of x")
    func fusing() {
        #expect(
            LinearSelection.fuses(rows: 1, inputs: 576, Self.lavapipe)
                && LinearSelection.fuses(rows: 4, inputs: 36, Self.lavapipe))
        #expect(
            !LinearSelection.fuses(rows: 5, inputs: 576, Self.lavapipe)
                && !LinearSelection.fuses(rows: 1, inputs: 33, Self.lavapipe))
        #expect(
            LinearSelection.fuses(rows: 8, inputs: 576, Self.nvidia)
                && !LinearSelection.fuses(rows: 9, inputs: 576, Self.nvidia))
        let gated = LinearSelection.select(
            LinearProblem(
                rows: 1, outputs: 64, inputs: 64, format: .q4_1, activation: .silu, hasWideRows: true, norm: .layer,
                isGated: true),
            Self.lavapipe)
        #expect(gated == KernelChoice(KernelVariant("linear/step_q4_1_address", constants: [1, 6, 5, 2, 1, 1]), x: 3))
    }

    @Test(
        "grids cover every row and output exactly as far as the kernel guards", arguments: [1, 2, 5, 63, 64, 65, 1500])
    func coverage(_ rows: Int) {
        for device in Self.all {
            for outputs in [1, 7, 512, 51865] {
                let choice = LinearSelection.select(
                    LinearProblem(rows: rows, outputs: outputs, inputs: 64, format: .f16, hasWideRows: true), device)
                let constants = choice.variant.constants
                let (perGroupRows, perGroupOutputs): (Int, Int) =
                    switch choice.variant.name {
                    case "linear/shuffle_f16_address", "linear/step_f16_address":
                        (Int(constants[0]), Int(constants[1]) * device.subgroupSize)
                    case "linear/row_f16": (Int(constants[0]), Int(constants[1]) * Int(constants[4] / constants[7]))
                    case "linear/tile_f16": (64 * Int(constants[3]), 64 * Int(constants[3]))
                    default: (0, 0)
                    }
                #expect(
                    choice.groups.x * perGroupOutputs >= outputs && (choice.groups.x - 1) * perGroupOutputs < outputs)
                #expect(choice.groups.y * perGroupRows >= rows && (choice.groups.y - 1) * perGroupRows < rows)
            }
        }
    }

    @Test("every variant is a shader of this build")
    func shadersExist() {
        let names = Set(ShaderLibrary.names)
        for profile in KernelProfile.allCases {
            for format in LinearSelection.formats {
                for (rows, load) in [1, 3, 100].flatMap({ rows in LoadPath.allCases.map { (rows, $0) } }) {
                    let problem = LinearProblem(
                        rows: rows, outputs: 8, inputs: 8, format: format, hasWideRows: load == .texel, load: load)
                    #expect(names.contains(LinearSelection.select(problem, Self.nvidia, profile: profile).variant.name))
                }
                #expect(names.contains(EmbeddingSelection.select(rows: 1, format: format, isWide: true).variant.name))
            }
            for cache in [ElementFormat.f32, .f16] {
                let shape = AttentionShape(heads: 2, headDimension: 64)
                for choice in [
                    AttentionSelection.select(
                        shape, queries: 100, cache: cache, isWide: true, Self.nvidia, profile: profile),
                    AttentionSelection.select(
                        shape, queries: 100, cache: cache, isWide: true, load: .texel, Self.lavapipe),
                    AttentionDecodeSelection.select(
                        shape, rows: 1, cache: cache, isWide: true, load: .texel, Self.lavapipe),
                    AttentionSelection.rows(shape, rows: 1, cache: cache, isWide: true),
                    AttentionDecodeSelection.select(
                        shape, rows: 1, cache: cache, isWide: true, Self.nvidia, profile: profile),
                ] { #expect(names.contains(choice.variant.name)) }
            }
            #expect(names.contains(CandidatesSelection.merge(rows: 1, Self.nvidia, profile: profile).variant.name))
        }
        #expect(names.contains(CandidatesSelection.lists(rows: 1, columns: 1).variant.name))
        for (source, target) in ElementwiseSelection.conversions {
            #expect(
                names.contains(
                    ElementwiseSelection.convert(from: source, to: target, rows: 1, columns: 1, Self.nvidia).variant
                        .name))
        }
        #expect(
            names.contains(
                ElementwiseSelection.combine(activation: .silu, operation: .add, rows: 1, columns: 1, Self.nvidia)
                    .variant.name))
        #expect(names.contains(NormSelection.select(root: true, rows: 1, isWide: true).variant.name))
        #expect(names.contains(NormSelection.select(root: false, rows: 1, isWide: true).variant.name))
        for copies in [true, false] {
            #expect(names.contains(DeviceRatesSelection.memory(copies: copies, Self.nvidia).variant.name))
        }
        #expect(names.contains(DeviceRatesSelection.multiplyAdd(Self.nvidia).variant.name))
    }

    @Test("workgroups stay within the device's invocations and shared memory", arguments: [1, 5, 64, 80, 128, 256])
    func limits(_ headDimension: Int) {
        let shape = AttentionShape(heads: 4, headDimension: headDimension)
        let vectors = (headDimension + 3) / 4
        for device in Self.all + [Self.device(.integrated, subgroup: 32, shared: 16384, invocations: 128)] {
            let decode = AttentionDecodeSelection.select(
                shape, rows: 1, cache: .f32, isWide: true, device, profile: .coalesced
            ).variant
            let parts = Int(decode.constants[2])
            #expect(parts >= 1 && parts * device.subgroupSize <= device.maxWorkgroupInvocations)
            #expect(parts * (vectors * 16 + 8) <= device.maxSharedMemoryBytes)
            guard device.maxSharedMemoryBytes >= 32768 || headDimension <= 128 else { continue }
            let tile = AttentionSelection.select(
                shape, queries: 100, cache: .f32, isWide: true, device, profile: .coalesced
            ).variant
            let (queries, keys) = (Int(tile.constants[2]), Int(tile.constants[3]))
            #expect(Int(tile.constants[4]) * device.subgroupSize == 4 * queries)
            #expect((queries + keys) * (vectors + 1) * 16 + queries * (keys + 1) * 4 <= device.maxSharedMemoryBytes)
        }
    }

    @Test("the measuring kernels give figures a device can have")
    func rates() throws {
        let stream = try CommandStream(device: TestDevice.open())
        let rates = try stream.measureRates(repetitions: 1)
        #expect(rates.readBytesPerSecond > 1e6 && rates.readBytesPerSecond < 1e13)
        #expect(rates.copyBytesPerSecond > 1e6 && rates.copyBytesPerSecond < 1e13)
        #expect(rates.multiplyAddOperationsPerSecond > 1e6 && rates.multiplyAddOperationsPerSecond < 1e15)
        #expect(
            (rates.matrixOperationsPerSecond != nil) == (DeviceRatesSelection.matrix(stream.device.properties) != nil))
        if let matrices = rates.matrixOperationsPerSecond { #expect(matrices > 1e6 && matrices < 1e16) }
    }
}
