import Support

/// A screen that shows canvases and reports input.
package protocol Screen: AnyObject, Sendable {
    var size: Size { get }
    var capabilities: ScreenCapabilities { get }
    /// Takes over the terminal. `onInput` is called on the screen's own thread and must not block.
    func start(onInput: @escaping @Sendable (InputEvent) -> Void) throws
    /// Shows a canvas. Returns at once; of several canvases in a row only the latest may appear.
    func present(_ canvas: Canvas)
    /// Gives the terminal to the shell until the process continues (Ctrl-Z).
    func suspend()
    /// Draws all cells again (Ctrl-L).
    func redraw()
    /// Restores the terminal to its state before `start`.
    func stop()
}

package struct ScreenCapabilities: Hashable, Sendable {
    package var depth: ColorDepth
    /// False if only ASCII can be drawn.
    package var unicode: Bool
    /// True if the font has quarter blocks, as most fonts do; the Linux console's does not.
    package var quarterBlocks: Bool
    /// The protocol for pictures in pixels; nil for terminals with cells only.
    package var graphics: GraphicsProtocol?
    /// The terminal's background; nil where it does not tell.
    package var background: Color?

    package init(
        depth: ColorDepth, unicode: Bool, quarterBlocks: Bool = true, graphics: GraphicsProtocol? = nil,
        background: Color? = nil
    ) {
        self.background = background
        self.depth = depth
        self.unicode = unicode
        self.quarterBlocks = quarterBlocks
        self.graphics = graphics
    }

    package var blitter: any Blitter { depth.showsRasters && unicode ? HalfBlockBlitter() : ShadeBlitter() }

    /// The finest blitter, for pictures.
    package var pictureBlitter: any Blitter {
        depth.showsRasters && unicode && quarterBlocks ? QuadrantBlitter() : blitter
    }
}

/// Errors of opening a terminal.
package enum TerminalError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Standard input or output is a file or a pipe.
    case notATerminal(stream: String)
    /// TERM is unset or names a terminal that cannot place the cursor.
    case unusable(term: String)
    /// TERM names a terminal that terminfo does not know.
    case unknown(term: String)
    case setup(operation: String, reason: String)

    package var description: String {
        switch self {
        case .notATerminal(let stream):
            "the playground needs a terminal, but \(stream) is not one; for scripts there are `fovea run` and `fovea transcribe`"
        case .unusable(let term):
            "the terminal TERM=\(Sanitizer.cells.line(term.isEmpty ? "(unset)" : term)) cannot place the cursor; use one that can, or `fovea run` and `fovea transcribe`"
        case .unknown(let term):
            "terminfo has no entry for TERM=\(Sanitizer.cells.line(term)); set TERM to a known one (e.g. xterm-256color) or install ncurses-term"
        case .setup(let operation, let reason):
            "cannot set up the terminal: \(operation): \(reason)"
        }
    }
}

/// A screen in memory, for tests and benchmarks.
package final class MemoryScreen: Screen {
    private struct Contents {
        var size: Size
        var canvas: Canvas
        var presented = 0
        var running = false
        var onInput: (@Sendable (InputEvent) -> Void)?
    }

    package let capabilities: ScreenCapabilities
    private let contents: Locked<Contents>

    package init(_ size: Size, capabilities: ScreenCapabilities = ScreenCapabilities(depth: .direct, unicode: true)) {
        self.capabilities = capabilities
        contents = Locked(Contents(size: size, canvas: Canvas(size)))
    }

    package var size: Size { contents.withLock { $0.size } }
    /// The canvas presented last.
    package var canvas: Canvas { contents.withLock { $0.canvas } }
    /// Number of canvases presented so far.
    package var presented: Int { contents.withLock { $0.presented } }
    package var isRunning: Bool { contents.withLock { $0.running } }

    package func start(onInput: @escaping @Sendable (InputEvent) -> Void) {
        contents.withLock {
            $0.running = true
            $0.onInput = onInput
        }
    }

    package func present(_ canvas: Canvas) {
        contents.withLock {
            $0.canvas = canvas
            $0.presented += 1
        }
    }

    package func suspend() {}
    package func redraw() {}
    package func stop() { contents.withLock { $0.running = false } }

    /// Reports an event as the terminal would.
    package func send(_ event: InputEvent) {
        let handler = contents.withLock { contents in
            if case .resized(let size) = event { contents.size = size }
            return contents.onInput
        }
        handler?(event)
    }
}
