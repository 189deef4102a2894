// variants: FORMAT @formats
// variants: LOAD address texel
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
layout(constant_id = 6) const uint PANEL = 1;
#include "../common/weights.glsl"
#include "../common/activations.glsl"

// linear for one to four rows of x on CPU drivers (decode steps), with the norm before it and the gate behind. Every
// workgroup takes the norm itself: a dispatch costs 25 to 45 us there, this less than one.
//
// One subgroup computes TM rows x TN SUBGROUP outputs, lane = weight row, x by shuffle, as linear/shuffle. Unlike there
// decoding a weight is not shared by several rows, so it is kept short: elements are multiplied as whole numbers where
// they stand in their word, and scales apply to sums of 16. The root mean square is a factor, applied at the end.
//
// lavapipe, 2 cores, by processor time, 12288 x 576, GFLOP/s (in parentheses linear/shuffle): 22.3.6 by texel q4_1 43
// (22), q8_0 17 (5), f16 13 or more (5); 25.0.7 by address q4_1 37 (16), q8_0 17-22 (22), f16 10 (8).
// Six rows a lane instead of four, 3072 x 576 by address, one core, GFLOP/s: q4_1 13 (10), q8_0 11 (8), f16 8 (7); eight
// are as good, and leave 576 rows to nine workgroups.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint TM = 1;
layout(constant_id = 2) const uint TN = 4;          // weight rows per lane; GATED: half of them gates
layout(constant_id = 3) const uint ACTIVATION = 0;
layout(constant_id = 4) const uint NORM = 0;        // NORM_RMS, NORM_LAYER or none
layout(constant_id = 5) const bool GATED = false;

#include "push.glsl"

const uint PART = GATED ? TN / 2 : TN;

#if defined(LOAD_texel)
#define VECTOR int
VECTOR matrix() { return int(p.wTexel); }
VECTOR inputRow(uint m) { return int(p.xTexel + m * (p.xStride >> 2)); }
vec4 input4(VECTOR row, uint k) { return uintBitsToFloat(texelFetch(texels1, row + int(k >> 2))); }
vec4 gamma4(uint k) { return uintBitsToFloat(texelFetch(texels2, int(p.gammaTexel + (k >> 2)))); }
vec4 beta4(uint k) { return uintBitsToFloat(texelFetch(texels3, int(p.betaTexel + (k >> 2)))); }
#else
#define VECTOR uint64_t
VECTOR matrix() { return p.w; }
VECTOR inputRow(uint m) { return p.x + uint64_t(m) * (p.xStride * 4); }
vec4 input4(VECTOR row, uint k) { return floats(Wide(row).v[k >> 2]); }
vec4 gamma4(uint k) { return floats(Wide(p.gamma).v[k >> 2]); }
vec4 beta4(uint k) { return floats(Wide(p.beta).v[k >> 2]); }
#endif

// Working arrays are global: glslang copies arrays of specialized size wrongly when they are handed to functions.
VECTOR w[TN], x[TM];
WeightBlock block[TN];
vec4 a[TM];
float sum[TM][TN], squares[TM], mean[TM], factor[TM];

float total(vec4 v) { return (v.x + v.y) + (v.z + v.w); }

// Four elements of a row of x, zeros beyond its end. Branch-free.
vec4 loaded(uint i, uint k) {
    const vec4 v = input4(x[i], min(k, p.K - 4));
    return k < p.K ? v : vec4(0);
}

