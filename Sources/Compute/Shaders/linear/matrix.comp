// variants: FORMAT @formats
// needs: GL_KHR_cooperative_matrix
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "../common/subgroup.glsl"
const uint PANEL = 1;
#include "../common/weights.glsl"
#include "../common/activations.glsl"

// linear for many rows of x on GPUs with units for products of small matrices (VK_KHR_cooperative_matrix: f16 times f16 into
// f32 sums), without a norm. SM x SN subgroups compute RM x RN matrices of CM x CN sums each, over slices of DEPTH columns
// that pass through shared memory as f16.
//
// As exact as f32 sums elsewhere: attention must equal PyTorch's, and f16 has eleven bits. Each row of x is scaled by a power of
// two so that its largest element is near 2^14, then taken apart into two halves of eleven bits each, x = high + low; so are
// weights of formats with more precision than f16 (W_PARTS 2). Products of two low parts are left out. That is two products of
// matrices for one with f16 weights, three with others.
//
// Right on every device that has it: tests run it on lavapipe of Mesa 26, whose matrices are 8 x 8 x 8.

layout(local_size_x_id = 0, local_size_y_id = 3) in;
layout(constant_id = 1) const uint ACTIVATION = 0;
layout(constant_id = 2) const bool ALIGNED = true;
layout(constant_id = 3) const uint SUBGROUPS = 4;  // SM SN
layout(constant_id = 4) const bool GATED = false;
layout(constant_id = 5) const uint CM = 16;
layout(constant_id = 6) const uint CN = 16;
layout(constant_id = 7) const uint CK = 16;
layout(constant_id = 8) const uint SM = 2;
layout(constant_id = 9) const uint RM = 2;
layout(constant_id = 10) const uint RN = 2;
layout(constant_id = 11) const uint DEPTH = 32;    // a multiple of CK

#include "push.glsl"

#if defined(FORMAT_f16)
#define W_PARTS 1
const float W_SCALE = 1;
#else
#define W_PARTS 2
const float W_SCALE = 64;  // moves low parts of weights away from f16's smallest numbers
#endif

const uint SN = SUBGROUPS / SM;
const uint TILE_M = SM * RM * CM, TILE_N = SN * RN * CN;
const uint TILE_ROWS = TILE_N;
const uint PITCH = DEPTH + 8;  // eight more than needed keep rows out of each other's banks
const uint INVOCATIONS = SUBGROUPS * SUBGROUP;

shared float16_t sharedX[2 * TILE_M * PITCH];        // high parts, then low ones
shared float16_t sharedW[W_PARTS * TILE_N * PITCH];
shared float sharedSum[SUBGROUPS * CM * CN];
shared float sharedScale[TILE_M];

#include "tiles.glsl"

uint64_t inputRow(uint r) { return p.x + uint64_t(min(gl_WorkGroupID.y * TILE_M + r, p.M - 1)) * (p.xStride * 4); }

// An f32 truncated to the bits of an f16. (A conversion there and back is optimized away by drivers.)
vec4 highPart(vec4 a) { return uintBitsToFloat(floatBitsToUint(a) & 0xffffe000u); }

float powerOfTwo(int exponent) { return intBitsToFloat((exponent + 127) << 23); }

