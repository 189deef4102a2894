#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"
#include "list.glsl"

// The best tokens of each stretch of COLUMNS logits, with the stretch's share of Σ exp at temperature 1 and at T:
// lists [rows][stretches], which sample/merge makes one list a row of. x [rows, columns] f32; −∞ and NaN are never
// listed. 1/T is read from memory, so that a recorded step can be replayed at another temperature.
//
// One subgroup per stretch, no barrier: each lane holds its values and knows its best; the best of all is found by
// shuffles, CAPACITY times, and removed. On lavapipe, which reads whole rows in place by default, 49,152 columns take
// 5 ms and 128,256 take 13; its compilation 0.1 s.

layout(local_size_x_id = 0) in;

layout(push_constant, scalar) uniform Push {
    uint64_t x, inverseTemperature, lists;
    uint columns, xStride;
} p;

const uint PER_LANE = COLUMNS / SUBGROUP;

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint first = gl_WorkGroupID.x * COLUMNS + lane;
    const uint r = gl_WorkGroupID.y;
    Floats x = Floats(p.x + uint64_t(r) * (p.xStride * 4));
    const float scale = Floats(p.inverseTemperature).v[0];
    List list = List(p.lists + uint64_t(r * gl_NumWorkGroups.x + gl_WorkGroupID.x) * LIST_BYTES);

    float held[PER_LANE];
    float top = NOTHING;
    float broken = 0;
    for (uint i = 0; i < PER_LANE; i++) {
        const uint c = first + i * SUBGROUP;
        float value = NOTHING;
        if (c < p.columns) value = x.v[c];
        const bool number = value == value;
        broken = number ? broken : 1;
        held[i] = number ? value : NOTHING;
        top = max(top, held[i]);
    }
    top = maxOverSubgroup(top);
    float sum = 0, scaledSum = 0;
    for (uint i = 0; i < PER_LANE; i++) {
        const bool counts = held[i] > NOTHING;
        const float below = counts ? held[i] - top : 0;
        sum += counts ? exp(below) : 0;
        scaledSum += counts ? exp(below * scale) : 0;
    }
    sum = sumOverSubgroup(sum);
    scaledSum = sumOverSubgroup(scaledSum);
    broken = maxOverSubgroup(broken);
    if (lane == 0) {
        list.sum = broken > 0 ? -1 : sum;
        list.scaledSum = scaledSum;
        list.taken = 0;
    }

    uint struck = NONE;
    for (uint k = 0; k < CAPACITY; k++) {
        // Ascending columns: the first of equal values stays.
        Entry mine = Entry(NOTHING, NONE);
        for (uint i = 0; i < PER_LANE; i++) {
            const uint c = first + i * SUBGROUP;
            held[i] = c == struck ? NOTHING : held[i];
            const bool above = held[i] > mine.value;
            mine.value = above ? held[i] : mine.value;
            mine.id = above ? c : mine.id;
        }
        const Entry best = bestOverSubgroup(mine);
        if (lane == 0) list.entries[k] = best;
        if (best.id == NONE) break;
        struck = best.id;
    }
}
