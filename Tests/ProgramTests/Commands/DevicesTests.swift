import Foundation
import TestSupport
import Testing

/// `fovea devices`, and what happens where there is none.
@Suite(.serialized) struct DevicesTests {
    @Test func everyDeviceIsListedAndOneIsChosen() async throws {
        let run = try await Program.run("devices")
        #expect(run.code == 0, "\(run.words)")
        #expect(run.output.hasPrefix("0: "))
        #expect(run.output.components(separatedBy: "← chosen").count == 2)
    }

    @Test func jsonHoldsWhatTheTextShows() async throws {
        let run = try await Program.run("devices", "--json")
        let devices = try #require(run.json as? [[String: Any]])
        #expect(run.code == 0)
        #expect(run.words.isEmpty)
        #expect(devices.filter { $0["chosen"] as? Bool == true }.count == 1)
        for device in devices {
            for key in [
                "index", "name", "kind", "driver", "api_version", "suitable", "missing", "subgroup_size",
                "memory_heaps", "features", "limits",
            ] {
                #expect(device[key] != nil, "\(key)")
            }
        }
    }

    @Test(arguments: [["devices", "--device", "no such card"], ["--device", "no such card", "devices"]])
    func anUnknownDeviceIsNamedWithThoseThatAreThere(_ arguments: [String]) async throws {
        let run = try await Program.run(arguments)
        #expect(run.code == 1)
        #expect(run.output.isEmpty)
        #expect(run.isOneClearLine)
        #expect(run.words.contains("no such card") && run.words.contains("Available: 0: "))
    }

    @Test func theEnvironmentChoosesToo() async throws {
        let run = try await Program.run("devices", environment: ["FOVEA_DEVICE": "no such card"])
        #expect(run.code == 1)
        #expect(run.words.contains("no such card"))
        // The command line has the last word.
        let both = try await Program.run("devices", "--device", "0", environment: ["FOVEA_DEVICE": "no such card"])
        #expect(both.code == 0)
    }

    @Test func withoutADriverItSaysWhatToInstall() async throws {
        let run = try await Program.run(
            "devices", environment: ["VK_DRIVER_FILES": "/dev/null", "VK_ICD_FILENAMES": "/dev/null"])
        #expect(run.code == 1)
        #expect(run.output.isEmpty)
        #expect(run.isOneClearLine)
        #expect(run.words.contains("no Vulkan driver was found") && run.words.contains("mesa-vulkan-drivers"))
    }
}
