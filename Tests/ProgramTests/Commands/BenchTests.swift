import Foundation
import TestSupport
import Testing

/// `fovea bench` on models that take pictures among a text.
@Suite("fovea bench with a picture", .enabled(if: Program.isBuilt && Fixtures.available), .serialized)
struct PictureBenchTests {
    @Test(
        "tower, prompt and decoder are measured, and the figures add up",
        arguments: [("llava", 3), ("smolvlm", 2), ("mllama", 5)])
    func bench(_ name: String, _ decoderLayers: Int) async throws {
        let model = Fixtures.model(name).path
        let run = try await Program.run(
            "bench", model, "--tokens", "4", "--repeats", "1", "--skip-first-token", "--json")
        #expect(run.code == 0, "\(run.words)")
        let report = try #require(run.json as? [String: Any])
        func number(_ key: String) -> Double { report[key] as? Double ?? 0 }
        #expect(number("encoder_seconds") > 0 && number("picture_tiles") >= 1 && number("prefill_seconds") > 0)

        // Operations by kernel are those of the phase.
        let kernels = try #require(report["kernels"] as? [[String: Any]])
        func sum(_ phase: String, _ key: String, of prefix: String = "") -> Double {
            kernels.filter { $0["phase"] as? String == phase && ($0["kernel"] as? String ?? "").hasPrefix(prefix) }
                .reduce(0) { $0 + ($1[key] as? Double ?? 0) }
        }
        for phase in ["encoder", "prefill"] {
            let operations = number("\(phase)_operations")
            #expect(operations > 0 && abs(sum(phase, "operations") - operations) <= operations * 1e-9, "\(phase)")
            #expect(sum(phase, "seconds") > 0)
        }
        // Every layer of the decoder ran, cross-attention to the picture among them.
        #expect(sum("decode", "dispatches", of: "attention/decode") >= Double(4 * decoderLayers))

        // All weights are counted as weights, and the tower's are not read by every token.
        let plan = try await Program.run("plan", model, "--json")
        let purposes = try #require((plan.json as? [String: Any])?["purposes"] as? [[String: Any]])
        func bytes(_ prefix: String) -> Double {
            purposes.filter { ($0["purpose"] as? String ?? "").hasPrefix(prefix) }.reduce(0) {
                $0 + ($1["bytes"] as? Double ?? 0)
            }
        }
        #expect(bytes("weights.vision") > 0 && number("weight_bytes") == bytes("weights."))
        let perToken = number("decode_bytes_per_token")
        #expect(perToken > bytes("kv.cross") + bytes("weights.decoder") / 2)
        #expect(perToken < bytes("kv.") + bytes("weights.decoder"))
    }
}

/// `fovea bench` on a speech model, the time to the first token included.
@Suite("fovea bench with sound", .enabled(if: Program.isBuilt && Fixtures.available), .serialized)
struct SpeechBenchTests {
    @Test("spectrogram, encoder, decoder and first token are measured")
    func bench() async throws {
        let run = try await Program.run(
            "bench", Fixtures.model("whisper-80").path, "--tokens", "4", "--repeats", "1", "--json")
        #expect(run.code == 0, "\(run.words)")
        let report = try #require(run.json as? [String: Any])
        for key in [
            "log_mel_seconds", "encoder_seconds", "encoder_operations", "prefill_seconds", "first_token_cold_seconds",
            "first_token_warm_seconds", "decode_bytes_per_token",
        ] {
            #expect(report[key] as? Double ?? 0 > 0, "\(key)")
        }
        let decode = try #require(report["decode"] as? [[String: Any]])
        #expect(decode.map { $0["capture"] as? String } == ["off", "watched", "everything"])
        #expect(decode.allSatisfy { ($0["seconds_per_token"] as? Double ?? 0) > 0 })
        let phases = Set((report["kernels"] as? [[String: Any]] ?? []).compactMap { $0["phase"] as? String })
        #expect(phases == ["encoder", "prefill", "decode"])
    }
}
