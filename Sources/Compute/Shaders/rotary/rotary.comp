#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"
#include "../common/step_state.glsl"

// Rotary position embedding (Su et al. 2021) of queries or keys, in place:
// (x[a], x[b]) = (x[a] cos - x[b] sin, x[b] cos + x[a] sin) for the R / 2 pairs (a, b) of each head of D elements;
// elements from R on stay. Pair k is (k, k + R / 2), or (2 k, 2 k + 1) when INTERLEAVED.
//
// x [rows, heads D] f32, any row stride; table [positions, R] f32: R / 2 cosines, then R / 2 sines of a position. They
// are tabulated because a device's own sin and cos lose digits at large angles.
// Row r stands at position first + advance r, or, with step, at step.position (a decode step: one token per row).
// One subgroup rotates PIECE pairs per lane of one row.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint D = 64;
layout(constant_id = 2) const uint R = 64;
layout(constant_id = 3) const bool INTERLEAVED = false;

layout(push_constant, scalar) uniform Push {
    uint64_t x, table, step;
    uint heads, xStride, tableStride, tableRows;
    uint first, advance;
} p;

const uint PIECE = 4;

void main() {
    const uint row = gl_WorkGroupID.y;
    const uint stepPosition = StepState(readable(p.step, p.x)).position;
    const uint position = min(p.first + p.advance * row + (p.step != 0 ? stepPosition : 0), p.tableRows - 1);
    Floats x = Floats(p.x + uint64_t(row) * (p.xStride * 4));
    Floats angles = Floats(p.table + uint64_t(position) * (p.tableStride * 4));
    const uint pairs = p.heads * (R / 2);
    const uint begin = gl_WorkGroupID.x * SUBGROUP * PIECE + gl_SubgroupInvocationID;
    const uint end = min(pairs, (gl_WorkGroupID.x + 1) * SUBGROUP * PIECE);
    for (uint i = begin; i < end; i += SUBGROUP) {
        const uint head = i / (R / 2), k = i % (R / 2);
        const uint a = head * D + (INTERLEAVED ? 2 * k : k), b = a + (INTERLEAVED ? 1 : R / 2);
        const float c = angles.v[k], s = angles.v[k + R / 2];
        const float xa = x.v[a], xb = x.v[b];
        x.v[a] = xa * c - xb * s;
        x.v[b] = xb * c + xa * s;
    }
}
