import Terminal

/// A part of the screen that draws itself and takes keys and the mouse.
///
/// `Panels.all` is the only list of panels. Layout, focus, drawing, keys, help and the mouse read it, so a new panel is
/// one type and one entry there.
package protocol Panel: Sendable {
    var focus: Focus { get }
    var title: String { get }
    var place: PanelPlace { get }
    /// Below this size of any panel the screen shows one panel at a time.
    var minimumSize: Size { get }
    /// Rows of a column with `rows` rows, or `nil` to take what the other panels of the column leave.
    func height(in rows: Int) -> Int?
    var keys: [KeyBinding] { get }
    /// Title of the keys in the help.
    var keysTitle: String { get }
    func takesKeys(_ state: State) -> Bool
    func draw(_ state: State, in rect: Rect, onto canvas: inout Canvas)
    func mouse(_ action: InputEvent.MouseAction, x: Int, y: Int, in rect: Rect, _ state: inout State)
}

extension Panel {
    package func height(in rows: Int) -> Int? { nil }
    package var keys: [KeyBinding] { [] }
    package var keysTitle: String { title }
    package func takesKeys(_ state: State) -> Bool { state.focus == focus }
    package func mouse(_ action: InputEvent.MouseAction, x: Int, y: Int, in rect: Rect, _ state: inout State) {}
}

/// The place of a panel on screens with room for all of them.
package enum PanelPlace: Sendable, Hashable {
    case left, right
    /// Above the status line, on screens of every size.
    case bottom
}

/// Identity of a panel, for the focus of the keys. Each panel declares its own.
package struct Focus: Sendable, Hashable {
    package let name: String

    package init(_ name: String) { self.name = name }

    var next: Focus { moved(1) }
    var previous: Focus { moved(-1) }

    private func moved(_ step: Int) -> Focus {
        let all = Panels.all.map(\.focus)
        return all[((all.firstIndex(of: self) ?? 0) + step + all.count) % all.count]
    }
}

/// The table of panels, in the order of the Tab key; panels of one column stand in it from top to bottom.
package enum Panels {
    package static let all: [any Panel] = [InputPanel(), ChatPanel(), AttentionPanel(), MemoryPanel()]

    static func panel(_ focus: Focus) -> any Panel { all.first { $0.focus == focus } ?? all[0] }

    static func at(_ place: PanelPlace) -> [any Panel] { all.filter { $0.place == place } }
}
