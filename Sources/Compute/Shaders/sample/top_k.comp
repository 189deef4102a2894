#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// The `count` largest values of each row and where they stand, best first; equal values by lower index first.
// values [rows, count] f32 (may be null), indices [rows, count] u32. Where a row has fewer than `count` numbers
// (NaN is none) the rest are index 0xffffffff.
//
// One workgroup per row. Each pass finds the best entry that comes after the previous one in that order: count passes
// over the row, no storage, exact. Meant for count up to a few dozen; count = 1 is argmax.

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 1) const uint SUBGROUPS = 1;

layout(push_constant, scalar) uniform Push {
    uint64_t x, values, indices;
    uint columns, xStride, count;
} p;

shared float sharedValue[SUBGROUPS];
shared uint sharedIndex[SUBGROUPS];

const uint NONE = 0xffffffffu;

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint part = SUBGROUPS == 1 ? 0 : gl_SubgroupID;
    const uint r = gl_WorkGroupID.x;
    Floats x = Floats(p.x + uint64_t(r) * (p.xStride * 4));

    float previous = 0;
    uint previousIndex = NONE;
    for (uint k = 0; k < p.count; k++) {
        float best = 0;
        uint index = NONE;
        for (uint c = part * SUBGROUP + lane; c < p.columns; c += SUBGROUP * SUBGROUPS) {
            const float value = x.v[c];
            const bool below = value < previous, tied = value == previous, later = c > previousIndex;
            const bool first = k == 0, number = value == value, none = index == NONE, better = value > best;
            const bool behind = tied && later;
            const bool after = first || below || behind;
            const bool wins = none || better;
            const bool take = number && after && wins;
            best = mix(best, value, take);
            index = take ? c : index;
        }
        for (uint d = 1; d < SUBGROUP; d *= 2) {
            const float otherValue = subgroupShuffleXor(best, d);
            const uint otherIndex = subgroupShuffleXor(index, d);
            if (otherIndex != NONE && (index == NONE || otherValue > best || (otherValue == best && otherIndex < index))) {
                best = otherValue;
                index = otherIndex;
            }
        }
        if (SUBGROUPS > 1) {
            if (lane == 0) {
                sharedValue[part] = best;
                sharedIndex[part] = index;
            }
            barrier();
            for (uint g = 0; g < SUBGROUPS; g++) {
                const float otherValue = sharedValue[g];
                const uint otherIndex = sharedIndex[g];
                if (otherIndex != NONE && (index == NONE || otherValue > best || (otherValue == best && otherIndex < index))) {
                    best = otherValue;
                    index = otherIndex;
                }
            }
            barrier();
        }
        if (part == 0 && lane == 0) {
            if (p.values != 0) Floats(p.values).v[r * p.count + k] = best;
            Words(p.indices).v[r * p.count + k] = index;
        }
        if (index == NONE) {
            // Nothing is left: so it stays for the remaining places.
            if (part == 0 && lane == 0)
                for (uint rest = k + 1; rest < p.count; rest++) {
                    if (p.values != 0) Floats(p.values).v[r * p.count + rest] = 0;
                    Words(p.indices).v[r * p.count + rest] = NONE;
                }
            break;
        }
        previous = best;
        previousIndex = index;
    }
}
