/// A whole request.
package struct HTTPRequest: Sendable {
    package let method: String
    /// Path without the query.
    package let path: String
    package let contentType: String?
    package let body: [UInt8]
    /// Address of the client, without its port.
    package let client: String
}

/// Rules for who may ask.
package struct AccessRule: Sendable {
    private let token: [UInt8]?

    /// - Parameter token: secret that every request carries; nil for a server that only this machine reaches.
    package init(token: String?) { self.token = token.map { Array($0.utf8) } }

    /// Checks a request by its headers.
    ///
    /// Without a token the browser is the danger: a page from elsewhere could ask a server on this machine. It is told
    /// apart by its `Origin`, and by the name it reached this address by.
    /// - Throws: `ServerError` 401 or 403.
    func check(path: String, authorization: String?, origin: String?, host: String?) throws(ServerError) {
        guard let token else {
            guard let host, Self.isLocal(host) else {
                throw ServerError(403, "this server answers to localhost and 127.0.0.1 only")
            }
            if let origin, origin != "http://\(host)" {
                throw ServerError(403, "pages from elsewhere may not use this server")
            }
            return
        }
        // The page itself has no secrets; it asks for the token. Health is for load balancers.
        if path == "/" || path == "/health" { return }
        let prefix = "bearer "
        guard let authorization, authorization.count > prefix.count,
            authorization.prefix(prefix.count).lowercased() == prefix,
            Self.equals(Array(authorization.dropFirst(prefix.count).utf8), token)
        else {
            throw ServerError(
                401, "the token is missing or wrong; send it as Authorization: Bearer TOKEN", code: "invalid_api_key")
        }
    }

    private static func isLocal(_ host: String) -> Bool {
        let name: Substring
        if host.hasPrefix("[") {
            name = host.prefix { $0 != "]" } + "]"
        } else {
            name = host.prefix { $0 != ":" }
        }
        return ["localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
    }

    /// Takes the same time wherever the difference is.
    private static func equals(_ given: [UInt8], _ secret: [UInt8]) -> Bool {
        var difference: UInt8 = given.count == secret.count ? 0 : 1
        for index in secret.indices { difference |= secret[index] ^ (index < given.count ? given[index] : 0) }
        return difference == 0
    }
}
