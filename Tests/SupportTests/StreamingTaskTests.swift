import Support
import Synchronization
import Testing

@Suite("Streaming tasks")
struct StreamingTaskTests {
    struct Failure: Error {}

    @Test("elements arrive in order, then the error") func elements() async {
        let stream = AsyncThrowingStream<Int, any Error>.running { yield in
            for number in 0..<5 { yield(number) }
            throw Failure()
        }
        var seen: [Int] = []
        await #expect(throws: Failure.self) { for try await number in stream { seen.append(number) } }
        #expect(seen == [0, 1, 2, 3, 4])
    }

    @Test("ending the stream cancels the work", .timeLimit(.minutes(1))) func cancellation() async throws {
        let (ended, end) = AsyncStream<Void>.makeStream()
        let reader = Task {
            let stream = AsyncThrowingStream<Int, any Error>.running { yield in
                yield(1)
                defer { end.finish() }
                try await Task.sleep(for: .seconds(3600))
            }
            for try await _ in stream { break }
        }
        try await reader.value
        for await _ in ended {}
    }
}
