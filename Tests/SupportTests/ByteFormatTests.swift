import Support
import Testing

@Suite("byte counts as text")
struct ByteFormatTests {
    @Test(
        "three significant figures",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (10_000, "9.77 KiB"),
            (100_000, "97.7 KiB"), (148 << 20, "148 MiB"), (-2048, "-2.0 KiB"), (5 << 40, "5.0 TiB"),
            (3 << 50, "3072 TiB"),
        ])
    func text(_ bytes: Int, _ text: String) { #expect(ByteFormat.text(bytes) == text) }

    @Test(
        "one digit after the point; what would be rounded to 1024.0 is in the next unit",
        arguments: [
            (512, "512 B"), (1536, "1.5 KiB"), (148 << 20, "148.0 MiB"), ((1 << 30) - 1, "1.0 GiB"),
            (3 << 50, "3072.0 TiB"),
        ])
    func fixed(_ bytes: Int, _ text: String) { #expect(ByteFormat.fixed(bytes) == text) }
}
