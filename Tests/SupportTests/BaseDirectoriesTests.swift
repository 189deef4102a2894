import Support
import Testing

@Suite("Base directories")
struct BaseDirectoriesTests {
    @Test("absolute paths in the XDG variables are used, others are ignored") func variables() {
        let given = BaseDirectories(environment: ["XDG_DATA_HOME": "/data", "XDG_CACHE_HOME": "/cache", "HOME": "/h"])
        #expect(given.data == "/data/fovea" && given.cache == "/cache/fovea")
        for other in ["relative", ""] {
            let folders = BaseDirectories(
                environment: ["XDG_DATA_HOME": other, "XDG_CACHE_HOME": other, "HOME": "/h"])
            #expect(folders.data == "/h/.local/share/fovea" && folders.cache == "/h/.cache/fovea")
        }
        #expect(BaseDirectories(environment: ["HOME": "/h"]).data == "/h/.local/share/fovea")
        #expect(BaseDirectories(environment: ["HOME": "relative"]).data.hasPrefix("/"))
    }
}
