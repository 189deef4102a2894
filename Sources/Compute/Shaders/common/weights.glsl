// Weight matrices [rows, columns] whose rows are padded with zeros to a multiple of 32 elements. A format is chosen at
// compile time (FORMAT_f32, …) and gives:
//   weightRowBytes(stride)           bytes from one row to the next, for rows of `stride` elements
//   WeightBlock                      what a run of 32 elements is decoded from
//   weightBlock(row, stride, k)      the run from column k on, a multiple of 32; `row` is the row's address
//   weight8(block, part, b0, b1)     eight of its elements, from 8 part on (part 0 to 3, better a constant)
// Plain formats read their elements in weight8, block formats everything in weightBlock: on lavapipe each load costs.
// A row is named by a ROW (sources.glsl): weightRow(matrix, n, stride), of the matrix that begins there.
//
// PANEL, a constant that the kernel declares, says how rows lie: 1 for one after another; else the 16-byte pieces of PANEL
// rows take turns (WeightMatrix.rowsPerPanel), so that lanes that each read a row of their own read one stream together.
//
// For one row of x at a time (linear/step) decoding dominates. Formats that define WEIGHT_SCALED also give
//   scaled8(block, part, q0, q1)     eight elements as whole numbers, element i of four 256^i too large (WEIGHT_POSITIONS)
//   weightScale(block, part)         of the half of the run that part is in: weight = scale.x q + scale.y
// and WEIGHT_OFFSET where scale.y is not 0.
#ifndef FOVEA_WEIGHTS
#define FOVEA_WEIGHTS

#include "sources.glsl"

uvec4 weightSixteen(ROW row, uint i) { return sixteen(row, i * PANEL); }
uint inPanel(uint byte) { return (byte & ~15u) * PANEL + (byte & 15u); }
uint weightWord(ROW row, uint byte) { return wordAt(row, inPanel(byte)); }
float weightHalf(ROW row, uint byte) { return halfAt(row, inPanel(byte)); }
// The row from a multiple of 16 bytes on.
ROW weightFurther(ROW row, uint bytes) { return further(row, bytes * PANEL); }

#if defined(FORMAT_f32) || defined(FORMAT_f16) || defined(FORMAT_bf16)
struct WeightBlock { ROW row; uint first; };
#endif

#if defined(FORMAT_f32)
uint weightRowBytes(uint stride) { return stride * 4; }
WeightBlock weightBlock(ROW row, uint stride, uint k) { return WeightBlock(row, k / 4); }
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    b0 = uintBitsToFloat(weightSixteen(block.row, block.first + 2 * part));
    b1 = uintBitsToFloat(weightSixteen(block.row, block.first + 2 * part + 1));
}

#elif defined(FORMAT_f16)
uint weightRowBytes(uint stride) { return stride * 2; }
WeightBlock weightBlock(ROW row, uint stride, uint k) { return WeightBlock(row, k / 8); }
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec4 w = weightSixteen(block.row, block.first + part);
    b0 = vec4(unpackHalf2x16(w.x), unpackHalf2x16(w.y));
    b1 = vec4(unpackHalf2x16(w.z), unpackHalf2x16(w.w));
}

#elif defined(FORMAT_bf16)
uint weightRowBytes(uint stride) { return stride * 2; }
WeightBlock weightBlock(ROW row, uint stride, uint k) { return WeightBlock(row, k / 8); }
vec2 unpackBrain2x16(uint pair) { return vec2(uintBitsToFloat(pair << 16), uintBitsToFloat(pair & 0xffff0000u)); }
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec4 w = weightSixteen(block.row, block.first + part);
    b0 = vec4(unpackBrain2x16(w.x), unpackBrain2x16(w.y));
    b1 = vec4(unpackBrain2x16(w.z), unpackBrain2x16(w.w));
}

#else
#include "weights_blocks.glsl"
#endif

#if defined(LOAD_texel)
ROW weightRow(ROW matrix, uint n, uint stride) { return matrix + int(n / PANEL * PANEL * (weightRowBytes(stride) >> 4) + n % PANEL); }
#else
ROW weightRow(ROW matrix, uint n, uint stride) { return matrix + uint64_t(n / PANEL) * (PANEL * weightRowBytes(stride)) + n % PANEL * 16; }
#endif

#endif
