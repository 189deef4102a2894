// Shared by the attention kernels: the shape of a head, and reads of four elements of a key or value row.
//
// A head's row of D elements is cut into V4 vectors of four; lane l of a subgroup holds vectors l, l + SUBGROUP, ...
// (PER_LANE of them). Keys and values are f32 or f16 (CACHE_f32, CACHE_f16).
//
// Two constants that few architectures use; kernels define their numbers, WINDOW_ID and CAP_ID, before the inclusion.
#include "../common/subgroup.glsl"
#include "../common/sources.glsl"

layout(constant_id = 1) const uint D = 64;           // elements of a head
layout(constant_id = 2) const bool ALIGNED = true;   // D a multiple of 4; rows on 16 bytes (f16 keys: on 8)

layout(constant_id = WINDOW_ID) const uint WINDOW = 0;  // keys that a query sees, itself included; 0 for all before it
layout(constant_id = CAP_ID) const float CAP = 0;       // bound of the scores; 0 for none

// A score within the cap (Gemma 2), before anything is added to it.
float capped(float s) { return CAP > 0 ? CAP * tanh(s / CAP) : s; }

// The first key in the window of the query at a position.
uint firstInWindow(int position) { return WINDOW > 0 ? uint(max(position + 1 - int(WINDOW), 0)) : 0; }

const uint V4 = (D + 3) / 4;
const uint PER_LANE = (V4 + SUBGROUP - 1) / SUBGROUP;
// Smaller than any score; a bias below MASKED excludes its key altogether.
const float LOWEST = -3.4028235e38;
const float MASKED = -3.0e38;

// Rows of keys are read through texels0, of values through texels1, queries always by address (few, once).
#if defined(LOAD_texel)
uvec4 values16(ROW row, uint i) { return texelFetch(texels1, row + int(i)); }
#else
uvec4 values16(ROW row, uint i) { return sixteen(row, i); }
#endif

// Elements 4 t to 4 t + 3 of a row, as zeros from D on. Branch-free when aligned.
vec4 query4(uint64_t row, uint t) {
    if (!ALIGNED) return load4(row, 4 * t, D, false);
    vec4 x = floats(Wide(row).v[min(t, V4 - 1)]);
    return t < V4 ? x : vec4(0);
}

// key4, value4: as query4, but vectors beyond the row are any of its values.
#if defined(CACHE_f32)
#define CACHE_BYTES 4
#if defined(LOAD_texel)
vec4 key4(ROW row, uint t) { return uintBitsToFloat(sixteen(row, min(t, V4 - 1))); }
vec4 value4(ROW row, uint t) { return uintBitsToFloat(values16(row, min(t, V4 - 1))); }
#else
vec4 key4(ROW row, uint t) {
    return ALIGNED ? floats(Wide(row).v[min(t, V4 - 1)]) : load4(row, 4 * t, D, false);
}
vec4 value4(ROW row, uint t) { return key4(row, t); }
#endif
void store1(uint64_t row, uint d, float x) { Floats(row).v[d] = x; }
#elif defined(CACHE_f16)
#define CACHE_BYTES 2
vec4 halves4(uvec2 w) { return vec4(unpackHalf2x16(w.x), unpackHalf2x16(w.y)); }
#if defined(LOAD_texel)
// Heads begin on 16 bytes, so a piece holds two vectors of four.
vec4 key4(ROW row, uint t) {
    const uint i = min(t, V4 - 1);
    const uvec4 w = sixteen(row, i >> 1);
    return halves4((i & 1) == 0 ? w.xy : w.zw);
}
vec4 value4(ROW row, uint t) {
    const uint i = min(t, V4 - 1);
    const uvec4 w = values16(row, i >> 1);
    return halves4((i & 1) == 0 ? w.xy : w.zw);
}
#else
vec4 key4(ROW row, uint t) {
    if (ALIGNED) return halves4(unpack32(Pairs(row).v[min(t, V4 - 1)]));
    Halves h = Halves(row);
    vec4 r = vec4(0);
    if (4 * t < D) r.x = float(h.v[4 * t]);
    if (4 * t + 1 < D) r.y = float(h.v[4 * t + 1]);
    if (4 * t + 2 < D) r.z = float(h.v[4 * t + 2]);
    if (4 * t + 3 < D) r.w = float(h.v[4 * t + 3]);
    return r;
}
vec4 value4(ROW row, uint t) { return key4(row, t); }
#endif
void store1(uint64_t row, uint d, float x) { Halves(row).v[d] = float16_t(x); }
#else
#error "compile with -DCACHE_f32 or -DCACHE_f16"
#endif
