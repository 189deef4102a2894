// variants: FORMAT @formats
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
const uint PANEL = 1;
#include "../common/weights.glsl"
#include "../common/activations.glsl"

// linear for many rows of x on a GPU (prefill, encoders), without a norm: 256 invocations compute a tile of 64 R x 64 R
// sums, 4 R x 4 R each, over slices of 32 / R columns that pass through shared memory as f32 (17 KiB). Tiles lie with k
// outermost, so that an invocation takes its rows and weight rows as 16-byte reads, four at a time.
//
// R = 2 reads shared memory half as often for the same arithmetic, and keeps four times as many sums: for products large
// enough to fill a GPU with such tiles.
//
// Right on every device (tests force it on lavapipe, where shared memory makes it slow).

layout(local_size_x_id = 0, local_size_y_id = 3) in;
layout(constant_id = 1) const uint ACTIVATION = 0;
layout(constant_id = 2) const bool ALIGNED = true;
layout(constant_id = 3) const uint SUBGROUPS = 32;  // 256 / subgroup size
layout(constant_id = 4) const uint R = 1;           // 1 or 2
layout(constant_id = 5) const bool GATED = false;

#include "push.glsl"

const uint TILE = 64 * R, DEPTH = 32 / R;
const uint PITCH = TILE + 4;  // four more than needed keep columns out of each other's banks
const uint TILE_ROWS = TILE;

#include "tiles.glsl"

// Scalars, not vectors: stores of single components must not touch their neighbors.
shared float sharedX[DEPTH * PITCH];
shared float sharedW[DEPTH * PITCH];

vec4 x4(uint i) { return vec4(sharedX[i], sharedX[i + 1], sharedX[i + 2], sharedX[i + 3]); }
vec4 w4(uint i) { return vec4(sharedW[i], sharedW[i + 1], sharedW[i + 2], sharedW[i + 3]); }

void main() {
    const uint t = gl_LocalInvocationIndex;
    const uint m0 = gl_WorkGroupID.y * TILE;
    // Loading: eight columns of a row each, as many invocations to a row as a slice has eights.
    const uint row = t / (DEPTH / 8), column = 8 * (t % (DEPTH / 8));
    const uint64_t x = p.x + uint64_t(min(m0 + row, p.M - 1)) * (p.xStride * 4);
    const uint64_t w = tileWeights(row);
    // Computing: rows of x and weight rows in fours, 64 apart.
    const uint mi = 4 * (t / 16), ni = 4 * (t % 16);

    vec4 sum[4 * R * R];  // [weight rows 64 apart][rows of x], of four weight rows
    [[unroll]] for (uint i = 0; i < 4 * R * R; i++) sum[i] = vec4(0);

    for (uint k0 = 0; k0 < p.K; k0 += DEPTH) {
        const vec4 a0 = load4(x, k0 + column, p.K, ALIGNED), a1 = load4(x, k0 + column + 4, p.K, ALIGNED);
        vec4 b0, b1;
        weight8(weightBlock(w, p.wStride, k0 & ~31u), ((k0 + column) >> 3) & 3, b0, b1);
        barrier();
        [[unroll]] for (uint c = 0; c < 4; c++) {
            sharedX[(column + c) * PITCH + row] = a0[c];
            sharedX[(column + 4 + c) * PITCH + row] = a1[c];
            sharedW[(column + c) * PITCH + row] = b0[c];
            sharedW[(column + 4 + c) * PITCH + row] = b1[c];
        }
        barrier();
        for (uint k = 0; k < DEPTH; k++) {
            [[unroll]] for (uint h = 0; h < R; h++) {
                const vec4 a = x4(k * PITCH + mi + 64 * h);
                [[unroll]] for (uint g = 0; g < R; g++) {
                    const vec4 b = w4(k * PITCH + ni + 64 * g);
                    [[unroll]] for (uint i = 0; i < 4; i++) {
                        const uint s = (g * R + h) * 4 + i;
                        sum[s] = fma(vec4(a[i]), b, sum[s]);
                    }
                }
            }
        }
    }

    [[unroll]] for (uint g = 0; g < R; g++) {
        [[unroll]] for (uint j = 0; j < (GATED ? 2 : 4); j++) {
            const uint n = outputOf(ni + 64 * g + j);
            if (n >= p.N) continue;
            const vec2 bias = biases(n);
            [[unroll]] for (uint h = 0; h < R; h++)
                [[unroll]] for (uint i = 0; i < 4; i++) {
                    const uint m = m0 + mi + 64 * h + i;
                    const vec4 s = sum[(g * R + h) * 4 + i];
                    if (m < p.M) finish(m, n, s[j], s[(j + 2) % 4], bias);
                }
        }
    }
}
