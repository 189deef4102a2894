import NumberFormats
import Planning

extension PlanRequest {
    /// Parses the words of `/plan` in any order: a number is a context, `WxH` a picture, a format's name the weights,
    /// anything else a model.
    /// - Parameter model: the model if none is named.
    /// - Returns: nil if no model is named or loaded.
    init?(_ words: String, model: String?) {
        self.init(model: model ?? "")
        for word in words.split(separator: " ").map(String.init) {
            if let number = Int(word), (1...1 << 24).contains(number) {
                context = number
            } else if let size = PictureSize(word) {
                pictures = [size]
            } else if let format = ElementFormat.encodable.first(where: { $0.rawValue == word.lowercased() }) {
                weights = format
            } else {
                self.model = Completion.unquoted(word)
            }
        }
        if self.model.isEmpty { return nil }
    }
}