void main() {
    const uint t = gl_LocalInvocationIndex, lane = gl_SubgroupInvocationID;

    for (uint r = gl_SubgroupID; r < TILE_M; r += SUBGROUPS) {
        float largest = 0;
        for (uint k = 4 * lane; k < p.K; k += 4 * SUBGROUP) {
            const vec4 a = abs(load4(inputRow(r), k, p.K, ALIGNED));
            largest = max(largest, max(max(a.x, a.y), max(a.z, a.w)));
        }
        largest = maxOverSubgroup(largest);
        const int exponent = clamp((floatBitsToInt(largest) >> 23) - 127, -100, 127);
        if (lane == 0) sharedScale[r] = powerOfTwo(14 - exponent);
    }

    coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> sum[RM * RN];
    [[unroll]] for (uint i = 0; i < RM * RN; i++)
        sum[i] = coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator>(0);
    const uint rowOfSubgroup = (gl_SubgroupID / SN) * (RM * CM), columnOfSubgroup = (gl_SubgroupID % SN) * (RN * CN);

    for (uint k0 = 0; k0 < p.K; k0 += DEPTH) {
        barrier();
        for (uint i = t; i < TILE_M * (DEPTH / 8); i += INVOCATIONS) {
            const uint row = i / (DEPTH / 8), column = 8 * (i % (DEPTH / 8)), at = row * PITCH + column;
            const float scale = sharedScale[row];
            const vec4 a0 = load4(inputRow(row), k0 + column, p.K, ALIGNED) * scale;
            const vec4 a1 = load4(inputRow(row), k0 + column + 4, p.K, ALIGNED) * scale;
            const vec4 h0 = highPart(a0), h1 = highPart(a1), l0 = a0 - h0, l1 = a1 - h1;
            [[unroll]] for (uint c = 0; c < 4; c++) {
                sharedX[at + c] = float16_t(h0[c]);
                sharedX[at + 4 + c] = float16_t(h1[c]);
                sharedX[TILE_M * PITCH + at + c] = float16_t(l0[c]);
                sharedX[TILE_M * PITCH + at + 4 + c] = float16_t(l1[c]);
            }
        }
        for (uint i = t; i < TILE_N * (DEPTH / 8); i += INVOCATIONS) {
            const uint row = i / (DEPTH / 8), column = 8 * (i % (DEPTH / 8)), at = row * PITCH + column;
            // Rows are padded to 32 columns with zeros; a slice may be 16.
            const uint k = k0 + column;
            vec4 b0, b1;
            weight8(weightBlock(tileWeights(row), p.wStride, k & ~31u), (k >> 3) & 3, b0, b1);
            b0 *= W_SCALE;
            b1 *= W_SCALE;
            const vec4 h0 = highPart(b0), h1 = highPart(b1);
            [[unroll]] for (uint c = 0; c < 4; c++) {
                sharedW[at + c] = float16_t(h0[c]);
                sharedW[at + 4 + c] = float16_t(h1[c]);
            }
#if W_PARTS == 2
            const vec4 l0 = b0 - h0, l1 = b1 - h1;
            [[unroll]] for (uint c = 0; c < 4; c++) {
                sharedW[TILE_N * PITCH + at + c] = float16_t(l0[c]);
                sharedW[TILE_N * PITCH + at + 4 + c] = float16_t(l1[c]);
            }
#endif
        }
        barrier();
        [[unroll]] for (uint k = 0; k < DEPTH; k += CK) {
            coopmat<float16_t, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA> high[RM], low[RM];
            [[unroll]] for (uint i = 0; i < RM; i++) {
                const uint at = (rowOfSubgroup + i * CM) * PITCH + k;
                coopMatLoad(high[i], sharedX, at, PITCH, gl_CooperativeMatrixLayoutRowMajor);
                coopMatLoad(low[i], sharedX, TILE_M * PITCH + at, PITCH, gl_CooperativeMatrixLayoutRowMajor);
            }
            [[unroll]] for (uint j = 0; j < RN; j++) {
                const uint at = (columnOfSubgroup + j * CN) * PITCH + k;
                coopmat<float16_t, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB> b;
#if W_PARTS == 2
                coopMatLoad(b, sharedW, TILE_N * PITCH + at, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
                [[unroll]] for (uint i = 0; i < RM; i++) sum[i * RN + j] = coopMatMulAdd(high[i], b, sum[i * RN + j]);
#endif
                coopMatLoad(b, sharedW, at, PITCH, gl_CooperativeMatrixLayoutColumnMajor);
                [[unroll]] for (uint i = 0; i < RM; i++) {
                    sum[i * RN + j] = coopMatMulAdd(low[i], b, sum[i * RN + j]);
                    sum[i * RN + j] = coopMatMulAdd(high[i], b, sum[i * RN + j]);
                }
            }
        }
    }

    // Matrix by matrix through shared memory: which invocation holds which element is up to the driver.
    const uint place = gl_SubgroupID * (CM * CN);
    [[unroll]] for (uint i = 0; i < RM; i++) {
        [[unroll]] for (uint j = 0; j < RN; j++) {
            barrier();
            coopMatStore(sum[i * RN + j], sharedSum, place, CN, gl_CooperativeMatrixLayoutRowMajor);
            barrier();
            for (uint e = lane; e < CM * CN; e += SUBGROUP) {
                const uint row = rowOfSubgroup + i * CM + e / CN, column = columnOfSubgroup + j * CN + e % CN;
                const uint m = gl_WorkGroupID.y * TILE_M + row, n = outputOf(column);
                if (m >= p.M || n >= p.N || isPartner(column)) continue;
                const float scale = 1 / (sharedScale[row] * W_SCALE);
                finish(m, n, sharedSum[place + e] * scale, sharedSum[place + (e + 2) % (CM * CN)] * scale, biases(n));
            }
        }
    }
}