// The lanes 8 b to 8 b + 7 hold the slice of x that meets these 32 columns.
void accumulate(uint k, uint b) {
    [[unroll]] for (uint j = 0; j < TN; j++) block[j] = weightBlock(w[j], p.wStride, k);
#if defined(WEIGHT_SCALED)
    float sums[TM];
#if defined(WEIGHT_OFFSET)
    // Sums of x over the two halves of the 32 columns, in all of their lanes.
    [[unroll]] for (uint i = 0; i < TM; i++) {
        sums[i] = total(a[i]);
        sums[i] += subgroupShuffleXor(sums[i], 1);
        sums[i] += subgroupShuffleXor(sums[i], 2);
    }
#endif
#if defined(WEIGHT_POSITIONS)
    [[unroll]] for (uint i = 0; i < TM; i++) a[i] *= vec4(1, 0.00390625, 1.52587890625e-5, 5.9604644775390625e-8);
#endif
    [[unroll]] for (uint h = 0; h < 2; h++) {
        float dots[TM][TN];
        [[unroll]] for (uint q = 0; q < 2; q++) {
            const uint part = 2 * h + q;
            vec4 b0[TN], b1[TN];
            [[unroll]] for (uint j = 0; j < TN; j++) scaled8(block[j], part, b0[j], b1[j]);
            [[unroll]] for (uint i = 0; i < TM; i++) {
                const vec4 a0 = subgroupShuffle(a[i], 8 * b + 2 * part), a1 = subgroupShuffle(a[i], 8 * b + 2 * part + 1);
                [[unroll]] for (uint j = 0; j < TN; j++) {
                    float s = a0.x * b0[j].x;
                    if (q == 1) s += dots[i][j];
                    s = fma(a0.y, b0[j].y, s);
                    s = fma(a0.z, b0[j].z, s);
                    s = fma(a0.w, b0[j].w, s);
                    s = fma(a1.x, b1[j].x, s);
                    s = fma(a1.y, b1[j].y, s);
                    s = fma(a1.z, b1[j].z, s);
                    dots[i][j] = fma(a1.w, b1[j].w, s);
                }
            }
        }
        [[unroll]] for (uint i = 0; i < TM; i++) {
#if defined(WEIGHT_OFFSET)
            const float t = subgroupShuffle(sums[i], 8 * b + 4 * h);
#endif
            [[unroll]] for (uint j = 0; j < TN; j++) {
                const vec2 scale = weightScale(block[j], 2 * h);
                sum[i][j] = fma(scale.x, dots[i][j], sum[i][j]);
#if defined(WEIGHT_OFFSET)
                sum[i][j] = fma(scale.y, t, sum[i][j]);
#endif
            }
        }
    }
#else
    [[unroll]] for (uint part = 0; part < 4; part++) {
        vec4 b0[TN], b1[TN];
        [[unroll]] for (uint j = 0; j < TN; j++) weight8(block[j], part, b0[j], b1[j]);
        [[unroll]] for (uint i = 0; i < TM; i++) {
            const vec4 a0 = subgroupShuffle(a[i], 8 * b + 2 * part), a1 = subgroupShuffle(a[i], 8 * b + 2 * part + 1);
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
#endif
}

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint n0 = gl_WorkGroupID.x * SUBGROUP * PART;
    const uint m0 = gl_WorkGroupID.y * TM;

    // Rows beyond the end repeat the last one; only the store is guarded.
    [[unroll]] for (uint j = 0; j < TN; j++) {
        const uint n = min(n0 + lane + SUBGROUP * (j % PART), p.N - 1);
        w[j] = weightRow(matrix(), p.wBefore + (j < PART ? n : n + p.gate), p.wStride);
    }
    [[unroll]] for (uint i = 0; i < TM; i++) {
        x[i] = inputRow(min(m0 + i, p.M - 1));
        squares[i] = 0;
        mean[i] = 0;
        factor[i] = 1;
        [[unroll]] for (uint j = 0; j < TN; j++) sum[i][j] = 0;
    }

    if (NORM == NORM_LAYER) {
        for (uint k = 4 * lane; k < p.K + 4 * lane; k += 4 * SUBGROUP)
            [[unroll]] for (uint i = 0; i < TM; i++) mean[i] += total(loaded(i, k));
        [[unroll]] for (uint i = 0; i < TM; i++) mean[i] = sumOverSubgroup(mean[i]) / float(p.K);
        for (uint k = 4 * lane; k < p.K + 4 * lane; k += 4 * SUBGROUP)
            [[unroll]] for (uint i = 0; i < TM; i++) {
                const vec4 d = k < p.K ? loaded(i, k) - mean[i] : vec4(0);
                squares[i] += dot(d, d);
            }
        [[unroll]] for (uint i = 0; i < TM; i++)
            factor[i] = inversesqrt(sumOverSubgroup(squares[i]) / float(p.K) + p.epsilon);
    }

    const uint padded = (p.K + 31) & ~31u;
    for (uint k0 = 0; k0 < padded; k0 += 4 * SUBGROUP) {
        const uint k = k0 + 4 * lane;
        vec4 gamma = vec4(1), beta = vec4(0);
        if (NORM != 0) gamma = gamma4(min(k, p.K - 4));
        if (NORM == NORM_LAYER) beta = k < p.K ? beta4(min(k, p.K - 4)) : vec4(0);
        [[unroll]] for (uint i = 0; i < TM; i++) {
            a[i] = loaded(i, k);
            if (NORM == NORM_RMS) {
                squares[i] += dot(a[i], a[i]);
                a[i] *= gamma;
            }
            if (NORM == NORM_LAYER) a[i] = (k < p.K ? (a[i] - mean[i]) * factor[i] * gamma : vec4(0)) + beta;
        }
        if (SUBGROUP == 8) {
            // Written apart: inside a second loop Mesa 22.3's lavapipe runs it at two thirds of the speed.
            accumulate(k0, 0);
        } else {
            [[unroll]] for (uint b = 0; b < SUBGROUP / 8; b++)
                if (k0 + 32 * b < padded) {
                    vec4 kept[TM];
                    [[unroll]] for (uint i = 0; i < TM; i++) kept[i] = a[i];
                    accumulate(k0 + 32 * b, b);
                    [[unroll]] for (uint i = 0; i < TM; i++) a[i] = kept[i];
                }
        }
    }
    if (NORM == NORM_RMS) {
        [[unroll]] for (uint i = 0; i < TM; i++)
            factor[i] = inversesqrt(sumOverSubgroup(squares[i]) / float(p.K) + p.epsilon);
    }

    [[unroll]] for (uint j = 0; j < PART; j++) {
        const uint n = n0 + lane + SUBGROUP * j;
        if (n >= p.N) continue;
        const vec2 bias = biases(n);
        [[unroll]] for (uint i = 0; i < TM; i++) {
            if (m0 + i >= p.M) continue;
            const float scale = NORM == NORM_RMS ? factor[i] : 1;
            finish(m0 + i, n, sum[i][j] * scale, sum[i][(j + PART) % TN] * scale, bias);
        }
    }
}
