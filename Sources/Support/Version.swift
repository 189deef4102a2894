/// Version of the program, as `--version`, session files and results of `fovea bench` show it.
package enum Version {
    package static let current = "0.1.0"
}
