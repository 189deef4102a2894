import Testing

@testable import Media

@Suite struct ImageResizeTests {
    @Test("every bit as Pillow's", arguments: Samples.resizes)
    func pillow(sample: ResizeSample) throws {
        let filter = try #require(ResampleFilter(rawValue: sample.filter))
        let result = ImageResize.resize(
            noise(width: 61, height: 44), width: sample.width, height: sample.height, filter: filter)
        #expect(result.width == sample.width && result.height == sample.height)
        #expect(checksum(result.pixels) == sample.checksum)
    }

    @Test("a window is the same as cropping the whole", arguments: ResampleFilter.allCases)
    func window(filter: ResampleFilter) {
        let image = noise(width: 40, height: 30)
        for (width, height) in [(17, 53), (40, 11), (9, 30), (40, 30)] {
            let whole = ImageResize.resize(image, width: width, height: height, filter: filter)
            let window = PixelRectangle(x: 2, y: 3, width: width - 5, height: height - 4)
            let part = ImageResize.resize(image, width: width, height: height, filter: filter, window: window)
            for y in 0..<window.height {
                let start = ((y + 3) * width + 2) * 3
                let row = part.pixels[y * window.width * 3..<(y + 1) * window.width * 3]
                #expect(Array(row) == Array(whole.pixels[start..<start + window.width * 3]))
            }
        }
    }
}
