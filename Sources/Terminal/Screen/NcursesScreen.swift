import CNcurses
import CNcursesSystem  // links ncursesw and tinfo
import Foundation

/// The terminal through ncurses. Only this file calls ncurses, and only on the thread it starts.
package final class NcursesScreen: Screen {
    private struct Shared {
        var size = Size(80, 24)
        var capabilities = ScreenCapabilities(depth: .eight, unicode: false)
        var canvas: Canvas?
        var wantsRedraw = false
        var wantsSuspend = false
        var wantsStop = false
    }

    private let ascii: Bool
    private let graphics: GraphicsChoice
    private let environment: [String: String]
    private let shared = Locked(Shared())
    private let stopped = DispatchSemaphore(value: 0)
    private let running = Locked(false)

    /// - Parameters:
    /// - ascii: draws only ASCII and at most eight colors.
    /// - graphics: drawing of pictures in pixels.
    package init(
        ascii: Bool = false, graphics: GraphicsChoice = .ask,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.ascii = ascii
        self.graphics = graphics
        self.environment = environment
    }

    package var size: Size { shared.withLock { $0.size } }
    package var capabilities: ScreenCapabilities { shared.withLock { $0.capabilities } }

    /// - Throws: `TerminalError` if there is no usable terminal; it is then unchanged.
    package func start(onInput: @escaping @Sendable (InputEvent) -> Void) throws {
        if isatty(STDOUT_FILENO) == 0 { throw TerminalError.notATerminal(stream: "standard output") }
        if isatty(STDIN_FILENO) == 0 { throw TerminalError.notATerminal(stream: "standard input") }
        let choice = try TerminalChoice(environment: environment, hasUTF8: TextWidth.hasUTF8, ascii: ascii)
        let ready = DispatchSemaphore(value: 0)
        let failure = Locked<TerminalError?>(nil)
        let thread = Thread { [self] in
            switch Curses.open(choice, graphics) {
            case .failure(let error):
                failure.withLock { $0 = error }
                ready.signal()
            case .success(var curses):
                let size = curses.size, capabilities = curses.capabilities
                shared.withLock {
                    $0.size = size
                    $0.capabilities = capabilities
                }
                running.withLock { $0 = true }
                ready.signal()
                run(&curses, onInput)
                curses.close()
                stopped.signal()
            }
        }
        thread.name = "terminal"
        thread.start()
        ready.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    package func present(_ canvas: Canvas) {
        shared.withLock { $0.canvas = canvas }
        fovea_guard_wake()
    }

    package func suspend() {
        shared.withLock { $0.wantsSuspend = true }
        fovea_guard_wake()
    }

    package func redraw() {
        shared.withLock { $0.wantsRedraw = true }
        fovea_guard_wake()
    }

    package func stop() {
        let wasRunning = running.withLock { running in
            defer { running = false }
            return running
        }
        guard wasRunning else { return }
        shared.withLock { $0.wantsStop = true }
        fovea_guard_wake()
        stopped.wait()
    }

    /// Waits in `poll` for input and requests until asked to stop.
    private func run(_ curses: inout Curses, _ onInput: (InputEvent) -> Void) {
        var told = false
        var latest: Canvas?
        while true {
            let woken = fovea_guard_wait(STDIN_FILENO)
            let has = { (flag: Int) in woken & Int32(flag) != 0 }
            if has(FOVEA_WAKE_RESIZE), let size = curses.takeNewSize() {
                shared.withLock { $0.size = size }
                onInput(.resized(size))
            }
            if has(FOVEA_WAKE_INPUT) { curses.readInput(onInput) }
            if has(FOVEA_WAKE_END) || has(FOVEA_WAKE_GONE) {
                if !told { onInput(.terminate(signal: has(FOVEA_WAKE_END) ? fovea_guard_ending_signal() : SIGHUP)) }
                told = true
                // `poll` now returns at once, forever.
                Thread.sleep(forTimeInterval: 0.02)
            }
            let request = shared.withLock { shared in
                defer {
                    shared.canvas = nil
                    shared.wantsRedraw = false
                    shared.wantsSuspend = false
                }
                return shared
            }
            if request.wantsStop { return }
            let suspends = request.wantsSuspend || has(FOVEA_WAKE_STOP)
            if suspends {
                curses.suspend()
                if let size = curses.takeNewSize() { onInput(.resized(size)) }
            }
            if request.wantsRedraw { curses.forgetShown() }
            latest = request.canvas ?? latest
            if let latest, request.canvas != nil || request.wantsRedraw || suspends { curses.show(latest) }
            // ncurses enables application keys again when it reads; without this the first arrow key would be lost.
            if suspends { curses.readInput(onInput) }
        }
    }
}

/// The ncurses state of the terminal's thread.
private struct Curses {
    let screen: OpaquePointer
    let capabilities: ScreenCapabilities
    let synchronized: Bool
    private var shown: Canvas?
    /// The pictures on the screen, also while the cells are unknown.
    private var pictures: [PixelPicture] = []
    private var pairs: [UInt64: Int32] = [:]
    private let pairLimit: Int
    private var pasted: String?
    /// Pixels of a cell as the terminal reported; the size of its window takes precedence.
    private let reportedCell: Size?

    static func open(_ choice: TerminalChoice, _ wanted: GraphicsChoice) -> Result<Curses, TerminalError> {
        guard let term = choice.candidates.first(where: { fovea_knows_terminal($0) }) else {
            return .failure(.unknown(term: choice.candidates.last ?? ""))
        }
        if !fovea_guard_arm(STDIN_FILENO) {
            return .failure(.setup(operation: "tcgetattr", reason: String(cString: strerror(errno))))
        }
        var answers = TerminalAnswers([])
        if choice.asksForGraphics { answers = ask() }
        guard let screen = fovea_open(term) else {
            fovea_guard_disarm()
            return .failure(.setup(operation: "newterm(\(term))", reason: "ncurses refused the terminal"))
        }
        fovea_prepare(choice.limit != .none, true)
        setRestoreBytes()
        // Keys pressed meanwhile, the last one first.
        for byte in answers.typed.reversed() { ungetch(Int32(byte)) }
        let depth = choice.depth(colors: Int(fovea_color_count()))
        let graphics: GraphicsProtocol? =
            switch wanted {
            case .cells: nil
            case .ask: depth.showsRasters ? answers.graphics : nil
            case .always(let graphics): choice.unicode && depth.showsRasters ? graphics : nil
            }
        return .success(
            Curses(
                screen: screen, depth: depth, choice: choice, graphics: graphics,
                background: answers.background ?? choice.background, reportedCell: answers.cell))
    }

    /// Queries the terminal and waits a moment for its answers. Later answers, from a remote terminal, are skipped.
    private static func ask() -> TerminalAnswers {
        var bytes: [UInt8] = []
        fovea_begin_asking(TerminalAnswers.questions)
        defer { fovea_end_asking() }
        let deadline = ContinuousClock.now + .milliseconds(300)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = fovea_read_answer(&buffer, Int32(buffer.count), Int32(max(0, left / .milliseconds(1))))
            if count > 0 { bytes += buffer.prefix(Int(count)) }
            let answers = TerminalAnswers(bytes)
            if answers.isComplete || count <= 0 || bytes.count > 4096 { return answers }
        }
    }

    private init(
        screen: OpaquePointer, depth: ColorDepth, choice: TerminalChoice, graphics: GraphicsProtocol?,
        background: Color?, reportedCell: Size?
    ) {
        self.screen = screen
        self.reportedCell = reportedCell
        capabilities = ScreenCapabilities(
            depth: depth, unicode: choice.unicode, quarterBlocks: choice.quarterBlocks, graphics: graphics,
            background: background)
        synchronized = choice.synchronized
        // Pair 0 is the default. A little below the limit, so that ncurses never recycles a pair on the screen.
        pairLimit = max(8, min(Int(fovea_pair_count()), 65536) - 8)
    }

    /// Sets the bytes that restore the terminal: its own capabilities, and modes that terminfo does not know.
    private static func setRestoreBytes() {
        // First the end of a picture that may be incomplete.
        var bytes = "\u{1B}\\\u{1B}[?1006l\u{1B}[?1003l\u{1B}[?1002l\u{1B}[?1000l\u{1B}[?2004l\u{1B}[?2026l"
        for name in ["sgr0", "op", "cnorm", "rmkx", "rmcup"] {
            guard let value = fovea_capability(name) else { continue }
            // Without tputs, padding such as $<5> must be removed.
            bytes += String(cString: value).replacing(#/\$<[0-9.*\/]+>/#, with: "")
        }
        bytes.withCString { fovea_guard_set_restore($0, Int32(strlen($0))) }
    }

    var size: Size {
        var columns: Int32 = 0, rows: Int32 = 0
        fovea_size(&columns, &rows)
        return Size(Int(columns), Int(rows))
    }

    mutating func takeNewSize() -> Size? {
        let size = size
        fovea_resize(Int32(size.width), Int32(size.height))
        shown = nil
        return size
    }

    mutating func forgetShown() {
        shown = nil
        fovea_redraw_everything()
    }

    mutating func suspend() {
        endwin()
        fovea_guard_stop_process()
        // Continued: takes the terminal again and draws everything.
        fovea_prepare(false, false)
        forgetShown()
    }

    func close() {
        endwin()
        delscreen(screen)
        fovea_guard_disarm()
    }

    // MARK: Drawing

    /// Sends the cells that changed.
    mutating func show(_ canvas: Canvas) {
        let former = pictures, isDrawnAnew = shown?.size != canvas.size
        // ncurses does not know about pixels over blank cells.
        if isDrawnAnew, !former.isEmpty { fovea_redraw_everything() }
        if let shown, shown.size == canvas.size {
            for y in 0..<canvas.size.height {
                for x in 0..<canvas.size.width where canvas[x, y] != shown[x, y] { put(canvas[x, y], x, y) }
            }
        } else {
            werase(fovea_standard_window())
            for y in 0..<canvas.size.height { for x in 0..<canvas.size.width { put(canvas[x, y], x, y) } }
        }
        if pairs.count >= pairLimit {
            // The table is full, mostly of colors no longer on the screen: start again.
            pairs.removeAll(keepingCapacity: true)
            reset_color_pairs()
            for y in 0..<canvas.size.height { for x in 0..<canvas.size.width { put(canvas[x, y], x, y) } }
        }
        shown = canvas
        pictures = canvas.pictures
        // Cells under a removed picture are sent again even if they stay blank.
        let gone = isDrawnAnew ? [] : former.filter { picture in !canvas.pictures.contains { $0.rect == picture.rect } }
        for picture in gone { wredrawln(fovea_standard_window(), Int32(picture.rect.y), Int32(picture.rect.height)) }
        let cursor = canvas.cursor
        fovea_begin_frame(synchronized, Int32(cursor?.x ?? -1), Int32(cursor?.y ?? -1))
        draw(canvas.pictures, former, anew: isDrawnAnew || !gone.isEmpty)
        fovea_end_frame(synchronized)
    }

    /// Sends pictures that are not on the screen yet, or all of them.
    private func draw(_ pictures: [PixelPicture], _ former: [PixelPicture], anew: Bool) {
        guard let graphics = capabilities.graphics else { return }
        var bytes: [UInt8] = []
        // kitty keeps pictures apart from cells.
        if graphics == .kitty, former.count > pictures.count {
            for number in pictures.count..<former.count { bytes += KittyEncoder.deletion(number: number + 1) }
        }
        let cell = cell
        for (number, picture) in pictures.enumerated()
        where anew || !former.indices.contains(number) || former[number] != picture {
            bytes +=
                Array("\u{1B}[\(picture.rect.y + 1);\(picture.rect.x + 1)H".utf8)
                + graphics.bytes(for: picture, number: number + 1, cell: cell)
        }
        if !bytes.isEmpty { fovea_write_over_frame(bytes, Int32(bytes.count)) }
    }

    /// Pixels of a cell now; the font may have changed.
    private var cell: Size {
        var width: Int32 = 0, height: Int32 = 0
        if fovea_cell_pixels(&width, &height) { return Size(Int(width), Int(height)) }
        return reportedCell ?? Size(8, 16)
    }

    private mutating func put(_ cell: Cell, _ x: Int, _ y: Int) {
        if cell.isContinuation { return }
        let glyph = capabilities.unicode ? cell.glyph : cell.glyph.ascii
        var scalars = (glyph.base, glyph.firstMark, glyph.secondMark)
        let count: Int32 = glyph.firstMark == 0 ? 1 : glyph.secondMark == 0 ? 2 : 3
        let pair = pair(cell.style)
        withUnsafeBytes(of: &scalars) { bytes in
            fovea_put(
                Int32(y), Int32(x), bytes.bindMemory(to: UInt32.self).baseAddress, count,
                UInt32(cell.style.attributes.rawValue), pair)
        }
    }

    private mutating func pair(_ style: Style) -> Int32 {
        let foreground = capabilities.depth.index(of: style.foreground, isBackground: false)
        let background = capabilities.depth.index(of: style.background, isBackground: true)
        if foreground == -1 && background == -1 { return 0 }
        let key = UInt64(UInt32(bitPattern: foreground)) << 32 | UInt64(UInt32(bitPattern: background))
        if let known = pairs[key] { return known }
        if pairs.count >= pairLimit { return 0 }
        let pair = alloc_pair(foreground, background)
        guard pair > 0 else { return 0 }
        pairs[key] = pair
        return pair
    }

    // MARK: Input

    mutating func readInput(_ onInput: (InputEvent) -> Void) {
        while true {
            let input = fovea_read()
            switch input.kind {
            case FOVEA_INPUT_NONE: return
            case FOVEA_INPUT_PASTE_BEGIN: pasted = ""
            case FOVEA_INPUT_PASTE_END:
                if let text = pasted { onInput(.paste(text)) }
                pasted = nil
            case FOVEA_INPUT_CHARACTER:
                guard let scalar = Unicode.Scalar(input.scalar) else { continue }
                if pasted != nil {
                    pasted?.unicodeScalars.append(scalar == "\r" ? "\n" : scalar)
                } else {
                    onInput(.key(.decoded(scalar, modifiers: input.modifiers)))
                }
            case FOVEA_INPUT_KEY:
                if let key = Key.decoded(input.key, modifiers: input.modifiers) { onInput(.key(key)) }
            case FOVEA_INPUT_MOUSE:
                if let action = InputEvent.MouseAction(input.action) {
                    onInput(.mouse(action, x: Int(input.x), y: Int(input.y)))
                }
            default: continue
            }
        }
    }
}

private extension InputEvent.MouseAction {
    init?(_ action: fovea_mouse_action) {
        switch action {
        case FOVEA_MOUSE_PRESS: self = .press
        case FOVEA_MOUSE_RELEASE: self = .release
        case FOVEA_MOUSE_SCROLL_UP: self = .scrollUp
        case FOVEA_MOUSE_SCROLL_DOWN: self = .scrollDown
        default: return nil
        }
    }
}
