import CVulkan
import NumberFormats
import Synchronization

/// An ordered stream of device work.
///
/// Commands are recorded as they are issued, ordered by what they read and write, and submitted in pieces of at most
/// about 100 ms, so that a display or a driver's watchdog is never starved. A timeline semaphore tells how far the
/// device has come. A stream belongs to one thread at a time.
package final class CommandStream {
    package let device: Device

    /// When set, every dispatch is timed on the device; see `takeTimings()`.
    package var isProfiling = false { didSet { if !isProfiling { profiler = nil } } }

    private let pool: VkCommandPool
    private let timeline: VkSemaphore
    /// The value the timeline reaches when the newest submission is done.
    package private(set) var submitted: UInt64 = 0
    private var recorder: CommandRecorder?
    private var capturing: CommandRecorder?
    private var warmUp: WarmUp?
    private var free: [VkCommandBuffer] = []
    private var inFlight: [(value: UInt64, commands: VkCommandBuffer?, buffers: [ObjectIdentifier: Buffer])] = []
    private var pendingOperations = 0.0
    private var profiler: Profiler?
    private var timings: [KernelTiming] = []

    /// Dispatches recorded since the stream was made, replays included.
    package private(set) var dispatchCount = 0
    /// Submissions made since the stream was made.
    package private(set) var submissionCount = 0

    package init(device: Device) throws(ComputeError) {
        self.device = device
        var poolInfo = VkCommandPoolCreateInfo()
        poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO
        poolInfo.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT.rawValue
        poolInfo.queueFamilyIndex = device.queueFamily
        var pool: VkCommandPool?
        try check("vkCreateCommandPool", vkCreateCommandPool(device.handle, &poolInfo, nil, &pool))
        var semaphore: VkSemaphore?
        var typeInfo = VkSemaphoreTypeCreateInfo()
        typeInfo.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO
        typeInfo.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE
        let handle = device.handle
        let result = withUnsafePointer(to: &typeInfo) { typeInfo in
            var info = VkSemaphoreCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO
            info.pNext = UnsafeRawPointer(typeInfo)
            return vkCreateSemaphore(handle, &info, nil, &semaphore)
        }
        guard result == VK_SUCCESS, let pool, let semaphore else {
            vkDestroyCommandPool(device.handle, pool, nil)
            try check("vkCreateSemaphore", result)
            throw .vulkan(operation: "vkCreateCommandPool", result: .initializationFailed)
        }
        self.pool = pool
        timeline = semaphore
    }

    deinit {
        // Work still running uses our buffers: let it end before they go. A lost device runs nothing.
        try? waitUntil(submitted)
        // Mesa's submitting thread uses the semaphore for a moment after it has signalled it; destroying it in between
        // makes that thread write into freed memory. With an idle queue the thread is done.
        if submitted > 0, !device.isLost { device.queueLock.withLock { _ in _ = vkQueueWaitIdle(device.queue) } }
        vkDestroySemaphore(device.handle, timeline, nil)
        vkDestroyCommandPool(device.handle, pool, nil)
    }

    // MARK: Issuing work

    /// Issues one kernel.
    /// - Parameters:
    ///   - push: the kernel's push constants, at most 128 bytes.
    ///   - reads: all it reads; `writes`: all it writes. Ordering rests on these being complete.
    ///   - views: buffers read as texels, in the order of the kernel's bindings; see `LoadPath.texel`.
    ///   - operations: about how many floating-point operations it does, for splitting submissions.
    package func dispatch<Push: BitwiseCopyable>(
        _ variant: KernelVariant, groups: (x: Int, y: Int, z: Int), push: Push, reads: [MemoryRange],
        writes: [MemoryRange],
        views: [Buffer] = [], label: String, operations: Double = 0
    ) throws(ComputeError) {
        precondition(
            MemoryLayout<Push>.size <= PipelineTable.pushConstantBytes, "push constants of \(variant) exceed 128 bytes")
        if groups.x == 0 || groups.y == 0 || groups.z == 0 { return }
        let limits = device.properties.maxWorkgroupCount
        precondition(
            groups.x <= limits[0] && groups.y <= limits[1] && groups.z <= limits[2],
            "grid \(groups) of \(variant) exceeds the device's \(limits)")
        if isDryRun {
            warmUp?.add(variant, views: views)
            return
        }
        let pipeline = try device.pipelines.pipeline(for: variant)
        let set = views.isEmpty ? nil : try device.views.set(for: views)
        dispatchCount += 1
        if capturing != nil {
            withUnsafeBytes(of: push) {
                capturing?.dispatch(pipeline, groups: groups, push: $0, views: set, reads: reads, writes: writes)
            }
            return
        }
        try beginIfNeeded()
        let timing =
            isProfiling ? try profilerForPiece().begin(label: label, variant: variant, operations: operations) : nil
        if let timing, let commands = recorder?.commands { profiler?.writeStart(timing, commands) }
        withUnsafeBytes(of: push) {
            recorder?.dispatch(pipeline, groups: groups, push: $0, views: set, reads: reads, writes: writes)
        }
        if let timing, let commands = recorder?.commands { profiler?.writeEnd(timing, commands) }
        pendingOperations += operations
        if profiler?.isFull == true {
            try finish()
        } else if pendingOperations > operationsPerPiece {
            try submit()
        }
    }

    /// Fills a range (a multiple of 4 bytes) with a 32-bit value.
    package func fill(_ range: MemoryRange, with value: UInt32) throws(ComputeError) {
        if isDryRun { return }
        if capturing != nil {
            capturing?.fill(range, with: value)
            return
        }
        try beginIfNeeded()
        recorder?.fill(range, with: value)
    }

    /// Copies bytes on the device.
    package func copy(from source: MemoryRange, to destination: MemoryRange) throws(ComputeError) {
        if isDryRun { return }
        if capturing != nil {
            capturing?.copy(from: source, to: destination)
            return
        }
        try beginIfNeeded()
        recorder?.copy(from: source, to: destination)
    }

    /// Hands all recorded work to the device and returns the timeline value that marks its end.
    @discardableResult
    package func submit() throws(ComputeError) -> UInt64 {
        guard let recorder else { return submitted }
        self.recorder = nil
        pendingOperations = 0
        recorder.releaseToHost()
        try check("vkEndCommandBuffer", vkEndCommandBuffer(recorder.commands))
        try enqueue(recorder.commands, buffers: recorder.buffers, reusable: true)
        return submitted
    }

    /// Drops what is recorded and not submitted, and waits for the rest: after a failure, work that was only half issued
    /// must not run with the next, and work still running must not read what the host writes next.
    package func abandon() {
        if let recorder {
            self.recorder = nil
            vkEndCommandBuffer(recorder.commands)
            free.append(recorder.commands)
        }
        pendingOperations = 0
        profiler = nil
        try? wait(for: submitted)
    }

    /// Submits what is recorded and waits until the device has done everything.
    package func finish() throws(ComputeError) {
        try submit()
        try wait(for: submitted)
    }

    /// Waits until the timeline reaches `value`.
    package func wait(for value: UInt64) throws(ComputeError) {
        try waitUntil(value)
        if let profiler, isProfiling {
            try profiler.collect(into: &timings)
            self.profiler = nil
        }
        reclaim(upTo: value)
    }

    /// `true` when the device has reached a timeline value; never blocks.
    package func isDone(_ value: UInt64) -> Bool {
        var reached: UInt64 = 0
        guard vkGetSemaphoreCounterValue(device.handle, timeline, &reached) == VK_SUCCESS else { return false }
        return reached >= value
    }

    // MARK: Dry run

    /// `true` while `dryRun` collects kernels.
    package var isDryRun: Bool { warmUp != nil }

    /// Collects the kernels that `body` issues. Nothing is compiled, recorded or run; values that `body` reads back are
    /// undefined.
    package func dryRun(_ body: () throws -> Void) throws -> WarmUp {
        precondition(!isDryRun && capturing == nil, "dry runs do not nest")
        try finish()
        warmUp = WarmUp()
        defer { warmUp = nil }
        try body()
        return warmUp ?? WarmUp()
    }

    /// Issues a kernel over no workgroup at all.
    func dispatchEmpty(_ variant: KernelVariant, views: [Buffer]) throws(ComputeError) {
        let pipeline = try device.pipelines.pipeline(for: variant)
        let set = views.isEmpty ? nil : try device.views.set(for: views)
        try beginIfNeeded()
        withUnsafeBytes(of: UInt32(0)) {
            recorder?.dispatch(pipeline, groups: (0, 0, 0), push: $0, views: set, reads: [], writes: [])
        }
    }

    // MARK: Replay

    /// Records what `body` issues into a recording that can be submitted again and again; nothing runs yet.
    ///
    /// Values that differ from run to run must come from buffers (see `StepState`), not from push constants.
    package func record(_ body: (CommandStream) throws -> Void) throws -> RecordedCommands {
        precondition(capturing == nil, "recordings do not nest")
        try submit()
        let commands = try allocateCommands()
        var info = VkCommandBufferBeginInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
        try check("vkBeginCommandBuffer", vkBeginCommandBuffer(commands, &info))
        capturing = CommandRecorder(commands: commands, layout: device.pipelines.layout)
        defer { capturing = nil }
        let before = dispatchCount
        do {
            try body(self)
        } catch {
            vkEndCommandBuffer(commands)
            free.append(commands)
            throw error
        }
        dispatchCount = before
        guard let recorded = capturing else { preconditionFailure("the recording vanished") }
        recorded.releaseToHost()
        try check("vkEndCommandBuffer", vkEndCommandBuffer(commands))
        return RecordedCommands(
            stream: self, commands: commands, buffers: recorded.buffers, dispatchCount: recorded.dispatchCount)
    }

    /// Submits a recording. A recording still running is waited for first.
    @discardableResult
    package func replay(_ recording: RecordedCommands) throws(ComputeError) -> UInt64 {
        precondition(recording.stream === self, "a recording belongs to the stream that made it")
        try submit()
        if let last = recording.lastValue, !isDone(last) { try wait(for: last) }
        try enqueue(recording.commands, buffers: recording.buffers, reusable: false)
        recording.lastValue = submitted
        dispatchCount += recording.dispatchCount
        return submitted
    }

    /// Device times of the dispatches since the last call. `isProfiling` must be on and the work waited for.
    package func takeTimings() -> [KernelTiming] {
        defer { timings.removeAll() }
        return timings
    }

    // MARK: Submission

    /// Operations of about 100 ms of work, estimated low for each kind of device.
    private var operationsPerPiece: Double {
        switch device.properties.kind {
        case .cpu: 3e9
        case .integrated, .virtual, .other: 3e10
        case .discrete: 4e11
        }
    }

    private func beginIfNeeded() throws(ComputeError) {
        guard recorder == nil else { return }
        let commands = try allocateCommands()
        var info = VkCommandBufferBeginInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
        info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT.rawValue
        try check("vkBeginCommandBuffer", vkBeginCommandBuffer(commands, &info))
        recorder = CommandRecorder(commands: commands, layout: device.pipelines.layout)
    }

    private func allocateCommands() throws(ComputeError) -> VkCommandBuffer {
        if let reused = free.popLast() { return reused }
        var info = VkCommandBufferAllocateInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO
        info.commandPool = pool
        info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY
        info.commandBufferCount = 1
        var commands: VkCommandBuffer?
        try check("vkAllocateCommandBuffers", vkAllocateCommandBuffers(device.handle, &info, &commands))
        guard let commands else { throw .vulkan(operation: "vkAllocateCommandBuffers", result: .initializationFailed) }
        return commands
    }

    private func profilerForPiece() throws(ComputeError) -> Profiler {
        if let profiler { return profiler }
        let created = try Profiler(device: device)
        profiler = created
        return created
    }

    private func enqueue(
        _ commands: VkCommandBuffer, buffers: [ObjectIdentifier: Buffer], reusable: Bool
    ) throws(ComputeError) {
        try device.requireAlive("vkQueueSubmit2")
        #if DEBUG
            try device.injectLoss(at: .submission, operation: "vkQueueSubmit2")
        #endif
        let value = submitted + 1
        var wait = VkSemaphoreSubmitInfo()
        wait.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO
        wait.semaphore = timeline
        wait.value = submitted
        wait.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT
        var signal = wait
        signal.value = value
        var command = VkCommandBufferSubmitInfo()
        command.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO
        command.commandBuffer = commands
        let result = device.queueLock.withLock { _ in
            // Another stream may have lost the device meanwhile.
            if device.isLost { return VK_ERROR_DEVICE_LOST }
            return withUnsafePointer(to: &wait) { wait in
                withUnsafePointer(to: &signal) { signal in
                    withUnsafePointer(to: &command) { command in
                        var info = VkSubmitInfo2()
                        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2
                        info.waitSemaphoreInfoCount = 1
                        info.pWaitSemaphoreInfos = wait
                        info.signalSemaphoreInfoCount = 1
                        info.pSignalSemaphoreInfos = signal
                        info.commandBufferInfoCount = 1
                        info.pCommandBufferInfos = command
                        return vkQueueSubmit2(device.queue, 1, &info, nil)
                    }
                }
            }
        }
        try device.checkForLoss("vkQueueSubmit2", result)
        submitted = value
        submissionCount += 1
        inFlight.append((value, reusable ? commands : nil, buffers))
        // Bound the memory that finished pieces hold when nobody waits for a long time.
        if inFlight.count > 64, let first = inFlight.first, isDone(first.value) { reclaim(upTo: first.value) }
    }

    /// No piece takes longer than this unless the device hangs; a first use may compile shaders inside the driver.
    private static let patienceSeconds = 300.0

    private func waitUntil(_ value: UInt64) throws(ComputeError) {
        if value == 0 { return }
        try device.requireAlive("vkWaitSemaphores")
        #if DEBUG
            try device.injectLoss(at: .wait, operation: "vkWaitSemaphores")
        #endif
        let handle = device.handle
        var semaphore: VkSemaphore? = timeline
        var target = value
        let result = withUnsafePointer(to: &semaphore) { semaphore in
            withUnsafePointer(to: &target) { target in
                var info = VkSemaphoreWaitInfo()
                info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO
                info.semaphoreCount = 1
                info.pSemaphores = semaphore
                info.pValues = target
                return vkWaitSemaphores(handle, &info, UInt64(Self.patienceSeconds * 1e9))
            }
        }
        if try device.checkForLoss("vkWaitSemaphores", result) == .timeout {
            throw .timeout(operation: "device work", seconds: Self.patienceSeconds)
        }
    }

    private func reclaim(upTo value: UInt64) {
        while let first = inFlight.first, first.value <= value {
            if let commands = first.commands { free.append(commands) }
            inFlight.removeFirst()
        }
    }

    fileprivate func release(_ commands: VkCommandBuffer, after value: UInt64?) {
        if let value { try? waitUntil(value) }
        free.append(commands)
    }
}

/// A recorded sequence of dispatches, for running again with only the contents of its buffers changed.
package final class RecordedCommands {
    fileprivate let stream: CommandStream
    fileprivate let commands: VkCommandBuffer
    fileprivate let buffers: [ObjectIdentifier: Buffer]
    package let dispatchCount: Int
    fileprivate var lastValue: UInt64?

    fileprivate init(
        stream: CommandStream, commands: VkCommandBuffer, buffers: [ObjectIdentifier: Buffer], dispatchCount: Int
    ) {
        self.stream = stream
        self.commands = commands
        self.buffers = buffers
        self.dispatchCount = dispatchCount
    }

    deinit { stream.release(commands, after: lastValue) }
}
