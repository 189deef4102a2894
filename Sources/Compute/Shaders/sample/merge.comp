#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"
#include "list.glsl"

// One list a row from those of its stretches (see sample/candidates): lists [rows][count], which are used up; merged
// [rows].
//
// One workgroup per row. Each lane owns one list or a few and knows the best entry that is left in them; the best
// of all goes to the result, CAPACITY times, and its lane moves on. On lavapipe 0.15 ms with one subgroup, 2.8 with 32.

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 1) const uint SUBGROUPS = 1;

layout(push_constant, scalar) uniform Push {
    uint64_t lists, inverseTemperature, merged;
    uint count;
} p;

// Two, in turn: one barrier a round is enough.
shared float foundValue[2][SUBGROUPS];
shared uint foundID[2][SUBGROUPS];

List listAt(uint l) { return List(p.lists + uint64_t(gl_WorkGroupID.x * p.count + l) * LIST_BYTES); }

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint part = SUBGROUPS == 1 ? 0 : gl_SubgroupID;
    const uint first = part * SUBGROUP + lane;
    List merged = List(p.merged + uint64_t(gl_WorkGroupID.x) * LIST_BYTES);

    if (part == 0) {
        const float scale = Floats(p.inverseTemperature).v[0];
        float top = NOTHING;
        float broken = 0;
        for (uint l = lane; l < p.count; l += SUBGROUP) {
            List list = listAt(l);
            top = max(top, list.entries[0].value);
            broken = list.sum < 0 ? 1 : broken;
        }
        top = maxOverSubgroup(top);
        broken = maxOverSubgroup(broken);
        float sum = 0, scaledSum = 0;
        for (uint l = lane; l < p.count; l += SUBGROUP) {
            List list = listAt(l);
            const float listTop = list.entries[0].value;
            const bool counts = listTop > NOTHING;
            const float below = counts ? listTop - top : 0;
            sum += counts ? list.sum * exp(below) : 0;
            scaledSum += counts ? list.scaledSum * exp(below * scale) : 0;
        }
        sum = sumOverSubgroup(sum);
        scaledSum = sumOverSubgroup(scaledSum);
        if (lane == 0) {
            merged.sum = broken > 0 ? -1 : sum;
            merged.scaledSum = scaledSum;
        }
    }

    Entry mine = Entry(NOTHING, NONE);
    for (uint l = first; l < p.count; l += SUBGROUP * SUBGROUPS) mine = better(mine, listAt(l).entries[0]);
    for (uint k = 0; k < CAPACITY; k++) {
        Entry best = bestOverSubgroup(mine);
        if (SUBGROUPS > 1) {
            if (lane == 0) {
                foundValue[k & 1][part] = best.value;
                foundID[k & 1][part] = best.id;
            }
            barrier();
            for (uint g = 0; g < SUBGROUPS; g++) best = better(best, Entry(foundValue[k & 1][g], foundID[k & 1][g]));
        }
        if (first == 0) merged.entries[k] = best;
        if (best.id == NONE) break;
        if (mine.id == best.id) {
            // A token's list follows from its id.
            listAt(best.id / COLUMNS).taken++;
            mine = Entry(NOTHING, NONE);
            for (uint l = first; l < p.count; l += SUBGROUP * SUBGROUPS) {
                List list = listAt(l);
                const uint taken = list.taken;
                if (taken < CAPACITY) mine = better(mine, list.entries[taken]);
            }
        }
    }
}
