import Checkpoint
import Foundation
import JSON
import Media
import Models
import TestSupport
import Testing

@testable import Generation

@Suite struct PictureCheckTests {
    private static let models = Fixtures.packageRoot.appending(path: "assets/models")

    private func check(_ model: String) throws -> PictureCheck {
        try #require(try PictureCheck(of: ModelFiles(path: Self.models.appending(path: model).path)))
    }

    @Test(arguments: ["fovea-scenes", "fovea-scenes-llava"])
    func heldOutScenesAreFamiliar(model: String) throws {
        let check = try check(model), folder = Self.models.appending(path: "questions")
        let unfamiliar = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            try !check.isFamiliar(ImageFile.load(path: folder.appending(path: $0).path))
        }
        #expect(unfamiliar.sorted() == ["086.webp", "198.webp"])
        let sample = try ImageFile.load(path: Self.models.appending(path: "\(model)/sample.png").path)
        #expect(check.isFamiliar(sample))
    }

    @Test(.enabled(if: Fixtures.available, "the reference data are not beside the checkout"))
    func photographsAreNot() throws {
        let check = try check("fovea-scenes"), folder = Fixtures.data.appending(path: "photos")
        let photographs = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(".jpg")
        }
        #expect(photographs.count == 3)
        for name in photographs {
            #expect(try !check.isFamiliar(ImageFile.load(path: folder.appending(path: name).path)), "\(name)")
        }
    }

    @Test func otherModelsHaveNoCheck() throws {
        #expect(try PictureCheck(of: ModelFiles(path: Self.models.appending(path: "fovea-fra-eng").path)) == nil)
    }
}
