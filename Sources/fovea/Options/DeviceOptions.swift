import ArgumentParser
import Compute
import Foundation

/// Choice of the device.
struct DeviceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The device that computes: its number in `fovea devices`, a part of its name, or its kind (discrete, integrated, cpu).",
            discussion: "Also set by the environment variable FOVEA_DEVICE. The default is the fastest device.",
            valueName: "selector"))
    var device: String?

    /// The selector on the command line or in the environment.
    var selector: String? {
        if let device { return device }
        return Folders.environment["FOVEA_DEVICE"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Opens the device.
    func open() throws -> Device {
        // Choosing comes first: an unknown device is a clearer message than an unwritable cache.
        let instance = try Instance()
        let chosen = try Instance.choose(selector, from: instance.devices())
        return try Device(instance: instance, properties: chosen, pipelineCacheFolder: Folders.writableCache())
    }
}
