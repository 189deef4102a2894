// variants: CACHE f32 f16
// variants: LOAD address texel
#version 460
#extension GL_GOOGLE_include_directive : require
#define WINDOW_ID 8
#define CAP_ID 9
#include "heads.glsl"
#include "query_row.glsl"
#include "../common/step_state.glsl"

// One new token per hypothesis: out[b, h D + d] = sum_j softmax_j(scale q[b, h].k[b, j, h / group] + bias) v[b, j, ...]
//
// q, out [batch, heads D] f32; keys and values [batch, maxKeys, kvHeads D] f32 or f16, batch stride 0 where all rows
// share them (cross-attention). Self-attention first appends newK, newV [batch, kvHeads D] at step.position and attends
// over the keys up to it; cross-attention has newK = null. keyCount 0 means step.keyCount. With ROTARY q and newK are
// rotated on the way in, as rotary/rotary does.
// bias (may be null) is read at [h, key], or at [h, position - key] (BIAS_BY_DISTANCE 1, T5); 2 adds what its last row,
// behind those of all heads, has at [key]. With a WINDOW only the last WINDOW keys are seen.
//
// Capture: with `capture` set, the softmax row is written to capture[(b, h)][key], exactly as used.
//
// One workgroup per head and hypothesis; its SUBGROUPS subgroups share the keys out in turn and join their running
// maxima, sums and outputs at the end. Lane = key for scores, lane = elements of d for P V.
//
// lavapipe, 8 heads x 1500 keys x 64, by processor time: f32 1.0-1.5 ms on 2 cores, f16 0.6-1.0; the capture's cost is
// within the noise. Compilation 0.3-0.45 s.

layout(local_size_x_id = 0, local_size_y_id = 3) in;
layout(constant_id = 3) const uint SUBGROUPS = 1;
layout(constant_id = 4) const uint GROUP = 1;              // heads / kvHeads
layout(constant_id = 5) const uint BIAS_BY_DISTANCE = 0;
layout(constant_id = 6) const uint ROTARY = 0;             // 0 none, 1 pairs (k, k + R / 2), 2 pairs (2 k, 2 k + 1)
layout(constant_id = 7) const uint R = 64;                 // elements of a head that are rotated

layout(push_constant, scalar) uniform Push {
    uint64_t q, newK, newV, k, v, bias, result, capture, step;
    uint64_t angles;  // [positions, R]: cosines, then sines; no gaps between rows
    uint keyCount;
    uint qStride, newStride, cacheStride, cacheBatchStride, resultStride;
    uint biasHeadStride;
    float scale;
    uint captureRowStride;
    uint capacity;    // keys there is room for, whatever the step says
    uint kTexel, vTexel;
} p;

shared float sharedTop[SUBGROUPS], sharedSum[SUBGROUPS];
shared vec4 sharedOut[SUBGROUPS * V4];

const uint BLOCKS = 2;  // key blocks per step, to halve the reductions

vec4 o[PER_LANE];

void addValue(float weight, ROW valueRow, uint lane) {
    [[unroll]] for (uint c = 0; c < PER_LANE; c++) o[c] = fma(vec4(weight), value4(valueRow, lane + SUBGROUP * c), o[c]);
}

#if defined(LOAD_texel)
ROW keyAt(uint b, uint head, uint j) {
    return int(p.kTexel + (b * p.cacheBatchStride + j * p.cacheStride + head / GROUP * D) * CACHE_BYTES / 16);
}
ROW valueAt(uint b, uint head, uint j) {
    return int(p.vTexel + (b * p.cacheBatchStride + j * p.cacheStride + head / GROUP * D) * CACHE_BYTES / 16);
}
#else
ROW keyAt(uint b, uint head, uint j) {
    return p.k + (uint64_t(b) * p.cacheBatchStride + uint64_t(j) * p.cacheStride + head / GROUP * D) * CACHE_BYTES;
}
ROW valueAt(uint b, uint head, uint j) {
    return p.v + (uint64_t(b) * p.cacheBatchStride + uint64_t(j) * p.cacheStride + head / GROUP * D) * CACHE_BYTES;
}
#endif

