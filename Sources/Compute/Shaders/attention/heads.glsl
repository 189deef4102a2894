// What the attention kernels share: the shape of a head, and reading four elements of a key or value row.
//
// A head's row of D elements is cut into V4 vectors of four; lane l of a subgroup holds vectors l, l + SUBGROUP, ...
// (PER_LANE of them). Keys and values are f32 or f16 (CACHE_f32, CACHE_f16).
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

layout(constant_id = 1) const uint D = 64;           // elements of a head
layout(constant_id = 2) const bool ALIGNED = true;   // D a multiple of 4; rows on 16 bytes (f16 keys: on 8)

const uint V4 = (D + 3) / 4;
const uint PER_LANE = (V4 + SUBGROUP - 1) / SUBGROUP;
// Smaller than any score; a bias below MASKED excludes its key altogether.
const float LOWEST = -3.4028235e38;
const float MASKED = -3.0e38;

// Elements 4 t to 4 t + 3 of a row, as zeros from D on. Branch-free when aligned.
vec4 query4(uint64_t row, uint t) {
    if (!ALIGNED) return load4(row, 4 * t, D, false);
    vec4 x = floats(Wide(row).v[min(t, V4 - 1)]);
    return t < V4 ? x : vec4(0);
}

#if defined(CACHE_f32)
#define CACHE_BYTES 4
// As query4, but vectors beyond the row are any of its values.
vec4 cached4(uint64_t row, uint t) {
    return ALIGNED ? floats(Wide(row).v[min(t, V4 - 1)]) : load4(row, 4 * t, D, false);
}
void store1(uint64_t row, uint d, float x) { Floats(row).v[d] = x; }
#elif defined(CACHE_f16)
#define CACHE_BYTES 2
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Quads { uint64_t v[]; };
vec4 cached4(uint64_t row, uint t) {
    if (ALIGNED) {
        uvec2 w = unpack32(Quads(row).v[min(t, V4 - 1)]);
        return vec4(unpackHalf2x16(w.x), unpackHalf2x16(w.y));
    }
    Halves h = Halves(row);
    vec4 r = vec4(0);
    if (4 * t < D) r.x = float(h.v[4 * t]);
    if (4 * t + 1 < D) r.y = float(h.v[4 * t + 1]);
    if (4 * t + 2 < D) r.z = float(h.v[4 * t + 2]);
    if (4 * t + 3 < D) r.w = float(h.v[4 * t + 3]);
    return r;
}
void store1(uint64_t row, uint d, float x) { Halves(row).v[d] = float16_t(x); }
#else
#error "compile with -DCACHE_f32 or -DCACHE_f16"
#endif
