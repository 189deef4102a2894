// variants: FORMAT @formats
// variants: LOAD address texel
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
layout(constant_id = 5) const uint PANEL = 1;
layout(constant_id = 6) const bool ALIGNED = true;  // rows of x start on 16 bytes, K a multiple of 4
#include "../common/weights.glsl"
#include "../common/activations.glsl"

// linear for CPU drivers, any shape, without a norm.
//
// One subgroup computes TM rows x TN SUBGROUP outputs. Lane = weight row, so that no sum is ever reduced across lanes; x
// is loaded once, spread over the lanes, and travels by shuffle with constant lanes, which lavapipe does in registers.
//
// By texel a lane holds four columns of x and the loop takes 32 columns: loads dominate there, 16 bytes at a time.
// By address the loop takes SUBGROUP columns: a body of 32 columns is 30 KB of machine code, and the processor then waits
// for instructions, not for memory. So rows can be many: 32 x 4 is half as fast again as 8 x 4. The cost of x is gathers of
// eight pieces each, so the pieces are pairs of columns: half of the lanes hold those of one row, the others of the next.
//
// lavapipe 25.0.7 by address, one core (Intel AVX-512, by processor time), 528 x 960 x 576 q4_1, GFLOP/s: 8 x 4 21, 16 x 4
// 26, 24 x 4 29, 32 x 4 30, 24 x 6 31; of f16 528 x 1536 x 384 24 x 4 30 (two columns a lane 26, four 24). Compilation 0.3 s.
// 22.3.6 by texel 8 x 4: there 16 x 4, 8 x 8, 12 x 4, 16 x 2 are within 5 % and compile twice as long, 4 x 8 and 4 x 4 half
// as fast. Multiply-adds are two instructions (llvmpipe has no fused ones). spirv-opt makes it slower on 25.0.7.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TM = 8;          // rows of x per workgroup
layout(constant_id = 2) const uint TN = 4;          // weight rows per lane
layout(constant_id = 3) const uint ACTIVATION = 0;
layout(constant_id = 4) const bool GATED = false;   // half of a lane's weight rows are gates

#include "push.glsl"

const uint PART = GATED ? TN / 2 : TN;

// Columns beyond K meet zero weights, so any value of the row will do: no branch, only a clamp.
#if defined(LOAD_texel)
// Rows are always aligned here: the host sees to it.
#define LANE_COLUMNS 4
#define COLUMNS vec4
#define VECTOR int
const uint LANE_ROWS = TM;
VECTOR matrix() { return int(p.wTexel); }
VECTOR inputRow(uint m) { return int(p.xTexel + m * (p.xStride >> 2)); }
COLUMNS activations(VECTOR row, uint k) { return uintBitsToFloat(texelFetch(texels1, row + int(min(k, p.K - 4) >> 2))); }
#else
#define LANE_COLUMNS 1
#define COLUMNS vec2
#define VECTOR uint64_t
const uint PAIRED = TM == 1 ? 1 : 2;  // TM is 1 or even
const uint LANE_ROWS = TM / PAIRED;
VECTOR matrix() { return p.w; }
VECTOR inputRow(uint m) { return p.x + uint64_t(m) * (p.xStride * 4); }
COLUMNS activations(VECTOR row, uint k) {
    if (ALIGNED) return uintBitsToFloat(unpack32(Pairs(row).v[min(k, p.K - 2) >> 1]));
    return vec2(Floats(row).v[min(k, p.K - 1)], Floats(row).v[min(k + 1, p.K - 1)]);
}
#endif

// Working arrays are global: glslang copies arrays of specialized size wrongly when they are handed to functions.
VECTOR w[TN], x[LANE_ROWS];
WeightBlock block[TN];
COLUMNS a[LANE_ROWS];
float sum[TM][TN];

