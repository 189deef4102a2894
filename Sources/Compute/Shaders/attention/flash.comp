// variants: CACHE f32 f16
// variants: LOAD address texel
#version 460
#extension GL_GOOGLE_include_directive : require
#define WINDOW_ID 5
#define CAP_ID 6
#include "heads.glsl"

// out[i, h D + d] = sum_j softmax_j(scale q[i, h].k[j, h / group] + bias[h, i, j]) v[j, h / group, d]
//
// q [queries, heads D], k and v [keys, kvHeads D], out like q, any row strides; bias [heads or 1, queries, keys] f32 or
// null; lse [heads, queries] or null receives log sum exp of the scaled, biased scores. Causal: key j is seen by query i
// when j <= i + offset. With a WINDOW, i sees no key before i + offset + 1 - WINDOW. f32 throughout (keys and values may
// be f16).
//
// One subgroup takes TM queries of one head and walks the keys in blocks of its width, keeping a running maximum and sum
// (Milakov and Gimelshein 2018; Dao et al. 2022): scores with lane = key and queries by shuffle, then P V with lane =
// elements of d and probabilities by shuffle. Nothing is shared through memory, nothing is reduced per key.
//
// lavapipe, 2 cores, by processor time (22.3.6, 25.0.7), 6 heads x 1500 x 1500 x 64: TM 16 135, 89 ms; TM 8 200, 75-110;
// TM 4 350, 170. Compilation at TM 16 about 1.5, 0.8 s. On one core (Intel AVX-512) of 25.0.7, 2 heads: TM 16 60 ms, with
// two keys a lane 57, four 51, six 54, eight 54; TM 8 59, 66, 55 with one, two, four.

layout(local_size_x_id = 0) in;
layout(constant_id = 3) const uint TM = 8;
layout(constant_id = 4) const uint KN = 1;  // keys per lane; by texel 1

#include "push.glsl"

#if defined(LOAD_texel)
ROW firstKey(uint head) { return int(p.kTexel + (head / p.group) * (D * CACHE_BYTES / 16)); }
ROW firstValue(uint head) { return int(p.vTexel + (head / p.group) * (D * CACHE_BYTES / 16)); }
ROW keyAt(ROW first, uint j) { return first + int(j * (p.kStride * CACHE_BYTES / 16)); }
ROW valueAt(ROW first, uint j) { return first + int(j * (p.vStride * CACHE_BYTES / 16)); }
#else
ROW firstKey(uint head) { return p.k + (head / p.group) * (D * CACHE_BYTES); }
ROW firstValue(uint head) { return p.v + (head / p.group) * (D * CACHE_BYTES); }
ROW keyAt(ROW first, uint j) { return first + uint64_t(j) * (p.kStride * CACHE_BYTES); }
ROW valueAt(ROW first, uint j) { return first + uint64_t(j) * (p.vStride * CACHE_BYTES); }
#endif

// Working arrays are global and flat: handing arrays to functions, or nesting them, keeps Mesa 22.3 from holding them in
// registers (seven times slower, half a minute of compilation).
const uint VECTORS = TM * PER_LANE;
vec4 q[VECTORS], o[VECTORS];
float s[TM * KN];
#if defined(LOAD_texel)
#define PROBABILITY s
#else
#define PROBABILITY p1
float p1[TM];  // of one key of each lane
uint64_t queryRow[TM / 2];  // queryRow[i]: in the first half of the lanes that of query 2 i, in the others of 2 i + 1
#endif

// One key a lane, queries held in registers.
void scores(ROW keyRow) {
    [[unroll]] for (uint t = 0; t < V4; t++) {
        const vec4 b = key4(keyRow, t);
        [[unroll]] for (uint i = 0; i < TM; i++) {
            const vec4 a = subgroupShuffle(q[i * PER_LANE + t / SUBGROUP], t % SUBGROUP);
            s[i] = fma(a.x, b.x, s[i]);
            s[i] = fma(a.y, b.y, s[i]);
            s[i] = fma(a.z, b.z, s[i]);
            s[i] = fma(a.w, b.w, s[i]);
        }
    }
}

