import ModelStore
import Checkpoint

/// Configurations of well-known models, so that they can be planned for, and measured with random weights, without being
/// there.
enum KnownConfigurations {
    static var names: [String] { Assets.names(in: "configs") }

    /// A model on this machine, a folder or a file; else the configuration of a well-known model.
    static func location(of model: String) throws -> ModelLocation {
        do {
            return try ModelArgument.location(of: model)
        } catch {
            guard let known = path(of: model) else { throw error }
            return ModelLocation(path: known)
        }
    }

    /// The folder of a configuration by its name, or that of a model of the catalogue.
    static func path(of name: String) -> String? {
        let known = HubEntry.named(name)?.configuration ?? Catalogue.entry(named: name)?.configuration ?? name
        return names.contains(known) ? Assets.path("configs/\(known)") : nil
    }
}