// Adds the products of eight columns, part `part` of the block; `first` is the lane that holds the first of them, by address
// of the first row of each pair.
void accumulate(uint part, uint first) {
    vec4 b0[TN], b1[TN];
    [[unroll]] for (uint j = 0; j < TN; j++) weight8(block[j], part, b0[j], b1[j]);
#if LANE_COLUMNS == 4
    [[unroll]] for (uint i = 0; i < TM; i++) {
        const vec4 a0 = subgroupShuffle(a[i], first), a1 = subgroupShuffle(a[i], first + 1);
        [[unroll]] for (uint j = 0; j < TN; j++) {
            float s = sum[i][j];
            s = fma(a0.x, b0[j].x, s);
            s = fma(a0.y, b0[j].y, s);
            s = fma(a0.z, b0[j].z, s);
            s = fma(a0.w, b0[j].w, s);
            s = fma(a1.x, b1[j].x, s);
            s = fma(a1.y, b1[j].y, s);
            s = fma(a1.z, b1[j].z, s);
            sum[i][j] = fma(a1.w, b1[j].w, s);
        }
    }
#else
    [[unroll]] for (uint pair = 0; pair < LANE_ROWS; pair++)
        [[unroll]] for (uint c = 0; c < 8; c++)
            [[unroll]] for (uint r = 0; r < PAIRED; r++) {
                const uint i = PAIRED * pair + r;
                const float x = subgroupShuffle(a[pair][c & 1], first + c / 2 + (i & 1) * (SUBGROUP / 2));
                [[unroll]] for (uint j = 0; j < TN; j++) sum[i][j] = fma(x, c < 4 ? b0[j][c & 3] : b1[j][c & 3], sum[i][j]);
            }
#endif
}

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint n0 = gl_WorkGroupID.x * SUBGROUP * PART;
    const uint m0 = gl_WorkGroupID.y * TM;

    // Rows beyond the end repeat the last one.
    [[unroll]] for (uint j = 0; j < TN; j++)
        w[j] = weightRow(matrix(), p.wBefore + min(n0 + lane + SUBGROUP * (j % PART), p.N - 1) + (j < PART ? 0 : p.gate), p.wStride);
#if LANE_COLUMNS == 4
    [[unroll]] for (uint i = 0; i < TM; i++)
        x[i] = inputRow(min(m0 + i, p.M - 1));
#else
    const uint second = lane / (SUBGROUP / 2), column = 2 * (lane % (SUBGROUP / 2));
    [[unroll]] for (uint i = 0; i < LANE_ROWS; i++)
        x[i] = inputRow(min(m0 + min(2 * i + second, TM - 1), p.M - 1));
#endif

    [[unroll]] for (uint i = 0; i < TM; i++)
        [[unroll]] for (uint j = 0; j < TN; j++) sum[i][j] = 0;

    const uint padded = (p.K + 31) & ~31u;
    for (uint k = 0; k < padded; k += LANE_COLUMNS * SUBGROUP) {
#if LANE_COLUMNS == 4
        [[unroll]] for (uint i = 0; i < TM; i++) a[i] = activations(x[i], k + 4 * lane);
        // Subgroups of eight, the only ones that texels are chosen for, take one block in a straight line: inside a second
        // loop Mesa 22.3's lavapipe runs it at two thirds of the speed.
        [[unroll]] for (uint b = 0; b < SUBGROUP / 8; b++) {
            if (SUBGROUP > 8 && k + 32 * b >= padded) break;
            [[unroll]] for (uint j = 0; j < TN; j++) block[j] = weightBlock(w[j], p.wStride, k + 32 * b);
            [[unroll]] for (uint part = 0; part < 4; part++) accumulate(part, 8 * b + 2 * part);
        }
#else
        [[unroll]] for (uint i = 0; i < LANE_ROWS; i++) a[i] = activations(x[i], k + column);
        [[unroll]] for (uint b = 0; b < SUBGROUP / 8; b++) {
            const uint first = k + 8 * b;
            if (SUBGROUP > 32 && first >= padded) break;
            [[unroll]] for (uint j = 0; j < TN; j++) block[j] = weightBlock(w[j], p.wStride, first & ~31u);
            accumulate((first >> 3) & 3, 4 * b);
        }
#endif
    }

    [[unroll]] for (uint j = 0; j < PART; j++) {
        const uint n = n0 + lane + SUBGROUP * j;
        if (n >= p.N) continue;
        const vec2 bias = biases(n);
        [[unroll]] for (uint i = 0; i < TM; i++) sum[i][j] = joined(sum[i][j], sum[i][(j + PART) % TN], bias);
        // Rows beyond the last repeat it, here too: a branch for each would be most of the compilation. All are read before
        // one is written, since the residual may be the result.
        if (p.residual != 0) {
            [[unroll]] for (uint i = 0; i < TM; i++) sum[i][j] += Floats(p.residual).v[min(m0 + i, p.M - 1) * p.residualStride + n];
        }
        [[unroll]] for (uint i = 0; i < TM; i++) Floats(p.result).v[min(m0 + i, p.M - 1) * p.resultStride + n] = sum[i][j];
    }
}
