import Foundation

/// Sixteen statistics of a picture at 96 pixels, by which drawings on a plain ground differ from photographs: the detail
/// within blocks of 8 × 8 pixels, steps between neighboring pixels, changes between neighboring blocks, and colors.
///
/// The same as `statistics` in `assets/models/recipe/photographs.py`, which fits a model's check to them.
package enum PictureStatistics {
    private static let edge = 96, block = 8

    /// The statistics by name. All are finite.
    package static func values(of picture: RGBImage) -> [String: Double] {
        let scale = min(Double(edge) / Double(picture.width), Double(edge) / Double(picture.height))
        func scaled(_ side: Int) -> Int { min(edge, max(2 * block, Int(Double(side) * scale))) }
        let small = ImageResize.resize(
            picture, width: scaled(picture.width), height: scaled(picture.height), filter: .bilinear)
        let grid = BlockGrid(small, block: block)
        let detail = grid.detail.sorted(), change = grid.change.sorted(), steps = steps(of: small)
        func share(_ range: ClosedRange<Int>) -> Double {
            Double(steps.count { range.contains($0) }) / Double(steps.count)
        }
        func logarithm(_ sorted: [Double], _ share: Double) -> Double { log(quantile(sorted, share) + 0.5) }
        return [
            "detail10": logarithm(detail, 0.1), "detail25": logarithm(detail, 0.25),
            "detail50": logarithm(detail, 0.5), "detail75": logarithm(detail, 0.75),
            "detail90": logarithm(detail, 0.9), "detailSpread": deviation(detail.map { log($0 + 0.5) }),
            "equal": share(0...1), "near": share(2...6), "apart": share(7...24), "far": share(25...255),
            "change10": logarithm(change, 0.1), "change25": logarithm(change, 0.25),
            "change50": logarithm(change, 0.5), "change75": logarithm(change, 0.75),
            "colours": log(Double(colors(of: small))), "saturation": log(saturation(of: small) + 1),
        ]
    }

    /// The value below which a share of the sorted values lies, interpolated linearly.
    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1), below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
    }

    private static func deviation(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    }

    /// The largest difference of a channel between each pixel and its right and lower neighbors.
    private static func steps(of picture: RGBImage) -> [Int] {
        func step(_ first: Int, _ second: Int) -> Int {
            (0..<3).reduce(0) {
                max($0, abs(Int(picture.pixels[3 * first + $1]) - Int(picture.pixels[3 * second + $1])))
            }
        }
        var steps: [Int] = []
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let pixel = y * picture.width + x
                if x + 1 < picture.width { steps.append(step(pixel, pixel + 1)) }
                if y + 1 < picture.height { steps.append(step(pixel, pixel + picture.width)) }
            }
        }
        return steps
    }

    /// Number of colors of 4 bits a channel.
    private static func colors(of picture: RGBImage) -> Int {
        var seen: Set<Int> = []
        for pixel in stride(from: 0, to: picture.pixels.count, by: 3) {
            seen.insert((0..<3).reduce(0) { $0 << 4 | Int(picture.pixels[pixel + $1] >> 4) })
        }
        return seen.count
    }

    /// Mean difference between the largest and the smallest channel.
    private static func saturation(of picture: RGBImage) -> Double {
        var sum = 0
        for pixel in stride(from: 0, to: picture.pixels.count, by: 3) {
            let channels = picture.pixels[pixel..<pixel + 3]
            sum += Int(channels.max() ?? 0) - Int(channels.min() ?? 0)
        }
        return Double(sum) / Double(picture.width * picture.height)
    }
}

/// A picture cut into square blocks; what is left at the right and at the bottom is not looked at.
private struct BlockGrid {
    /// Root mean square deviation of each block from a plane.
    private(set) var detail: [Double] = []
    private let means: [[Double]]
    private let columns: Int

    init(_ picture: RGBImage, block: Int) {
        columns = picture.width / block
        let rows = picture.height / block, count = Double(block * block)
        let center = Double(block - 1) / 2
        // The sum of squared offsets along one axis, over the whole block.
        let spread = Double(block) * (0..<block).reduce(0) { $0 + (Double($1) - center) * (Double($1) - center) }
        var means: [[Double]] = []
        for row in 0..<rows {
            for column in 0..<columns {
                var residual = 0.0, mean = [0.0, 0.0, 0.0]
                for channel in 0..<3 {
                    var sum = 0.0, squares = 0.0, slopeX = 0.0, slopeY = 0.0
                    for y in 0..<block {
                        for x in 0..<block {
                            let pixel = (row * block + y) * picture.width + column * block + x
                            let value = Double(picture.pixels[3 * pixel + channel])
                            sum += value
                            squares += value * value
                            slopeX += value * (Double(x) - center)
                            slopeY += value * (Double(y) - center)
                        }
                    }
                    mean[channel] = sum / count
                    residual += max(0, squares - sum * sum / count - (slopeX * slopeX + slopeY * slopeY) / spread)
                }
                detail.append((residual / (3 * count)).squareRoot())
                means.append(mean)
            }
        }
        self.means = means
    }

    /// The largest difference of a channel's mean between each block and its right and lower neighbors.
    var change: [Double] {
        func difference(_ first: Int, _ second: Int) -> Double {
            zip(means[first], means[second]).reduce(0) { max($0, abs($1.0 - $1.1)) }
        }
        return means.indices.flatMap { index in
            (index % columns + 1 < columns ? [difference(index, index + 1)] : [])
                + (index + columns < means.count ? [difference(index, index + columns)] : [])
        }
    }
}
