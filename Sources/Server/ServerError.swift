import Foundation

/// A request that is refused, or that failed: a status of HTTP and an error of OpenAI's form.
package struct ServerError: Error, Sendable, Hashable {
    /// Status of HTTP.
    package let status: Int
    package let message: String
    /// The parameter that is wrong.
    package let parameter: String?
    /// OpenAI's name of the problem, for programs.
    package let code: String?

    package init(_ status: Int, _ message: String, parameter: String? = nil, code: String? = nil) {
        self.status = status
        self.message = message
        self.parameter = parameter
        self.code = code
    }

    /// OpenAI's class of the error.
    private var type: String {
        switch status {
        case 401: "authentication_error"
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        default: "server_error"
        }
    }

    private struct Document: Encodable {
        struct Body: Encodable {
            let message: String
            let type: String
            let param: String?
            let code: String?

            private enum CodingKeys: String, CodingKey { case message, type, param, code }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(message, forKey: .message)
                try container.encode(type, forKey: .type)
                // Clients expect these keys, with null where nothing is known.
                try container.encode(param, forKey: .param)
                try container.encode(code, forKey: .code)
            }
        }
        let error: Body
    }

    /// `{"error": {"message", "type", "param", "code"}}`
    package var json: String {
        let body = Document.Body(message: message, type: type, param: parameter, code: code)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(Document(error: body)) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
