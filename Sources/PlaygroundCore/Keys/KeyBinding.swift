import Foundation
import Terminal

/// An action bound to keys, with its help.
package struct KeyBinding: Sendable {
    let keys: [Key]
    /// The text in the help; empty hides the binding there.
    let help: String
    /// The text at the bottom of the screen; empty hides the binding there.
    let hint: String
    /// The condition of the binding.
    let when: @Sendable (State) -> Bool
    let run: @Sendable (inout State, Key, Date) -> [Effect]
    /// The keys in the hint.
    var hintKeys: [Key]

    init(
        _ keys: [Key], _ help: String, hint: String = "",
        when: @escaping @Sendable (State) -> Bool = { _ in true },
        run: @escaping @Sendable (inout State, Date) -> [Effect]
    ) {
        hintKeys = Array(keys.prefix(1))
        self.keys = keys
        self.help = help
        self.hint = hint
        self.when = when
        self.run = { state, _, now in run(&state, now) }
    }

    /// A binding that only changes the state.
    init(
        _ keys: [Key], _ help: String, hint: String = "",
        when: @escaping @Sendable (State) -> Bool = { _ in true },
        change: @escaping @Sendable (inout State) -> Void
    ) {
        self.init(
            keys, help, hint: hint, when: when,
            run: { state, _ in
                change(&state)
                return []
            })
    }

    /// A binding of keys that step back or forward.
    init(
        back: [Key], forward: [Key], _ help: String, hint: String = "",
        when: @escaping @Sendable (State) -> Bool = { _ in true },
        step: @escaping @Sendable (inout State, Int) -> Void
    ) {
        keys = zip(back, forward).flatMap { [$0, $1] }
        self.help = help
        self.hint = hint
        self.when = when
        hintKeys = Array(keys.prefix(2))
        run = { state, key, _ in
            step(&state, back.contains(key) ? -1 : 1)
            return []
        }
    }
}
