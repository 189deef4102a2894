import Checkpoint
import Foundation

/// What a person means by `MODEL`.
enum ModelArgument {
    /// The path of a folder or file of weights.
    static func path(_ model: String) throws -> String {
        model
    }
}