#if !defined(LOAD_texel)
// Several keys per lane share the result of a shuffle: a product of matrices, in a loop over the head's elements, as
// linear/shuffle by address. Queries are read again for each block of keys.
ROW keyRow[KN];
vec2 a[TM / 2];
void scoresOfSeveral(uint lane) {
    for (uint d = 0; d < D; d += SUBGROUP) {
        const uint e = d + 2 * (lane % (SUBGROUP / 2));
        [[unroll]] for (uint i = 0; i < TM / 2; i++) {
            const vec2 x = ALIGNED
                ? uintBitsToFloat(unpack32(Pairs(queryRow[i]).v[min(e, D - 2) >> 1]))
                : vec2(Floats(queryRow[i]).v[min(e, D - 1)], Floats(queryRow[i]).v[min(e + 1, D - 1)]);
            a[i] = mix(vec2(0), x * p.scale, lessThan(uvec2(e, e + 1), uvec2(D)));
        }
        [[unroll]] for (uint t = 0; t < SUBGROUP / 4; t++) {
            vec4 b[KN];
            [[unroll]] for (uint g = 0; g < KN; g++) b[g] = key4(keyRow[g], d / 4 + t);
            [[unroll]] for (uint i = 0; i < TM; i++) {
                [[unroll]] for (uint e = 0; e < 4; e++) {
                    const float x = subgroupShuffle(a[i / 2][e & 1], 2 * t + e / 2 + (i & 1) * (SUBGROUP / 2));
                    [[unroll]] for (uint g = 0; g < KN; g++) s[i * KN + g] = fma(x, b[g][e], s[i * KN + g]);
                }
            }
        }
    }
}
#endif

void addValue(ROW valueRow, uint lane, uint j) {
    vec4 v[PER_LANE];
    [[unroll]] for (uint c = 0; c < PER_LANE; c++) v[c] = value4(valueRow, lane + SUBGROUP * c);
    [[unroll]] for (uint i = 0; i < TM; i++) {
        const float x = subgroupShuffle(PROBABILITY[i], j);
        [[unroll]] for (uint c = 0; c < PER_LANE; c++) o[i * PER_LANE + c] = fma(vec4(x), v[c], o[i * PER_LANE + c]);
    }
}

// Eight keys, their values all read before the first is used: read one by one, each keeps the processor waiting (a fifth of
// all on 25.0.7).
void addValues(ROW valueHead, uint first, uint lane) {
    vec4 v[8 * PER_LANE];
    [[unroll]] for (uint j = 0; j < 8; j++)
        [[unroll]] for (uint c = 0; c < PER_LANE; c++)
            v[j * PER_LANE + c] = value4(valueAt(valueHead, min(first + j, p.keys - 1)), lane + SUBGROUP * c);
    [[unroll]] for (uint i = 0; i < TM; i++) {
        [[unroll]] for (uint j = 0; j < 8; j++) {
            const float x = subgroupShuffle(PROBABILITY[i], j);
            [[unroll]] for (uint c = 0; c < PER_LANE; c++)
                o[i * PER_LANE + c] = fma(vec4(x), v[j * PER_LANE + c], o[i * PER_LANE + c]);
        }
    }
}

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint m0 = gl_WorkGroupID.x * TM, head = gl_WorkGroupID.y;
    const ROW keyHead = firstKey(head), valueHead = firstValue(head);

    float top[TM], sum[TM];
    [[unroll]] for (uint i = 0; i < TM; i++) {
        const uint64_t row = p.q + uint64_t(min(m0 + i, p.queries - 1)) * (p.qStride * 4) + head * (D * 4);
        [[unroll]] for (uint c = 0; c < PER_LANE; c++) {
            if (KN == 1) q[i * PER_LANE + c] = query4(row, lane + SUBGROUP * c) * p.scale;
            o[i * PER_LANE + c] = vec4(0);
        }
        top[i] = LOWEST;
        sum[i] = 0;
    }
#if !defined(LOAD_texel)
    [[unroll]] for (uint i = 0; i < TM / 2; i++)
        queryRow[i] = p.q + uint64_t(min(m0 + 2 * i + lane / (SUBGROUP / 2), p.queries - 1)) * (p.qStride * 4) + head * (D * 4);
#endif

    // A causal tile ends with its last query's own key. Selections are written with mix and plain logic: `?:` and `&&`
    // over expressions become branches, and on lavapipe a branch in the loop costs several times the arithmetic.
    const uint firstUnseen = p.causal != 0 ? uint(max(int(m0 + 1) + p.offset, 0)) : p.keys;
    const uint end = min(p.keys, firstUnseen + TM - 1);
    const int firstSeen = int(m0 + 1) + p.offset - int(WINDOW);
    const uint begin = firstInWindow(int(m0) + p.offset);
