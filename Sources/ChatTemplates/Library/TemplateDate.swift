/// The time that `strftime_now` tells, in local time.
package struct TemplateDate: Sendable, Hashable {
    package let year, month, day, hour, minute, second: Int

    package init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    private var monthName: String { Self.months[(max(month, 1) - 1) % 12] }
    /// From 0 for Sunday (Zeller's congruence).
    private var weekday: Int {
        let (y, m) = month < 3 ? (year - 1, month + 12) : (year, month)
        let sum = day + 13 * (m + 1) / 5 + y + y / 4 - y / 100 + y / 400
        return ((sum + 6) % 7 + 7) % 7
    }
    private var dayOfYear: Int {
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][(max(month, 1) - 1) % 12]
        return before + day + (isLeap && month > 2 ? 1 : 0)
    }

    /// The date in a format of C's `strftime`, in English. Unknown directives stay as they are.
    func formatted(_ format: String) -> String {
        var result = ""
        var rest = format[...]
        while let character = rest.popFirst() {
            guard character == "%", let directive = rest.first else {
                result.append(character)
                continue
            }
            rest.removeFirst()
            // `%-d` is a number without padding.
            if directive == "-", let next = rest.first, let text = text(next) {
                rest.removeFirst()
                let digits = text.drop { $0 == "0" }
                result += digits.isEmpty ? "0" : digits
            } else {
                result += text(directive) ?? "%\(directive)"
            }
        }
        return result
    }

    private func text(_ directive: Character) -> String? {
        func padded(_ value: Int, _ width: Int = 2) -> String {
            let digits = "\(value)"
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let hour12 = hour % 12 == 0 ? 12 : hour % 12
        switch directive {
        case "Y": return padded(year, 4)
        case "y": return padded(year % 100)
        case "m": return padded(month)
        case "d": return padded(day)
        case "e": return day < 10 ? " \(day)" : "\(day)"
        case "H": return padded(hour)
        case "I": return padded(hour12)
        case "M": return padded(minute)
        case "S": return padded(second)
        case "f": return "000000"
        case "p": return hour < 12 ? "AM" : "PM"
        case "B": return monthName
        case "b", "h": return String(monthName.prefix(3))
        case "A": return Self.weekdays[weekday]
        case "a": return String(Self.weekdays[weekday].prefix(3))
        case "w": return "\(weekday)"
        case "u": return "\(weekday == 0 ? 7 : weekday)"
        case "j": return padded(dayOfYear, 3)
        case "F": return "\(padded(year, 4))-\(padded(month))-\(padded(day))"
        case "T": return "\(padded(hour)):\(padded(minute)):\(padded(second))"
        case "R": return "\(padded(hour)):\(padded(minute))"
        case "D", "x": return "\(padded(month))/\(padded(day))/\(padded(year % 100))"
        case "X": return text("T")
        case "c": return formatted("%a %b %e %H:%M:%S %Y")
        case "n": return "\n"
        case "t": return "\t"
        case "%": return "%"
        case "Z", "z": return ""
        default: return nil
        }
    }
}
