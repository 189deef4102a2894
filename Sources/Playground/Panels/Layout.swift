import Terminal

/// Where everything stands for a size of the terminal. Nothing overlaps, at any size.
package struct Layout: Sendable, Hashable {
    package static let smallest = Size(40, 12)

    package var isTooSmall = false
    package var chat: Rect?
    /// The line between the columns.
    package var divider: Rect?
    package var attention: Rect?
    package var memory: Rect?
    /// The line above the input, on screens with room for it.
    package var rule: Rect?
    package var input = Rect(x: 0, y: 0, width: 0, height: 0)
    package var status = Rect(x: 0, y: 0, width: 0, height: 0)

    /// - Parameter inputLines: lines the text being typed would like.
    package init(_ size: Size, focus: Focus, inputLines: Int = 1) {
        guard size.width >= Self.smallest.width, size.height >= Self.smallest.height else {
            isTooSmall = true
            return
        }
        let width = size.width
        status = Rect(x: 0, y: size.height - 1, width: width, height: 1)
        let inputHeight = max(1, min(inputLines, size.height / 4))
        input = Rect(x: 0, y: status.y - inputHeight, width: width, height: inputHeight)
        var bodyHeight = input.y
        if size.height >= 20 {
            rule = Rect(x: 0, y: input.y - 1, width: width, height: 1)
            bodyHeight -= 1
        }
        let body = Rect(x: 0, y: 0, width: width, height: bodyHeight)
        guard width >= 72 && bodyHeight >= 17 else {
            // One panel at a time: the one in focus.
            switch focus {
            case .input, .chat: chat = body
            case .attention: attention = body
            case .memory: memory = body
            }
            return
        }
        let right = max(40, min(132, width * 54 / 100))
        let left = width - right - 3
        chat = Rect(x: 0, y: 0, width: left, height: bodyHeight)
        divider = Rect(x: left + 1, y: 0, width: 1, height: bodyHeight)
        let memoryHeight = bodyHeight < 28 ? max(7, bodyHeight * 40 / 100) : min(17, bodyHeight * 34 / 100)
        let gap = bodyHeight >= 30 ? 1 : 0
        attention = Rect(x: left + 3, y: 0, width: right, height: bodyHeight - memoryHeight - gap)
        memory = Rect(x: left + 3, y: bodyHeight - memoryHeight, width: right, height: memoryHeight)
    }

    /// All parts there are, for tests and for the mouse.
    package var parts: [(focus: Focus?, rect: Rect)] {
        var parts: [(Focus?, Rect)] = []
        if let chat { parts.append((.chat, chat)) }
        if let divider { parts.append((nil, divider)) }
        if let attention { parts.append((.attention, attention)) }
        if let memory { parts.append((.memory, memory)) }
        if let rule { parts.append((nil, rule)) }
        if !isTooSmall { parts += [(.input, input), (nil, status)] }
        return parts
    }
}
