// variants: FORMAT f32 f16 bf16 q8_0 q4_0 q4_1 q5_0 q5_1 q2_k q3_k q4_k q5_k q6_k iq4_nl
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
const uint PANEL = 1;
#include "../common/weights.glsl"
#include "../common/activations.glsl"

// linear for many rows of x on a GPU (prefill, encoders): 256 invocations compute a 64 x 64 tile of the result, 4 x 4
// each, over slices of 32 columns that pass through shared memory as f32 (17 KiB). Tiles lie with k outermost, so that
// an invocation takes its four rows and four outputs as two 16-byte reads per k.
//
// Right on every device (tests force it on lavapipe, where shared memory makes it slow).

layout(local_size_x_id = 0, local_size_y_id = 3) in;
layout(constant_id = 1) const uint ACTIVATION = 0;
layout(constant_id = 2) const bool ALIGNED = true;
layout(constant_id = 3) const uint SUBGROUPS = 32;  // 256 / subgroup size

#include "push.glsl"

const uint TILE = 64, DEPTH = 32;
const uint PITCH = TILE + 4;  // four more than needed keep columns out of each other's banks

// Scalars, not vectors: stores of single components must not touch their neighbours.
shared float sharedX[DEPTH * PITCH];
shared float sharedW[DEPTH * PITCH];

vec4 x4(uint i) { return vec4(sharedX[i], sharedX[i + 1], sharedX[i + 2], sharedX[i + 3]); }
vec4 w4(uint i) { return vec4(sharedW[i], sharedW[i + 1], sharedW[i + 2], sharedW[i + 3]); }

void main() {
    const uint t = gl_LocalInvocationIndex;
    const uint m0 = gl_WorkGroupID.y * TILE, n0 = gl_WorkGroupID.x * TILE;
    // Loading: four invocations to a row, eight columns each.
    const uint row = t / 4, column = 8 * (t % 4);
    const uint64_t x = p.x + uint64_t(min(m0 + row, p.M - 1)) * (p.xStride * 4);
    const uint64_t w = weightRow(p.w, min(n0 + row, p.N - 1), p.wStride);
    // Computing: four rows of x by four weight rows.
    const uint mi = t / 16, ni = t % 16;

    vec4 sum[4];
    [[unroll]] for (uint i = 0; i < 4; i++) sum[i] = vec4(0);

    for (uint k0 = 0; k0 < p.K; k0 += DEPTH) {
        const vec4 a0 = load4(x, k0 + column, p.K, ALIGNED), a1 = load4(x, k0 + column + 4, p.K, ALIGNED);
        vec4 b0, b1;
        weight8(weightBlock(w, p.wStride, k0), t % 4, b0, b1);
        barrier();
        [[unroll]] for (uint c = 0; c < 4; c++) {
            sharedX[(column + c) * PITCH + row] = a0[c];
            sharedX[(column + 4 + c) * PITCH + row] = a1[c];
            sharedW[(column + c) * PITCH + row] = b0[c];
            sharedW[(column + 4 + c) * PITCH + row] = b1[c];
        }
        barrier();
        for (uint k = 0; k < DEPTH; k++) {
            const vec4 a = x4(k * PITCH + 4 * mi), b = w4(k * PITCH + 4 * ni);
            [[unroll]] for (uint i = 0; i < 4; i++) sum[i] = fma(vec4(a[i]), b, sum[i]);
        }
    }

    [[unroll]] for (uint j = 0; j < 4; j++) {
        const uint n = n0 + 4 * ni + j;
        if (n >= p.N) continue;
        float bias = 0;
        if (p.bias != 0) bias = Floats(p.bias).v[n];
        [[unroll]] for (uint i = 0; i < 4; i++)
            if (m0 + 4 * mi + i < p.M) finish(m0 + 4 * mi + i, n, sum[i][j], bias, ACTIVATION);
    }
}
