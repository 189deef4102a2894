// variants: FORMAT f32 f16 bf16 q8_0 q4_0 q4_1 q5_0 q5_1 q2_k q3_k q4_k q5_k q6_k iq4_nl
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
const uint PANEL = 1;
#include "../common/weights.glsl"
#include "../common/activations.glsl"

// linear for up to eight rows of x on a GPU (decode): a subgroup owns TN weight rows and its lanes walk along K, 16
// bytes of weights a lane, so that a row is read in one unbroken stream. Every weight is read once whatever TM; x is
// small and stays in cache. Partial sums meet by butterfly at the end. SUBGROUPS subgroups to a workgroup.
//
// Right on every device (tests force it on lavapipe, where it is slow); on a GPU its measure is the fraction of the
// bandwidth that bench/memory reads at.

layout(local_size_x_id = 0, local_size_y_id = 5) in;
layout(constant_id = 1) const uint TM = 1;
layout(constant_id = 2) const uint TN = 2;
layout(constant_id = 3) const uint ACTIVATION = 0;
layout(constant_id = 4) const bool ALIGNED = true;
layout(constant_id = 5) const uint SUBGROUPS = 4;

#include "push.glsl"

float sum[TM][TN];

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint n0 = (gl_WorkGroupID.x * SUBGROUPS + gl_SubgroupID) * TN;
    [[unroll]] for (uint i = 0; i < TM; i++)
        [[unroll]] for (uint j = 0; j < TN; j++) sum[i][j] = 0;

    // Rows are padded to 32 elements, so eight from any multiple of 8 below K are there.
    for (uint k = 8 * lane; k < p.K; k += 8 * SUBGROUP) {
        vec4 b0[TN], b1[TN];
        [[unroll]] for (uint j = 0; j < TN; j++)
            weight8(
                weightBlock(weightRow(p.w, min(n0 + j, p.N - 1), p.wStride), p.wStride, k & ~31u), (k >> 3) & 3, b0[j],
                b1[j]);
        [[unroll]] for (uint i = 0; i < TM; i++) {
            const uint64_t x = p.x + uint64_t(min(i, p.M - 1)) * (p.xStride * 4);
            const vec4 a0 = load4(x, k, p.K, ALIGNED), a1 = load4(x, k + 4, p.K, ALIGNED);
            [[unroll]] for (uint j = 0; j < TN; j++) sum[i][j] += dot(a0, b0[j]) + dot(a1, b1[j]);
        }
    }

    [[unroll]] for (uint i = 0; i < TM; i++) {
        [[unroll]] for (uint j = 0; j < TN; j++) {
            const float total = sumOverSubgroup(sum[i][j]);
            const uint n = n0 + j;
            // A lane of its own stores each sum.
            if (lane == (i * TN + j) % SUBGROUP && n < p.N && i < p.M) {
                float bias = 0;
                if (p.bias != 0) bias = Floats(p.bias).v[n];
                finish(i, n, total, bias, ACTIVATION);
            }
        }
    }
}
