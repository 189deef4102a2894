// Weight matrices [rows, columns] whose rows are padded with zeros to a multiple of 32 elements. A format is chosen at
// compile time (FORMAT_f32, FORMAT_f16, FORMAT_bf16) and gives:
//   WEIGHT_BYTES            bytes of one element
//   weight8(row, k, b0, b1) eight elements from column k (a multiple of 8) on; `row` is the row's address
//   weight1(row, k)         one element
#ifndef FOVEA_WEIGHTS
#define FOVEA_WEIGHTS

#include "memory.glsl"

#if defined(FORMAT_f32)
#define WEIGHT_BYTES 4
void weight8(uint64_t row, uint k, out vec4 b0, out vec4 b1) {
    Wide p = Wide(row);
    b0 = floats(p.v[(k >> 2)]);
    b1 = floats(p.v[(k >> 2) + 1]);
}
float weight1(uint64_t row, uint k) { return Floats(row).v[k]; }

#elif defined(FORMAT_f16)
#define WEIGHT_BYTES 2
void weight8(uint64_t row, uint k, out vec4 b0, out vec4 b1) {
    u64vec2 w = Wide(row).v[k >> 3];
    uvec2 lo = unpack32(w.x), hi = unpack32(w.y);
    b0 = vec4(unpackHalf2x16(lo.x), unpackHalf2x16(lo.y));
    b1 = vec4(unpackHalf2x16(hi.x), unpackHalf2x16(hi.y));
}
float weight1(uint64_t row, uint k) {
    uint pair = Words(row).v[k >> 1];
    return unpackHalf2x16((k & 1) == 0 ? pair : pair >> 16).x;
}

#elif defined(FORMAT_bf16)
#define WEIGHT_BYTES 2
vec2 unpackBrain2x16(uint pair) { return vec2(uintBitsToFloat(pair << 16), uintBitsToFloat(pair & 0xffff0000u)); }
void weight8(uint64_t row, uint k, out vec4 b0, out vec4 b1) {
    u64vec2 w = Wide(row).v[k >> 3];
    uvec2 lo = unpack32(w.x), hi = unpack32(w.y);
    b0 = vec4(unpackBrain2x16(lo.x), unpackBrain2x16(lo.y));
    b1 = vec4(unpackBrain2x16(hi.x), unpackBrain2x16(hi.y));
}
float weight1(uint64_t row, uint k) {
    vec2 pair = unpackBrain2x16(Words(row).v[k >> 1]);
    return (k & 1) == 0 ? pair.x : pair.y;
}
#else
#error "compile with -DFORMAT_<weight format>"
#endif

#endif
