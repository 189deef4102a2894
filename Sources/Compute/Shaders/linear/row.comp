// variants: FORMAT @formats
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
const uint PANEL = 1;
#include "../common/weights.glsl"
#include "../common/activations.glsl"

// linear for up to eight rows of x on a GPU (decode), with the norm before it and the gate behind: a subgroup owns TN
// weight rows and its lanes walk along K, 16 bytes of weights a lane, so that a row is read in one unbroken stream. Every
// weight is read once whatever TM; x is small and stays in cache. Partial sums meet by butterfly at the end.
//
// Right on every device (tests force it on lavapipe, where it is slow); on a GPU its measure is the fraction of the
// bandwidth that bench/memory reads at.

#include "rows.glsl"

void main() {
    begin();
    // Rows are padded to 32 elements, so eight from any multiple of 8 below K are there.
    const uint first = gl_SubgroupInvocationID + SUBGROUP * (gl_SubgroupID % SPLIT);
    for (uint k = 8 * first; k < p.K; k += 8 * SUBGROUP * SPLIT) {
        vec4 b0[TN], b1[TN];
        [[unroll]] for (uint j = 0; j < TN; j++)
            weight8(weightBlock(weightRow(p.w, weightRowOf(j), p.wStride), p.wStride, k & ~31u), (k >> 3) & 3, b0[j], b1[j]);
        [[unroll]] for (uint i = 0; i < TM; i++) {
            const vec4 a0 = input4(i, k), a1 = input4(i, k + 4);
            [[unroll]] for (uint j = 0; j < TN; j++) sum[i * TN + j] += dot(a0, b0[j]) + dot(a1, b1[j]);
        }
    }
    end();
}
