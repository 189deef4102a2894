import Compute
import Foundation
import Models

@testable import Generation

extension ChatFormat {
    /// The conversation as one text.
    func render(_ messages: [ChatMessage], addingGenerationPrompt: Bool, date: Date = Date()) throws -> String {
        try text(messages, addingGenerationPrompt: addingGenerationPrompt, date: date).string
    }
}

extension TextSession {
    /// Loads the text model of a folder.
    convenience init(path: String, contextLength: Int? = nil, on device: Device) throws {
        var files = try ModelFiles(path: path)
        files.options.contextLength = contextLength
        try self.init(try ModelRegistry.make(from: files), from: files, on: device)
    }
}
