// Weight matrices [rows, columns] whose rows are padded with zeros to a multiple of 32 elements. A format is chosen at
// compile time (FORMAT_f32, …) and gives:
//   weightRowBytes(stride)           bytes from one row to the next, for rows of `stride` elements
//   WeightBlock                      what a run of 32 elements is decoded from
//   weightBlock(row, stride, k)      the run from column k on, a multiple of 32; `row` is the row's address
//   weight8(block, part, b0, b1)     eight of its elements, from 8 part on (part 0 to 3, better a constant)
// Plain formats read their elements in weight8, block formats everything in weightBlock: on lavapipe each load costs.
#ifndef FOVEA_WEIGHTS
#define FOVEA_WEIGHTS

#include "memory.glsl"

#if defined(FORMAT_f32) || defined(FORMAT_f16) || defined(FORMAT_bf16)
struct WeightBlock { uint64_t address; };
#endif

#if defined(FORMAT_f32)
uint weightRowBytes(uint stride) { return stride * 4; }
WeightBlock weightBlock(uint64_t row, uint stride, uint k) { return WeightBlock(row + k * 4); }
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    Wide p = Wide(block.address);
    b0 = floats(p.v[2 * part]);
    b1 = floats(p.v[2 * part + 1]);
}

#elif defined(FORMAT_f16)
uint weightRowBytes(uint stride) { return stride * 2; }
WeightBlock weightBlock(uint64_t row, uint stride, uint k) { return WeightBlock(row + k * 2); }
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    u64vec2 w = Wide(block.address).v[part];
    uvec2 lo = unpack32(w.x), hi = unpack32(w.y);
    b0 = vec4(unpackHalf2x16(lo.x), unpackHalf2x16(lo.y));
    b1 = vec4(unpackHalf2x16(hi.x), unpackHalf2x16(hi.y));
}

#elif defined(FORMAT_bf16)
uint weightRowBytes(uint stride) { return stride * 2; }
WeightBlock weightBlock(uint64_t row, uint stride, uint k) { return WeightBlock(row + k * 2); }
vec2 unpackBrain2x16(uint pair) { return vec2(uintBitsToFloat(pair << 16), uintBitsToFloat(pair & 0xffff0000u)); }
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    u64vec2 w = Wide(block.address).v[part];
    uvec2 lo = unpack32(w.x), hi = unpack32(w.y);
    b0 = vec4(unpackBrain2x16(lo.x), unpackBrain2x16(lo.y));
    b1 = vec4(unpackBrain2x16(hi.x), unpackBrain2x16(hi.y));
}

#else
#include "weights_blocks.glsl"
#endif

#endif
