import Foundation
import JSON
import TestSupport
import Testing

@testable import Media

@Suite struct ImageProcessorTests {
    private func make(_ json: String, fallback: String? = nil) throws -> any ImageProcessor {
        try ImageProcessors.make(configuration(json), fallback: fallback)
    }

    private func configuration(_ json: String) throws -> ImageProcessorConfiguration {
        try ImageProcessorConfiguration(
            JSONReader(parsing: Array(json.utf8), file: "preprocessor_config.json"))
    }

    private func bytes(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

    @Test("every bit as transformers' processors, over awkward sizes", arguments: Samples.processors)
    func transformers(sample: ProcessorSample) throws {
        let processor = try make(sample.configuration)
        let image = noise(width: sample.width, height: sample.height)
        let (layout, levels) = try processor.resizedPixels(of: image)
        #expect(levels.count == sample.count)
        #expect(checksum(levels) == sample.levels)
        let processed = try processor.process(image)
        #expect(checksum(bytes(processed.pixelValues)) == sample.values)
        #expect(processed.layout == layout)
        #expect(layout == (try processor.layout(width: sample.width, height: sample.height)))
        if let id = layout.aspectRatioID {
            #expect(sample.grid == [id, layout.slotMask.reduce(0, +)])
        } else if layout.endsWithWholePicture {
            #expect(sample.grid == [layout.rows, layout.columns])
        }
    }

    @Test(
        "the fixtures", .needsLargeFixtures,
        arguments: [
            ("llava", "abc"), ("mllama", "bcde"), ("smolvlm", "abc"), ("blip", "abc"), ("vit-gpt2", "ab"),
            ("trocr", "ab"), ("donut", "abc"), ("florence2", "abc"),
        ])
    func golden(model: String, pictures: String) throws {
        let golden = try Fixtures.golden(model)
        let processor = try Fixtures.imageProcessor(model)
        for letter in pictures {
            let image = try ImageFile.load(path: Fixtures.input("image_\(letter).png"))
            let name = "image_\(letter)"
            let (layout, levels) = try processor.resizedPixels(of: image)
            #expect(levels.map(Int.init) == (try golden.integers("\(name)/resized_u8")), "\(model) \(name)")
            let expected = try golden.floats("\(name)/pixel_values")
            let processed = try processor.process(image)
            #expect(processed.pixelValues.count == expected.count)
            #expect(largestDifference(processed.pixelValues, expected) == 0)
            #expect(levels.count == layout.slotCount * 3 * layout.tileHeight * layout.tileWidth)
            if model == "smolvlm" {
                #expect((try golden.integers("\(name)/pixel_attention_mask")).allSatisfy { $0 == 1 })
            }
        }
    }

    /// Checksums of transformers 4.57's `DonutImageProcessor` and `NougatImageProcessor`.
    @Test(
        "pages fitted and centered, and their margin cut off, as in transformers",
        arguments: [
            ("Donut", 50, 70, nil, 0xD3A4_DCC7_8586_BAFD), ("Donut", 100, 40, nil, 0xD66B_B85A_A896_6713),
            ("Donut", 30, 90, nil, 0xF6C2_2AA3_F7D5_D8E9), ("Donut", 44, 60, nil, 0x825C_C12C_1C0D_8C97),
            ("Donut", 200, 199, nil, 0x9A27_1A43_9788_D688), ("Donut", 13, 7, nil, 0xCDF3_F62E_2AD4_42D0),
            ("Nougat", 90, 120, PixelRectangle(x: 10, y: 20, width: 60, height: 80), 0x21F8_4F93_2526_E29C),
            ("Nougat", 120, 90, PixelRectangle(x: 5, y: 6, width: 105, height: 44), 0x8FA3_DCD0_1E55_FE8A),
            ("Nougat", 64, 64, PixelRectangle(x: 0, y: 0, width: 64, height: 64), 0x578D_09CF_9E4C_EB3A),
            ("Nougat", 50, 80, PixelRectangle(x: 20, y: 30, width: 4, height: 3), 0x55F5_70F9_FF4D_7931),
            ("Nougat", 40, 50, PixelRectangle(x: 0, y: 0, width: 0, height: 0), 0x6304_47AA_80A6_5BE9),
        ] as [(String, Int, Int, PixelRectangle?, UInt64)])
    func pages(type: String, width: Int, height: Int, part: PixelRectangle?, expected: UInt64) throws {
        let processor = try make(
            #"{"image_processor_type": "\#(type)ImageProcessor", "size": {"height": 60, "width": 44}}"#)
        var image = noise(width: width, height: height)
        if let part {
            // Noise on a white page.
            var pixels = [UInt8](repeating: 255, count: width * height * 3)
            if part.width > 0 {
                let print = noise(width: part.width, height: part.height).pixels
                for y in 0..<part.height {
                    for x in 0..<3 * part.width {
                        pixels[((part.y + y) * width + part.x) * 3 + x] = print[y * part.width * 3 + x]
                    }
                }
            }
            image = RGBImage(width: width, height: height, pixels: pixels)
        }
        let (layout, levels) = try processor.resizedPixels(of: image)
        #expect(checksum(levels) == expected)
        let tile = layout.tiles[0]
        #expect(layout.imageWidth == width && layout.imageHeight == height && layout.tileWidth == 44)
        // The tile's content is the page, at its place in the picture.
        let content = tile.content
        let seen = try #require(
            tile.pictureRectangle(x: content.x, y: content.y, width: content.width, height: content.height))
        let page = part.flatMap { $0.width > 4 ? $0 : nil }
        if let page, type == "Nougat" {
            #expect(abs(seen.x - Double(page.x)) <= 2 && abs(seen.y - Double(page.y)) <= 2)
            #expect(abs(seen.width - Double(page.width)) <= 4 && abs(seen.height - Double(page.height)) <= 4)
        }
    }

    @Test(
        "Mllama's aspect ratios", .needsLargeFixtures,
        arguments: [
            ("small", ["d"]), ("wide", ["e"]), ("tall", ["c"]), ("two", ["d", "b"]),
        ])
    func aspectRatios(prompt: String, pictures: [String]) throws {
        let golden = try Fixtures.golden("mllama")
        let processor = try Fixtures.imageProcessor("mllama")
        let layouts = try pictures.map {
            try processor.process(ImageFile.load(path: Fixtures.input("image_\($0).png"))).layout
        }
        #expect(layouts.map(\.aspectRatioID) == (try golden.integers("\(prompt)/aspect_ratio_ids")))
        #expect(layouts.flatMap(\.slotMask) == (try golden.integers("\(prompt)/aspect_ratio_mask")))
    }

    // MARK: Geometry

    private func patches(ofTile tile: Int, in layout: ImageLayout, size: Int) -> [PictureRectangle?] {
        PatchKey.keys(ofTile: tile, in: layout, patchSize: size).map(\.rectangle)
    }

    @Test("a crop's patches cover the middle of the picture, edge to edge")
    func cropGeometry() throws {
        let processor = try CLIPImageProcessor(
            configuration(#"{"size": {"shortest_edge": 70}, "crop_size": {"height": 70, "width": 70}}"#))
        let layout = try processor.layout(width: 280, height: 140)
        // Resized to 140×70, columns 35 ..< 105 kept: 70 … 210 of the original.
        let patches = patches(ofTile: 0, in: layout, size: 14)
        #expect(patches.count == 25)
        #expect(patches[0] == PictureRectangle(x: 70, y: 0, width: 28, height: 28))
        #expect(patches[24] == PictureRectangle(x: 182, y: 112, width: 28, height: 28))
    }

    @Test("patches of padding have no rectangle, patches at the edge a part")
    func padding() throws {
        var configuration = ImageProcessorConfiguration(type: "Mllama")
        configuration.size = .init(height: 42, width: 42)
        let processor = try MllamaImageProcessor(configuration)
        // 80×38 enlarged to 84×39 on 1×2 tiles.
        let layout = try processor.layout(width: 80, height: 38)
        #expect(layout.rows == 1 && layout.columns == 2 && layout.slotCount == 4 && layout.tiles.count == 2)
        let right = patches(ofTile: 1, in: layout, size: 14)
        #expect(right.count == 9)
        let last = try #require(right[8])
        #expect(abs(last.x + last.width - 80) < 1e-9 && abs(last.y + last.height - 38) < 1e-9)
        let tall = try processor.layout(width: 10, height: 130)
        #expect(patches(ofTile: 0, in: tall, size: 14).contains { $0 == nil })
    }

    @Test(
        "Idefics3's tiles cover the picture once, and the last one again",
        arguments: [(112, 112), (97, 53), (41, 130), (1000, 10)])
    func tiles(width: Int, height: Int) throws {
        var configuration = ImageProcessorConfiguration(type: "SmolVLM")
        configuration.size = .init(longestEdge: 112)
        configuration.maxImageSize = .init(longestEdge: 56)
        let layout = try Idefics3ImageProcessor(configuration).layout(width: width, height: height)
        let areas = layout.tiles.indices.map { tile in
            patches(ofTile: tile, in: layout, size: 28).compactMap { $0 }.reduce(0) { $0 + $1.width * $1.height }
        }
        let area = Double(width * height)
        #expect(abs(areas.last! - area) < 1e-6 * area)
        if layout.rows > 0 { #expect(abs(areas.dropLast().reduce(0, +) - area) < 1e-6 * area) }
        let corner = try #require(patches(ofTile: layout.tiles.count - 1, in: layout, size: 28).last ?? nil)
        #expect(abs(corner.x + corner.width - Double(width)) < 1e-9)
    }

    @Test("a strip's middle costs no more than the crop")
    func strip() throws {
        let processor = try CLIPImageProcessor(.init())
        let strip = RGBImage(width: 20_000, height: 1, pixels: [UInt8](repeating: 9, count: 60_000))
        let processed = try processor.process(strip)
        #expect(processed.pixelValues.count == 3 * 224 * 224)
    }

    // MARK: What cannot be

    @Test(
        "settings that make no sense are refused",
        arguments: [
            #"{}"#, #"{"image_processor_type": "Nobody"}"#, #"[]"#, #"not json"#,
            #"{"image_processor_type": "ViTImageProcessor", "size": {"height": 0, "width": 4}}"#,
            #"{"image_processor_type": "ViTImageProcessor", "size": {"height": 99999999999, "width": 4}}"#,
            #"{"image_processor_type": "ViTImageProcessor", "size": 8192}"#,
            #"{"image_processor_type": "CLIPImageProcessor", "crop_size": 8192}"#,
            #"{"image_processor_type": "DonutImageProcessor", "size": {"height": 8192, "width": 8192}}"#,
            #"{"image_processor_type": "MllamaImageProcessor", "size": {"height": 2049, "width": 2049}, "max_image_tiles": 4}"#,
            #"{"image_processor_type": "ViTImageProcessor", "size": "large"}"#,
            #"{"image_processor_type": "ViTImageProcessor", "image_mean": [1]}"#,
            #"{"image_processor_type": "ViTImageProcessor", "image_std": [1, 0, 1]}"#,
            #"{"image_processor_type": "ViTImageProcessor", "resample": 17}"#,
            #"{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 4, "longest_edge": 9}}"#,
            #"{"image_processor_type": "MllamaImageProcessor", "size": {"height": 4, "width": 5}}"#,
            #"{"image_processor_type": "MllamaImageProcessor", "size": {"height": 8000, "width": 8000}, "max_image_tiles": 64}"#,
            #"{"image_processor_type": "MllamaImageProcessor", "max_image_tiles": -1}"#,
            #"{"image_processor_type": "Idefics3ImageProcessor", "size": {"longest_edge": 8000}, "max_image_size": {"longest_edge": 1}}"#,
        ])
    func nonsense(json: String) {
        #expect { try make(json) } throws: { $0 is MediaError || $0 is JSONError }
    }

    @Test("a checkpoint without a name gets the one assumed for it")
    func fallback() throws {
        #expect(try make(#"{"size": 32}"#, fallback: "ViT") is ViTImageProcessor)
    }
}
