// Shared by linear/row and linear/dot: one or more subgroups walk along K over TN weight rows, and their sums meet at the end.
//
// A workgroup has SUBGROUPS subgroups; SPLIT of them share the same weight rows, each taking every SPLIT-th stretch of K,
// where rows are too few to keep a GPU's memory busy. Their sums meet in shared memory, always in the same order.
//
// The root mean square is a factor, applied at the end. For a layer norm every subgroup takes mean and variance of the
// rows itself, in two passes, as norm/norm does: x is in cache, and a dispatch less is worth more.
#ifndef FOVEA_ROWS
#define FOVEA_ROWS

layout(local_size_x_id = 0, local_size_y_id = 5) in;
layout(constant_id = 1) const uint TM = 1;
layout(constant_id = 2) const uint TN = 2;       // weight rows of a subgroup; GATED: half of them gates
layout(constant_id = 3) const uint ACTIVATION = 0;
layout(constant_id = 4) const bool ALIGNED = true;
layout(constant_id = 5) const uint SUBGROUPS = 4;
layout(constant_id = 6) const uint NORM = 0;     // NORM_RMS, NORM_LAYER or none
layout(constant_id = 7) const bool GATED = false;
layout(constant_id = 8) const uint SPLIT = 1;    // a divisor of SUBGROUPS

#include "push.glsl"

const uint PART = GATED ? TN / 2 : TN;
const uint SUMS = TM * TN + TM;  // per subgroup: TM x TN products, then TM sums of squares

float sum[SUMS], mean[TM], factor[TM];
shared float shares[SUBGROUPS * SUMS];

float total(vec4 v) { return (v.x + v.y) + (v.z + v.w); }

uint64_t inputRow(uint i) { return p.x + uint64_t(min(i, p.M - 1)) * (p.xStride * 4); }

// Mean and 1 / standard deviation of every row.
void layerNorm(uint lane) {
    [[unroll]] for (uint i = 0; i < TM; i++) {
        float s = 0;
        for (uint k = 4 * lane; k < p.K; k += 4 * SUBGROUP) s += total(load4(inputRow(i), k, p.K, ALIGNED));
        mean[i] = sumOverSubgroup(s) / float(p.K);
        s = 0;
        for (uint k = 4 * lane; k < p.K; k += 4 * SUBGROUP) {
            // Norms come with K a multiple of 4.
            const vec4 d = load4(inputRow(i), k, p.K, ALIGNED) - mean[i];
            s += dot(d, d);
        }
        factor[i] = inversesqrt(sumOverSubgroup(s) / float(p.K) + p.epsilon);
    }
}

// Four elements of row i of x, with its norm; zeros beyond the end.
vec4 input4(uint i, uint k) {
    vec4 a = load4(inputRow(i), k, p.K, ALIGNED);
    if (NORM == NORM_RMS) {
        sum[TM * TN + i] += dot(a, a);
        a *= load4(p.gamma, k, p.K, true);
    }
    if (NORM == NORM_LAYER) a = (a - mean[i]) * factor[i] * load4(p.gamma, k, p.K, true) + load4(p.beta, k, p.K, true);
    return a;
}

// The first of this subgroup's outputs.
uint firstOutput() { return (gl_WorkGroupID.x * (SUBGROUPS / SPLIT) + gl_SubgroupID / SPLIT) * PART; }
// The weight row of sum j: gates first, then their partners. Rows beyond the end repeat the last one.
uint weightRowOf(uint j) { return min(firstOutput() + j % PART, p.N - 1) + (j < PART ? 0 : p.gate); }

void begin() {
    [[unroll]] for (uint i = 0; i < SUMS; i++) sum[i] = 0;
    if (NORM == NORM_LAYER) layerNorm(gl_SubgroupInvocationID);
}

// Lanes and subgroups that shared the rows put their sums together.
void end() {
    const uint lane = gl_SubgroupInvocationID, n0 = firstOutput();
    [[unroll]] for (uint i = 0; i < SUMS; i++) sum[i] = sumOverSubgroup(sum[i]);
    if (SPLIT > 1) {
        if (lane == 0) {
            [[unroll]] for (uint i = 0; i < SUMS; i++) shares[gl_SubgroupID * SUMS + i] = sum[i];
        }
        barrier();
        if (gl_SubgroupID % SPLIT != 0) return;
        [[unroll]] for (uint i = 0; i < SUMS; i++)
            for (uint s = 1; s < SPLIT; s++) sum[i] += shares[(gl_SubgroupID + s) * SUMS + i];
    }

    [[unroll]] for (uint i = 0; i < TM; i++) {
        const float scale = NORM == NORM_RMS ? inversesqrt(sum[TM * TN + i] / float(p.K) + p.epsilon) : 1;
        [[unroll]] for (uint j = 0; j < PART; j++) {
            const uint n = n0 + j;
            // A lane of its own stores each result.
            if (lane == (i * PART + j) % SUBGROUP && n < p.N && i < p.M)
                finish(i, n, sum[i * TN + j] * scale, sum[i * TN + (j + PART) % TN] * scale, biases(n));
        }
    }
}

#endif