// Element d of a head, rotated.
float turned(uint64_t head, uint64_t angles, uint d) {
    const float x = Floats(head).v[d];
    if (ROTARY == 0) return x;
    const uint e = min(d, R - 1);
    const uint pair = ROTARY == 1 ? e % (R / 2) : e / 2;
    const bool first = ROTARY == 1 ? e < R / 2 : (e & 1) == 0;
    const uint other = ROTARY == 1 ? (first ? e + R / 2 : e - R / 2) : e ^ 1;
    const float c = Floats(angles).v[pair], s = Floats(angles).v[pair + R / 2], y = Floats(head).v[other];
    return d < R ? x * c + (first ? -y : y) * s : x;
}

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint part = SUBGROUPS == 1 ? 0 : gl_SubgroupID;
    const uint head = gl_WorkGroupID.x, b = gl_WorkGroupID.y, heads = gl_NumWorkGroups.x;
    StepState state = StepState(readable(p.step, p.q));
    const uint stepPosition = state.position, stepKeys = state.keyCount;
    const uint position = p.step != 0 ? stepPosition : 0;
    const uint keys = min(p.step != 0 && p.keyCount == 0 ? stepKeys : p.keyCount, p.capacity);
    const uint64_t angles = p.angles + uint64_t(min(position, p.capacity - 1)) * (R * 4);
    if (p.newK != 0 && position < p.capacity) {
        // Heads of one group write the same values. What is read below was written by this workgroup.
        if (part == 0) {
            const uint64_t offset = (b * p.newStride + head / GROUP * D) * 4;
            const uint64_t row =
                (uint64_t(b) * p.cacheBatchStride + uint64_t(position) * p.cacheStride + head / GROUP * D) * CACHE_BYTES;
            for (uint d = lane; d < D; d += SUBGROUP) {
                store1(p.k + row, d, turned(p.newK + offset, angles, d));
                store1(p.v + row, d, Floats(p.newV + offset).v[d]);
            }
        }
    }
    if (p.newK != 0) {
        groupMemoryBarrier();
        // A single subgroup needs no barrier.
        if (SUBGROUPS > 1) barrier();
    }

    const uint64_t query = p.q + (uint64_t(b) * p.qStride + head * D) * 4;
    if (ROTARY == 0) {
        loadQuery(query, lane, p.scale);
    } else {
        [[unroll]] for (uint c = 0; c < PER_LANE; c++) {
            [[unroll]] for (uint i = 0; i < 4; i++) {
                const uint d = 4 * (lane + SUBGROUP * c) + i;
                const float x = turned(query, angles, min(d, D - 1)) * p.scale;
                q[c][i] = d < D ? x : 0.0;
            }
        }
    }
    [[unroll]] for (uint c = 0; c < PER_LANE; c++) o[c] = vec4(0);
    Floats captured = Floats(p.capture + uint64_t(b * heads + head) * p.captureRowStride * 4);

    float top = LOWEST, sum = 0;
    const uint step = SUBGROUP * BLOCKS;
    const uint begin = firstInWindow(int(keys) - 1);
    for (uint j0 = begin + part * step; j0 < keys; j0 += SUBGROUPS * step) {
        float s[BLOCKS];
        float blockTop = LOWEST;
        [[unroll]] for (uint k = 0; k < BLOCKS; k++) {
            const uint key = min(j0 + k * SUBGROUP + lane, keys - 1);
            s[k] = capped(score(keyAt(b, head, key)));
            if (p.bias != 0)
                s[k] += Floats(p.bias).v[head * p.biasHeadStride + (BIAS_BY_DISTANCE > 0 ? position - key : key)];
            if (BIAS_BY_DISTANCE == 2) s[k] += Floats(p.bias).v[heads * p.biasHeadStride + key];
            if (p.capture != 0 && j0 + k * SUBGROUP + lane < keys) captured.v[key] = s[k];
            s[k] = mix(LOWEST, s[k], j0 + k * SUBGROUP + lane < keys);
            blockTop = max(blockTop, s[k]);
        }
        const float newTop = max(top, maxOverSubgroup(blockTop));
        const float keep = exp(top - newTop);
        top = newTop;
        sum *= keep;
        [[unroll]] for (uint c = 0; c < PER_LANE; c++) o[c] *= keep;
        [[unroll]] for (uint k = 0; k < BLOCKS; k++) {
            s[k] = mix(0.0, exp(s[k] - newTop), s[k] > MASKED);
            sum += s[k];
        }
        if (SUBGROUP == 8) {
            [[unroll]] for (uint k = 0; k < BLOCKS; k++)
                [[unroll]] for (uint j = 0; j < 8; j++)
                    addValue(subgroupShuffle(s[k], j), valueAt(b, head, min(j0 + 8 * k + j, keys - 1)), lane);
        } else {
            [[unroll]] for (uint k = 0; k < BLOCKS; k++)
                for (uint j = 0; j < SUBGROUP && j0 + SUBGROUP * k + j < keys; j++)
                    addValue(subgroupShuffle(s[k], j), valueAt(b, head, j0 + SUBGROUP * k + j), lane);
        }
    }
    sum = sumOverSubgroup(sum);

    if (SUBGROUPS > 1) {
        if (lane == 0) {
            sharedTop[part] = top;
            sharedSum[part] = sum;
        }
        [[unroll]] for (uint c = 0; c < PER_LANE; c++)
            if (lane + SUBGROUP * c < V4) sharedOut[part * V4 + lane + SUBGROUP * c] = o[c];
        barrier();
        top = LOWEST;
        for (uint g = 0; g < SUBGROUPS; g++) top = max(top, sharedTop[g]);
        sum = 0;
        [[unroll]] for (uint c = 0; c < PER_LANE; c++) o[c] = vec4(0);
        for (uint g = 0; g < SUBGROUPS; g++) {
            const float keep = exp(sharedTop[g] - top);
            sum += sharedSum[g] * keep;
            if (part == 0) {
                [[unroll]] for (uint c = 0; c < PER_LANE; c++)
                    o[c] += keep * sharedOut[g * V4 + min(lane + SUBGROUP * c, V4 - 1)];
            }
        }
    }

    const float scale = sum > 0 ? 1 / sum : 0;
    if (part == 0) {
        const uint64_t row = p.result + (uint64_t(b) * p.resultStride + head * D) * 4;
        [[unroll]] for (uint c = 0; c < PER_LANE; c++) store4(row, 4 * (lane + SUBGROUP * c), D, ALIGNED, o[c] * scale);
    }
    if (p.capture != 0) {
        for (uint key = part * SUBGROUP + lane; key < begin; key += SUBGROUPS * SUBGROUP) captured.v[key] = 0;
        // Each lane turns the raw scores that it wrote itself into weights.
        for (uint j0 = begin + part * step; j0 < keys; j0 += SUBGROUPS * step) {
            [[unroll]] for (uint k = 0; k < BLOCKS; k++) {
                const uint key = j0 + k * SUBGROUP + lane;
                if (key < keys) {
                    const float s = captured.v[key];
                    captured.v[key] = s > MASKED ? exp(s - top) * scale : 0.0;
                }
            }
        }
    }
}
