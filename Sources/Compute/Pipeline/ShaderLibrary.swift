import CShaders

/// The SPIR-V modules built into the program, by name.
enum ShaderLibrary {
    /// The code of a shader, four-byte aligned, alive as long as the program.
    struct Module: @unchecked Sendable {
        // Safety: points at constant data of the executable.
        let words: UnsafePointer<UInt32>
        let byteCount: Int
    }

    private static let modules: [String: Module] = {
        var result: [String: Module] = [:]
        for index in 0..<Int(fovea_shader_count) {
            guard let shader = fovea_shader_at(index), let name = shader.pointee.name, let code = shader.pointee.code
            else { continue }
            result[String(cString: name)] = Module(
                words: code.assumingMemoryBound(to: UInt32.self), byteCount: Int(shader.pointee.byteCount))
        }
        return result
    }()

    static func module(_ name: String) throws(ComputeError) -> Module {
        guard let module = modules[name] else { throw .unknownShader(name: name) }
        return module
    }

    static var names: [String] { modules.keys.sorted() }
}
