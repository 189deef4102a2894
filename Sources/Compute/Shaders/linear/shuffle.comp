// variants: FORMAT f32 f16 bf16 q8_0 q4_0 q4_1 q5_0 q5_1 q2_k q3_k q4_k q5_k q6_k iq4_nl
// variants: LOAD address texel
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/weights.glsl"
#include "../common/activations.glsl"

// linear for CPU drivers, any shape: result[m, n] = act(sum_k x[m, k] w[n, k] + bias[n]) + residual[m, n], f32 sums; GATED
// act(gate sum) times its partner's sum, as linear/step.
// x and results f32, any row stride; w f32, f16 or bf16, rows padded to 32 with zeros.
//
// One subgroup computes TM rows x TN SUBGROUP outputs. Lane = weight row, so that no sum is ever reduced across lanes;
// x is loaded once, four columns a lane, and travels by shuffle with constant lanes, which lavapipe does in registers.
// Loads are what costs there: 16 bytes at a time as two 64-bit words.
//
// lavapipe, 2 cores, by processor time, 512 x 1536 x 576: by address 22.3.6 f16 26, q4_1 40 GFLOP/s, 25.0.7 54, 66; by
// texel 22.3.6 58, 60, 25.0.7 34, 45. Multiply-adds become two instructions there (no fused ones in llvmpipe), which is
// half of what runs; a quarter are shuffles. Compilation 0.3-0.5 s (8 x 4), 0.06 s (1 x 2).
// Tried: 16 x 4, 8 x 8, 12 x 4, 16 x 2 (within 5 %, compile twice as long), 4 x 8, 4 x 4 (half the speed), weights'
// addresses advanced instead of computed (no gain), spirv-opt (slower on 25.0.7).

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TM = 8;          // rows of x per workgroup
layout(constant_id = 2) const uint TN = 4;          // weight rows per lane
layout(constant_id = 3) const uint ACTIVATION = 0;
layout(constant_id = 4) const bool ALIGNED = true;  // x rows on 16 bytes, K a multiple of 4
layout(constant_id = 5) const bool GATED = false;   // half of a lane's weight rows are gates

#include "push.glsl"

const uint PART = GATED ? TN / 2 : TN;

// Columns beyond K meet zero weights, so with aligned rows any value of the row will do: no branch, only a clamp.
#if defined(LOAD_texel)
// Rows are always aligned here: the host sees to it.
#define VECTOR int
VECTOR weightRow(uint n) { return int(p.wTexel + n * (weightRowBytes(p.wStride) >> 4)); }
VECTOR inputRow(uint m) { return int(p.xTexel + m * (p.xStride >> 2)); }
vec4 activations4(VECTOR row, uint k) { return uintBitsToFloat(texelFetch(texels1, row + int(min(k, p.K - 4) >> 2))); }
#else
#define VECTOR uint64_t
VECTOR weightRow(uint n) { return p.w + uint64_t(n) * weightRowBytes(p.wStride); }
VECTOR inputRow(uint m) { return p.x + uint64_t(m) * (p.xStride * 4); }
vec4 activations4(VECTOR row, uint k) {
    return ALIGNED ? floats(Wide(row).v[min(k, p.K - 4) >> 2]) : load4(row, k, p.K, false);
}
#endif

// Working arrays are global: glslang copies arrays of specialised size wrongly when they are handed to functions.
VECTOR w[TN], x[TM];
WeightBlock block[TN];
vec4 a[TM];
float sum[TM][TN];

// One block of 32 columns from k on; the lanes 8 b to 8 b + 7 hold its slice of x in `a`.
void accumulate(uint k, uint b) {
    [[unroll]] for (uint j = 0; j < TN; j++) block[j] = weightBlock(w[j], p.wStride, k);
    [[unroll]] for (uint l = 0; l < 8; l += 2) {
        vec4 b0[TN], b1[TN];
        [[unroll]] for (uint j = 0; j < TN; j++) weight8(block[j], l / 2, b0[j], b1[j]);
        [[unroll]] for (uint i = 0; i < TM; i++) {
            vec4 a0 = subgroupShuffle(a[i], 8 * b + l);
            vec4 a1 = subgroupShuffle(a[i], 8 * b + l + 1);
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
    }
}

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint n0 = gl_WorkGroupID.x * SUBGROUP * PART;
    const uint m0 = gl_WorkGroupID.y * TM;

    // Rows beyond the end repeat the last one; only the store is guarded.
    [[unroll]] for (uint j = 0; j < TN; j++)
        w[j] = weightRow(min(n0 + lane + SUBGROUP * (j % PART), p.N - 1) + (j < PART ? 0 : p.gate));
    [[unroll]] for (uint i = 0; i < TM; i++)
        x[i] = inputRow(min(m0 + i, p.M - 1));

    [[unroll]] for (uint i = 0; i < TM; i++)
        [[unroll]] for (uint j = 0; j < TN; j++) sum[i][j] = 0;

    const uint padded = (p.K + 31) & ~31u;
    for (uint k = 0; k < padded; k += 4 * SUBGROUP) {
        [[unroll]] for (uint i = 0; i < TM; i++) a[i] = activations4(x[i], k + 4 * lane);
        if (SUBGROUP == 8) {
            // Written apart: inside a second loop Mesa 22.3's lavapipe runs it at two thirds of the speed.
            accumulate(k, 0);
        } else {
            for (uint b = 0; b < SUBGROUP / 8 && k + 32 * b < padded; b++) accumulate(k + 32 * b, b);
        }
    }

    [[unroll]] for (uint j = 0; j < PART; j++) {
        const uint n = n0 + lane + SUBGROUP * j;
        if (n >= p.N) continue;
        float bias = 0, partnerBias = 0;
        if (p.bias != 0) {
            bias = Floats(p.bias).v[n];
            if (GATED) partnerBias = Floats(p.bias).v[n + p.gate];
        }
        [[unroll]] for (uint i = 0; i < TM; i++) {
            if (m0 + i >= p.M) continue;
            if (GATED) {
                finish(m0 + i, n, activate(sum[i][j] + bias, ACTIVATION) * (sum[i][j + PART] + partnerBias), 0, ACTIVATION_NONE);
            } else {
                finish(m0 + i, n, sum[i][j], bias, ACTIVATION);
            }
        }
    }
}
