import Terminal

/// The rectangles of the screen for a terminal size. None overlaps another, at any size.
package struct Layout: Sendable, Hashable {
    package static let smallest = Size(40, 12)

    package struct Placed: Sendable, Hashable {
        package let focus: Focus
        package let rect: Rect
    }

    package private(set) var isTooSmall = false
    /// The panels on the screen, those of the columns first.
    package private(set) var panels: [Placed] = []
    /// The line between the columns.
    package private(set) var divider: Rect?
    /// The line above the input, on screens with room for it.
    package private(set) var rule: Rect?
    package private(set) var status = Rect(x: 0, y: 0, width: 0, height: 0)

    /// - Parameter inputLines: number of lines of the text being typed.
    package init(_ size: Size, focus: Focus, inputLines: Int = 1) {
        guard size.width >= Self.smallest.width, size.height >= Self.smallest.height else {
            isTooSmall = true
            return
        }
        let width = size.width
        status = Rect(x: 0, y: size.height - 1, width: width, height: 1)
        let inputHeight = max(1, min(inputLines, size.height / 4))
        let input = Rect(x: 0, y: status.y - inputHeight, width: width, height: inputHeight)
        var bodyHeight = input.y
        if size.height >= 20 {
            rule = Rect(x: 0, y: input.y - 1, width: width, height: 1)
            bodyHeight -= 1
        }
        placeColumns(in: Rect(x: 0, y: 0, width: width, height: bodyHeight), focus)
        place(Panels.at(.bottom), in: input)
    }

    private mutating func placeColumns(in body: Rect, _ focus: Focus) {
        let left = Panels.at(.left), right = Panels.at(.right)
        func width(_ column: [any Panel]) -> Int { column.map(\.minimumSize.width).max() ?? 0 }
        func height(_ column: [any Panel]) -> Int { column.reduce(0) { $0 + $1.minimumSize.height } }
        guard body.width >= width(left) + 3 + width(right), body.height >= max(height(left), height(right)) else {
            // One panel at a time: the focused one, or the first while the input has the focus.
            let columns = left + right
            panels.append(Placed(focus: (columns.first { $0.focus == focus } ?? columns[0]).focus, rect: body))
            return
        }
        let rightWidth = max(width(right), min(132, body.width * 54 / 100)), leftWidth = body.width - rightWidth - 3
        place(left, in: Rect(x: 0, y: 0, width: leftWidth, height: body.height))
        divider = Rect(x: leftWidth + 1, y: 0, width: 1, height: body.height)
        place(right, in: Rect(x: leftWidth + 3, y: 0, width: rightWidth, height: body.height))
    }

    /// Stacks panels; those without a height of their own share what the others leave.
    private mutating func place(_ column: [any Panel], in rect: Rect) {
        let gap = rect.height >= 30 ? 1 : 0
        let heights = column.map { $0.height(in: rect.height) }
        var left = rect.height - heights.reduce(gap * (column.count - 1)) { $0 + ($1 ?? 0) }
        var sharing = heights.reduce(0) { $0 + ($1 == nil ? 1 : 0) }
        var y = rect.y
        for (panel, own) in zip(column, heights) {
            let height = own ?? left / max(1, sharing)
            if own == nil { (left, sharing) = (left - height, sharing - 1) }
            panels.append(Placed(focus: panel.focus, rect: Rect(x: rect.x, y: y, width: rect.width, height: height)))
            y += height + gap
        }
    }

    /// The rectangle of a panel that is on the screen.
    package subscript(focus: Focus) -> Rect? { panels.first { $0.focus == focus }?.rect }
}
