import JSON
import Foundation

/// Errors of downloading and storing models. Each description names the remedy.
package enum ModelStoreError: Error, Sendable, Hashable, CustomStringConvertible {
    case unknownModel(name: String, known: [String])
    case notInstalled(name: String, canBePulled: Bool)
    /// A name that means several models on this machine.
    case ambiguous(name: String, choices: [String])
    /// A model in the store of another program that cannot be opened.
    case unusable(name: String, origin: String, problem: String)
    /// Another process is pulling the same model.
    case busy(name: String)
    case unwritable(path: String, reason: String)
    case diskFull(path: String, needed: Int?, available: Int?)
    case wrongSize(file: String, expected: Int, actual: Int)
    case wrongDigest(file: String, algorithm: String, expected: String, actual: String)
    case missingFile(file: String)
    /// A setting that is not a web address. The description does not quote it, because it may hold credentials.
    case badAddress(setting: String)
    case packageUnavailable(package: String, reason: String)
    case noNetwork(what: String, reason: String)
    case refused(what: String, tokenGiven: Bool)
    case notFound(what: String)
    case serverFailed(what: String, status: Int)
    case unexpectedAnswer(what: String, reason: String)
    case hostileFileName(name: String, source: String)
    case nothingUsable(repository: String, reason: String)
    case damagedArchive(file: String, reason: String)
    case cancelled(name: String)

    package var description: String {
        switch self {
        case .unknownModel(let name, let known):
            "no model is called \"\(printable(name))\"; known are \(known.joined(separator: ", ")), "
                + "or give owner/repo for one on Hugging Face, or the path of a folder or file"
        case .notInstalled(let name, let canBePulled):
            canBePulled
                ? "the model \(name) is not installed; get it with: fovea pull \(name)"
                : "\(printable(name)) is neither a file or folder nor an installed model"
        case .ambiguous(let name, let choices):
            "\"\(printable(name))\" is the name of several models; give one of "
                + choices.map { printable($0) }.joined(separator: ", ")
        case .unusable(let name, let origin, let problem):
            "the model \(printable(name)) in the store of \(origin) cannot be opened: \(problem)"
        case .busy(let name):
            "another process is already pulling \(name); wait for it, or stop it and try again"
        case .unwritable(let path, let reason):
            "cannot write to \(path): \(reason); make it writable or set XDG_DATA_HOME to a folder that is"
        case .diskFull(let path, let needed?, let available?):
            "not enough room on the disk of \(path): \(Self.megabytes(needed)) needed, \(Self.megabytes(available)) free; "
                + "free some or set XDG_DATA_HOME to a folder on another disk"
        case .diskFull(let path, _, _):
            "the disk of \(path) is full; free some room and pull again, what is there already is kept"
        case .wrongSize(let file, let expected, let actual):
            "\(file): \(actual) bytes, expected \(expected); pull the model again"
        case .wrongDigest(let file, let algorithm, let expected, let actual):
            "\(file): wrong content: \(algorithm) expected \(expected), actual \(actual); "
                + "it was damaged on the way or replaced at its source, and is not used; pull the model again"
        case .missingFile(let file):
            "\(file) is missing; pull the model again"
        case .badAddress(let setting):
            "\(setting) is not an address that begins with https:// or http://"
        case .packageUnavailable(let package, let reason):
            "cannot get \(package): \(printable(reason, limit: 600))"
        case .noNetwork(let what, let reason):
            "no connection while fetching \(what): \(printable(reason, limit: 300)); "
                + "check the network and pull again, what is there already is kept"
        case .refused(let what, let tokenGiven):
            "\(what): access refused; "
                + (tokenGiven
                    ? "the token in HF_TOKEN is not valid or has no access: check it, and accept the model's terms on its page"
                    : "the model is private or asks to accept its terms: do so on its page, huggingface.co/\(Self.page(what)), "
                        + "create an access token at huggingface.co/settings/tokens and set HF_TOKEN to it")
        case .notFound(let what):
            "\(what): not found; check the spelling of owner/repo"
        case .serverFailed(let what, let status):
            "\(what): the server answered \(status); try again later, what is there already is kept"
        case .unexpectedAnswer(let what, let reason):
            "\(what): unexpected answer: \(printable(reason, limit: 300)); check HF_ENDPOINT"
        case .hostileFileName(let name, let source):
            "\(source) names a file \"\(printable(name))\", which would lie outside the model's folder; it is not fetched"
        case .nothingUsable(let repository, let reason):
            "\(repository): \(reason)"
        case .damagedArchive(let file, let reason):
            "cannot unpack \(file): \(printable(reason, limit: 300)); pull the model again"
        case .cancelled(let name):
            "pulling \(name) was stopped; what is there already is kept, the next pull goes on from it"
        }
    }

    /// `owner/repo` of a description that may go on with a file name.
    private static func page(_ what: String) -> Substring { what.prefix { $0 != " " && $0 != ":" } }

    private static func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }

    /// The error of a failed write, by its `errno`.
    static func writing(_ path: String, errno code: Int32, reason: String) -> ModelStoreError {
        code == ENOSPC || code == EDQUOT
            ? .diskFull(path: path, needed: nil, available: nil) : .unwritable(path: path, reason: reason)
    }
}
