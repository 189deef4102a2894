// variants: CACHE f32 f16
#version 460
#extension GL_GOOGLE_include_directive : require
#define WINDOW_ID 6
#define CAP_ID 7
#include "heads.glsl"

// The contract of flash.comp, for GPUs. A workgroup of THREADS invocations takes BQ queries of one head and walks the
// keys in tiles of BK, which pass through shared memory once for all BQ queries: keys first, then, in the same place,
// values. Four invocations share a query: each computes a quarter of its scores in a tile and holds a quarter of its
// output's vectors in registers.
//
// Right on every device (tests force it on lavapipe, where shared memory and barriers make it slow).

layout(local_size_x_id = 0, local_size_y_id = 5) in;
layout(constant_id = 3) const uint BQ = 32;
layout(constant_id = 4) const uint BK = 32;
layout(constant_id = 5) const uint SUBGROUPS = 16;  // 4 BQ / subgroup size

#include "push.glsl"

const uint THREADS = 4 * BQ;
const uint PITCH = V4 + 1;              // vec4s from row to row: odd, so that rows start in different banks when V4 is even
const uint QUARTER = (V4 + 3) / 4;    // output vectors of an invocation

shared vec4 sharedQ[BQ * PITCH];
shared vec4 sharedKV[BK * PITCH];
shared float sharedS[BQ * (BK + 1)];

vec4 o[QUARTER];

void loadTile(uint64_t head, uint stride, uint j0, uint t) {
    for (uint e = t; e < BK * V4; e += THREADS) {
        const uint key = min(j0 + e / V4, p.keys - 1);
        sharedKV[e / V4 * PITCH + e % V4] = key4(head + uint64_t(key) * (stride * CACHE_BYTES), e % V4);
    }
}

void main() {
    const uint t = gl_LocalInvocationIndex;
    const uint m0 = gl_WorkGroupID.x * BQ, head = gl_WorkGroupID.y;
    const uint64_t keyHead = p.k + (head / p.group) * (D * CACHE_BYTES);
    const uint64_t valueHead = p.v + (head / p.group) * (D * CACHE_BYTES);
    const uint i = t / 4, part = t % 4;
    const uint query = min(m0 + i, p.queries - 1);

    for (uint e = t; e < BQ * V4; e += THREADS)
        sharedQ[e / V4 * PITCH + e % V4] =
            query4(p.q + uint64_t(min(m0 + e / V4, p.queries - 1)) * (p.qStride * 4) + head * (D * 4), e % V4) * p.scale;
    [[unroll]] for (uint c = 0; c < QUARTER; c++) o[c] = vec4(0);

    float top = LOWEST, sum = 0;
    const uint firstUnseen = p.causal != 0 ? uint(max(int(m0 + 1) + p.offset, 0)) : p.keys;
    const uint end = min(p.keys, firstUnseen + BQ - 1);
    const uint ownEnd = min(end, firstUnseen + i);
    const uint firstSeen = firstInWindow(int(m0) + p.offset), ownFirst = firstInWindow(int(m0 + i) + p.offset);
    for (uint j0 = firstSeen; j0 < end; j0 += BK) {
        barrier();
        loadTile(keyHead, p.kStride, j0, t);
        barrier();
        for (uint j = part; j < BK; j += 4) {
            float s = 0;
            for (uint d = 0; d < V4; d++) s += dot(sharedQ[i * PITCH + d], sharedKV[j * PITCH + d]);
            s = capped(s);
            const uint key = j0 + j;
            if (p.bias != 0) s += Floats(p.bias).v[head * p.biasHeadStride + query * p.biasRowStride + min(key, p.keys - 1)];
            if (key >= ownEnd || key < ownFirst || s < MASKED) s = LOWEST;
            sharedS[i * (BK + 1) + j] = s;
        }
        barrier();
        loadTile(valueHead, p.vStride, j0, t);
        // All four invocations of a query go over its scores alike, so that they need not exchange statistics.
        float newTop = top;
        for (uint j = 0; j < BK; j++) newTop = max(newTop, sharedS[i * (BK + 1) + j]);
        const float keep = exp(top - newTop);
        top = newTop;
        sum *= keep;
        [[unroll]] for (uint c = 0; c < QUARTER; c++) o[c] *= keep;
        barrier();
        for (uint j = 0; j < BK; j++) {
            const float s = sharedS[i * (BK + 1) + j];
            const float w = s > MASKED ? exp(s - top) : 0;
            sum += w;
            [[unroll]] for (uint c = 0; c < QUARTER; c++) o[c] += w * sharedKV[j * PITCH + min(part + 4 * c, V4 - 1)];
        }
    }

    if (m0 + i >= p.queries) return;
    const float scale = sum > 0 ? 1 / sum : 0;
    const uint64_t row = p.result + uint64_t(m0 + i) * (p.resultStride * 4) + head * (D * 4);
    [[unroll]] for (uint c = 0; c < QUARTER; c++) store4(row, 4 * (part + 4 * c), D, ALIGNED, o[c] * scale);
    if (p.lse != 0 && part == 0) Floats(p.lse).v[head * p.queries + m0 + i] = top + log(sum);
}
