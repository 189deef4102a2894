// variants: FORMAT @formats
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
layout(constant_id = 2) const uint PANEL = 1;
#include "../common/weights.glsl"
#include "../common/step_state.glsl"

// result[r, c] = table[tokens[r], c] * scale + positions[position + r * advance, c]
// position = firstPosition + (step given ? step.position : 0). advance is 1 for consecutive tokens, 0 for hypotheses
// that stand at the same place. Token ids and positions are clamped to their tables: ids may come from the device, and
// a bad address there ends the process.
// One subgroup per row, eight columns a lane.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool ALIGNED = true;  // result and positions rows on 16 bytes, columns a multiple of 4

layout(push_constant, scalar) uniform Push {
    uint64_t table, positions, tokens, step, result;
    uint columns, tableStride, tableRows;
    uint positionsStride, positionsRows, firstPosition, advance;
    uint resultStride;
    float scale;
} p;

void main() {
    const uint r = gl_WorkGroupID.x;
    const uint token = min(Words(p.tokens).v[r], p.tableRows - 1);
    const uint64_t table = weightRow(p.table, token, p.tableStride);
    const uint64_t y = p.result + uint64_t(r) * (p.resultStride * 4);
    const uint stepPosition = StepState(readable(p.step, p.table)).position;
    const uint position = p.firstPosition + r * p.advance + (p.step != 0 ? stepPosition : 0);
    uint64_t positions = p.positions;
    if (positions != 0) positions += uint64_t(min(position, p.positionsRows - 1)) * (p.positionsStride * 4);
    for (uint c = 8 * gl_SubgroupInvocationID; c < p.columns; c += 8 * SUBGROUP) {
        vec4 a, b;
        weight8(weightBlock(table, p.tableStride, c & ~31u), (c >> 3) & 3, a, b);
        a *= p.scale;
        b *= p.scale;
        if (positions != 0) {
            a += load4(positions, c, p.columns, ALIGNED);
            b += load4(positions, c + 4, p.columns, ALIGNED);
        }
        store4(y, c, p.columns, ALIGNED, a);
        store4(y, c + 4, p.columns, ALIGNED, b);
    }
}
