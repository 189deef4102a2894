// Weight matrices [rows, columns] whose rows are padded with zeros to a multiple of 32 elements. A format is chosen at
// compile time (FORMAT_f32, …) and gives:
//   weightRowBytes(stride)                   bytes from one row to the next, for rows of `stride` elements
//   weight8(row, stride, k, part, b0, b1)    the eight elements from column k + 8 part on; k is a multiple of 32, part 0
//                                            to 3 (better a constant), `row` the row's address
#ifndef FOVEA_WEIGHTS
#define FOVEA_WEIGHTS

#include "memory.glsl"

#if defined(FORMAT_f32)
uint weightRowBytes(uint stride) { return stride * 4; }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    Wide p = Wide(row);
    b0 = floats(p.v[(k >> 2) + 2 * part]);
    b1 = floats(p.v[(k >> 2) + 2 * part + 1]);
}

#elif defined(FORMAT_f16)
uint weightRowBytes(uint stride) { return stride * 2; }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    u64vec2 w = Wide(row).v[(k >> 3) + part];
    uvec2 lo = unpack32(w.x), hi = unpack32(w.y);
    b0 = vec4(unpackHalf2x16(lo.x), unpackHalf2x16(lo.y));
    b1 = vec4(unpackHalf2x16(hi.x), unpackHalf2x16(hi.y));
}

#elif defined(FORMAT_bf16)
uint weightRowBytes(uint stride) { return stride * 2; }
vec2 unpackBrain2x16(uint pair) { return vec2(uintBitsToFloat(pair << 16), uintBitsToFloat(pair & 0xffff0000u)); }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    u64vec2 w = Wide(row).v[(k >> 3) + part];
    uvec2 lo = unpack32(w.x), hi = unpack32(w.y);
    b0 = vec4(unpackBrain2x16(lo.x), unpackBrain2x16(lo.y));
    b1 = vec4(unpackBrain2x16(hi.x), unpackBrain2x16(hi.y));
}

#else
#include "weights_blocks.glsl"
#endif

#endif
