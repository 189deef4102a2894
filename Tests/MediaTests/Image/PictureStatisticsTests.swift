import Foundation
import TestSupport
import Testing

@testable import Media

@Suite struct PictureStatisticsTests {
    /// `statistics(at_model_size(...))` of `assets/models/recipe/photographs.py` for `fovea-scenes/sample.png`.
    private static let reference: [String: Double] = [
        "detail10": -0.282446, "detail25": -0.267358, "detail50": -0.248523, "detail75": 0.773141,
        "detail90": 3.473782, "detailSpread": 1.533165, "equal": 0.888596, "near": 0.016118, "apart": 0.033059,
        "far": 0.062226, "change10": -0.693147, "change25": -0.693147, "change50": 1.909543, "change75": 3.103044,
        "colours": 5.198497, "saturation": 4.096947,
    ]

    @Test func statisticsAreThoseOfTheRecipe() throws {
        let path = Fixtures.packageRoot.appending(path: "assets/models/fovea-scenes/sample.png").path
        let values = PictureStatistics.values(of: try ImageFile.load(path: path))
        #expect(Set(values.keys) == Set(Self.reference.keys))
        for (name, expected) in Self.reference {
            let value = try #require(values[name])
            #expect(abs(value - expected) < 2e-6, "\(name)")
        }
    }

    @Test(arguments: [(1, 1), (1, 5000), (5000, 1), (7, 9), (96, 95)])
    func picturesOfAnyShapeHaveFiniteStatistics(width: Int, height: Int) {
        let picture = RGBImage(
            width: width, height: height, pixels: [UInt8](repeating: 200, count: width * height * 3))
        let values = PictureStatistics.values(of: picture).values
        #expect(values.filter { !$0.isFinite }.isEmpty)
    }
}
