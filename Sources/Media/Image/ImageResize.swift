#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Resampling filters, with the numbers of Pillow and of `resample` in `preprocessor_config.json`.
package enum ResampleFilter: Int, Sendable, CaseIterable, Decodable {
    case nearest = 0
    case lanczos = 1
    case bilinear = 2
    case bicubic = 3
    case box = 4
    case hamming = 5

    /// Half the width of the filter, in pixels of the coarser picture.
    var support: Double {
        switch self {
        case .nearest, .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    func weight(_ x: Double) -> Double {
        switch self {
        case .nearest, .box: return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear: return max(0, 1 - abs(x))
        case .hamming:
            let x = abs(x)
            if x == 0 { return 1 }
            return x >= 1 ? 0 : sinc(x) * (Double(Float(0.54)) + Double(Float(0.46)) * cos(Double.pi * x))
        case .bicubic:
            // R. Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -0.5.
            let a = -0.5, x = abs(x)
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
        case .lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
        }
    }

    private func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * Double.pi) / (x * Double.pi) }
}

/// A rectangle of whole pixels.
package struct PixelRectangle: Sendable, Equatable {
    package var x: Int
    package var y: Int
    package var width: Int
    package var height: Int

    package init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// Resizing with the arithmetic of Pillow's `Image.resize` for 8-bit pictures, bit by bit: the filter is stretched when the
/// picture shrinks (antialiasing), weights are fixed-point numbers of 22 bits, and each of the two passes rounds to 8 bits.
///
/// The order of the passes therefore matters. Rows are resized first, except that Pillow 13 and later begin with the columns
/// when the height shrinks by more than twice the pixels of the width (python-pillow/Pillow#9549); the exact condition was
/// determined by comparison with Pillow 13.0.0 on thousands of sizes. Older versions differ by a few levels on such pictures.
package enum ImageResize {
    /// - Parameters:
    ///   - width: pixels, positive
    ///   - height: pixels, positive
    ///   - window: the part of the result that is computed (default: all), which makes "resize, then crop" cheap.
    package static func resize(
        _ image: RGBImage, width: Int, height: Int, filter: ResampleFilter, window: PixelRectangle? = nil
    ) -> RGBImage {
        precondition(width > 0 && height > 0, "a picture has pixels")
        let window = window ?? PixelRectangle(x: 0, y: 0, width: width, height: height)
        precondition(
            window.x >= 0 && window.y >= 0 && window.width > 0 && window.height > 0 && window.x + window.width <= width
                && window.y + window.height <= height, "the window lies inside the result")
        if filter == .nearest { return nearest(image, width: width, height: height, window: window) }
        // A pass that changes no size is skipped, so that it does not blur.
        let columns = Weights(from: image.width, to: width, window: window.x..<window.x + window.width, filter: filter)
        let rows = Weights(from: image.height, to: height, window: window.y..<window.y + window.height, filter: filter)
        let whole = Plane(pixels: image.pixels, columns: 0..<image.width, rows: 0..<image.height)
        // The first pass computes only the part that the second one reads.
        let result: Plane
        if image.height > height, image.height - height > 2 * (image.width - width) {
            result = horizontal(vertical(whole, rows, columns: columns.inputs), columns, rows: rows.window)
        } else {
            result = vertical(horizontal(whole, columns, rows: rows.inputs), rows, columns: columns.window)
        }
        return RGBImage(width: window.width, height: window.height, pixels: result.pixels)
    }

    /// An intermediate part of a picture: pixels of `columns` × `rows`.
    private struct Plane {
        let pixels: [UInt8]
        let columns: Range<Int>
        let rows: Range<Int>

        func offset(x: Int, y: Int) -> Int { ((y - rows.lowerBound) * columns.count + x - columns.lowerBound) * 3 }
    }

    /// Resizes the lines of `rows`.
    private static func horizontal(_ plane: Plane, _ weights: Weights, rows: Range<Int>) -> Plane {
        let width = weights.window.count
        let pixels = [UInt8](unsafeUninitializedCapacity: width * rows.count * 3) { output, filled in
            plane.pixels.withUnsafeBufferPointer { input in
                weights.values.withUnsafeBufferPointer { values in
                    var target = 0
                    for y in rows {
                        for column in 0..<width {
                            var red = Weights.half, green = Weights.half, blue = Weights.half
                            let weight = column * weights.stride
                            var source = plane.offset(x: weights.first[column], y: y)
                            for tap in 0..<weights.taps[column] {
                                let w = values[weight + tap]
                                red &+= Int32(input[source]) &* w
                                green &+= Int32(input[source + 1]) &* w
                                blue &+= Int32(input[source + 2]) &* w
                                source += 3
                            }
                            output[target] = Weights.round(red)
                            output[target + 1] = Weights.round(green)
                            output[target + 2] = Weights.round(blue)
                            target += 3
                        }
                    }
                }
            }
            filled = width * rows.count * 3
        }
        return Plane(pixels: pixels, columns: weights.window, rows: rows)
    }

    /// Resizes the lines of `columns`.
    private static func vertical(_ plane: Plane, _ weights: Weights, columns: Range<Int>) -> Plane {
        let height = weights.window.count, rowBytes = columns.count * 3
        let pixels = [UInt8](unsafeUninitializedCapacity: rowBytes * height) { output, filled in
            var sums = [Int32](repeating: 0, count: rowBytes)
            plane.pixels.withUnsafeBufferPointer { input in
                sums.withUnsafeMutableBufferPointer { sums in
                    for row in 0..<height {
                        sums.update(repeating: Weights.half)
                        // Row by row, so that memory is read in order.
                        for tap in 0..<weights.taps[row] {
                            let w = weights.values[row * weights.stride + tap]
                            let source = plane.offset(x: columns.lowerBound, y: weights.first[row] + tap)
                            for i in 0..<rowBytes { sums[i] &+= Int32(input[source + i]) &* w }
                        }
                        for i in 0..<rowBytes { output[row * rowBytes + i] = Weights.round(sums[i]) }
                    }
                }
            }
            filled = rowBytes * height
        }
        return Plane(pixels: pixels, columns: columns, rows: weights.window)
    }

    private static func nearest(_ image: RGBImage, width: Int, height: Int, window: PixelRectangle) -> RGBImage {
        let scaleX = Double(image.width) / Double(width), scaleY = Double(image.height) / Double(height)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(window.width * window.height * 3)
        for y in window.y..<window.y + window.height {
            let row = min(Int((Double(y) + 0.5) * scaleY), image.height - 1) * image.width
            for x in window.x..<window.x + window.width {
                let source = (row + min(Int((Double(x) + 0.5) * scaleX), image.width - 1)) * 3
                pixels.append(contentsOf: image.pixels[source..<source + 3])
            }
        }
        return RGBImage(width: window.width, height: window.height, pixels: pixels)
    }

    /// The input pixels of each output pixel of a window, and their weights in units of 2⁻²².
    private struct Weights {
        let window: Range<Int>
        let stride: Int
        var first: [Int] = []
        var taps: [Int] = []
        /// `[window, stride]`.
        var values: [Int32]

        static let precision: Int32 = 22
        static let half: Int32 = 1 << (precision - 1)

        @inline(__always)
        static func round(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: max(0, min(255, sum >> precision))) }

        /// The range of input pixels.
        var inputs: Range<Int> { (first.min() ?? 0)..<(zip(first, taps).map(+).max() ?? 0) }

        init(from inputSize: Int, to outputSize: Int, window: Range<Int>, filter: ResampleFilter) {
            self.window = window
            guard inputSize != outputSize else {
                stride = 1
                first = Array(window)
                taps = [Int](repeating: 1, count: window.count)
                values = [Int32](repeating: 1 << Self.precision, count: window.count)
                return
            }
            let scale = Double(inputSize) / Double(outputSize)
            let stretch = max(scale, 1)
            let support = filter.support * stretch
            // No filter reads more than the whole picture.
            stride = min(Int(support.rounded(.up)) * 2 + 1, inputSize)
            values = [Int32](repeating: 0, count: window.count * stride)
            var weights = [Double](repeating: 0, count: stride)
            for (row, output) in window.enumerated() {
                let center = (Double(output) + 0.5) * scale
                // Toward zero, as a C cast does; then clamped to the picture.
                let low = max(0, Int(center - support + 0.5))
                let high = min(inputSize, Int(center + support + 0.5))
                let taps = high - low
                var sum = 0.0
                for tap in 0..<taps {
                    let weight = filter.weight((Double(tap + low) - center + 0.5) / stretch)
                    weights[tap] = weight
                    sum += weight
                }
                for tap in 0..<taps {
                    let weight = (sum == 0 ? weights[tap] : weights[tap] / sum) * Double(Int32(1) << Self.precision)
                    values[row * stride + tap] = Int32(weight < 0 ? weight - 0.5 : weight + 0.5)
                }
                first.append(low)
                self.taps.append(taps)
            }
        }
    }
}
