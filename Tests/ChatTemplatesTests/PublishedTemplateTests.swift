import Foundation
import Testing

@testable import ChatTemplates

enum PublishedTemplates {
    /// The folder `data/templates` in `FOVEA_SHARED`, or in `../shared` beside the package; nil where there is none.
    static let folder: URL? = {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let shared =
            ProcessInfo.processInfo.environment["FOVEA_SHARED"].map { URL(filePath: $0) }
            ?? package.deletingLastPathComponent().appending(path: "shared")
        let folder = shared.appending(path: "data/templates")
        return FileManager.default.fileExists(atPath: folder.appending(path: "renderings.json").path) ? folder : nil
    }()
}

/// The published templates of `data/templates`: every rendering equals Jinja2's.
@Suite("Published templates", .enabled(if: PublishedTemplates.folder != nil, "no templates; set FOVEA_SHARED"))
struct PublishedTemplateTests {
    @Test func everyRendering() throws {
        let folder = try #require(PublishedTemplates.folder)
        let file = try TemplateValue(contentsOf: folder.appending(path: "renderings.json"))
        var count = 0
        for entry in file["templates"].elements {
            let name = entry["template"].text
            let source = String(
                decoding: try Data(contentsOf: folder.appending(path: name + ".jinja")), as: UTF8.self)
            let template = try Template(source)
            for item in entry["cases"].elements {
                let difference = RenderingCase(item).difference { template }
                #expect(difference == nil, "\(name)")
                count += 1
            }
        }
        #expect(count >= 1368)
    }
}