#if defined(LOAD_texel)
    // The same for one key a lane, in a straight line: written as below, Mesa 22.3's lavapipe takes half as long again.
    for (uint j0 = begin; j0 < end; j0 += SUBGROUP) {
        const uint key = j0 + lane;
        [[unroll]] for (uint i = 0; i < TM; i++) s[i] = 0;
        scores(keyAt(keyHead, min(key, p.keys - 1)));

        if (CAP > 0) {
            [[unroll]] for (uint i = 0; i < TM; i++) s[i] = capped(s[i]);
        }
        if (p.bias != 0) {
            [[unroll]] for (uint i = 0; i < TM; i++)
                s[i] += Floats(p.bias).v[head * p.biasHeadStride + min(m0 + i, p.queries - 1) * p.biasRowStride + min(key, p.keys - 1)];
        }
        [[unroll]] for (uint i = 0; i < TM; i++) {
            const bool before = key < min(end, firstUnseen + i), inside = mix(true, int(key) >= firstSeen + int(i), WINDOW > 0);
            const bool valid = s[i] > MASKED, seen = before && inside && valid;
            const float newTop = max(top[i], maxOverSubgroup(mix(LOWEST, s[i], seen)));
            const float keep = exp(top[i] - newTop);
            s[i] = mix(0.0, exp(s[i] - newTop), seen);
            top[i] = newTop;
            sum[i] = sum[i] * keep + s[i];
            [[unroll]] for (uint c = 0; c < PER_LANE; c++) o[i * PER_LANE + c] *= keep;
        }

        if (SUBGROUP == 8) {
            addValues(valueHead, j0, lane);
        } else {
            for (uint j = 0; j < SUBGROUP && j0 + j < end; j++)
                addValue(valueAt(valueHead, j0 + j), lane, j);
        }
    }
#else
    for (uint j0 = begin; j0 < end; j0 += SUBGROUP * KN) {
        [[unroll]] for (uint i = 0; i < TM * KN; i++) s[i] = 0;
        if (KN == 1) {
            scores(keyAt(keyHead, min(j0 + lane, p.keys - 1)));
        } else {
            [[unroll]] for (uint g = 0; g < KN; g++) keyRow[g] = keyAt(keyHead, min(j0 + lane + SUBGROUP * g, p.keys - 1));
            scoresOfSeveral(lane);
        }

        if (CAP > 0) {
            [[unroll]] for (uint i = 0; i < TM * KN; i++) s[i] = capped(s[i]);
        }
        if (p.bias != 0) {
            [[unroll]] for (uint i = 0; i < TM; i++)
                [[unroll]] for (uint g = 0; g < KN; g++)
                    s[i * KN + g] += Floats(p.bias).v[
                        head * p.biasHeadStride + min(m0 + i, p.queries - 1) * p.biasRowStride
                        + min(j0 + lane + SUBGROUP * g, p.keys - 1)];
        }
        [[unroll]] for (uint i = 0; i < TM; i++) {
            bool seen[KN];
            float highest = LOWEST;
            [[unroll]] for (uint g = 0; g < KN; g++) {
                const uint key = j0 + lane + SUBGROUP * g;
                const bool before = key < min(end, firstUnseen + i), valid = s[i * KN + g] > MASKED;
                const bool inside = mix(true, int(key) >= firstSeen + int(i), WINDOW > 0);
                seen[g] = before && inside && valid;
                highest = max(highest, mix(LOWEST, s[i * KN + g], seen[g]));
            }
            const float newTop = max(top[i], maxOverSubgroup(highest));
            const float keep = exp(top[i] - newTop);
            top[i] = newTop;
            sum[i] *= keep;
            [[unroll]] for (uint g = 0; g < KN; g++) {
                s[i * KN + g] = mix(0.0, exp(s[i * KN + g] - newTop), seen[g]);
                sum[i] += s[i * KN + g];
            }
            [[unroll]] for (uint c = 0; c < PER_LANE; c++) o[i * PER_LANE + c] *= keep;
        }

        for (uint g = 0; g < KN; g++) {
            [[unroll]] for (uint i = 0; i < TM; i++) {
                p1[i] = s[i * KN];
                [[unroll]] for (uint h = 1; h < KN; h++) p1[i] = mix(p1[i], s[i * KN + h], g == h);
            }
            const uint first = j0 + SUBGROUP * g;
            if (SUBGROUP == 8) {
                addValues(valueHead, first, lane);
            } else {
                for (uint j = 0; j < SUBGROUP && first + j < end; j++)
                    addValue(valueAt(valueHead, first + j), lane, j);
            }
        }
    }
#endif

    [[unroll]] for (uint i = 0; i < TM; i++) {
        const float total = sumOverSubgroup(sum[i]);
        if (m0 + i >= p.queries) continue;
        const float scale = total > 0 ? 1 / total : 0;
        const uint64_t row = p.result + uint64_t(m0 + i) * (p.resultStride * 4) + head * (D * 4);
        [[unroll]] for (uint c = 0; c < PER_LANE; c++) store4(row, 4 * (lane + SUBGROUP * c), D, ALIGNED, o[i * PER_LANE + c] * scale);
        if (p.lse != 0 && lane == 0) Floats(p.lse).v[head * p.queries + m0 + i] = top[i] + log(total);
    }
}
