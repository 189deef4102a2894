import Foundation

/// Runs the body with the file permissions of an ordinary user, also when the tests run as root: Linux keeps the user for
/// file access per thread.
func withoutPrivileges<Result>(_ body: () -> Result) -> Result {
    guard geteuid() == 0, let symbol = dlsym(nil, "setfsuid") else { return body() }
    let setfsuid = unsafeBitCast(symbol, to: (@convention(c) (UInt32) -> Int32).self)
    _ = setfsuid(65_534)
    defer { _ = setfsuid(0) }
    return body()
}
