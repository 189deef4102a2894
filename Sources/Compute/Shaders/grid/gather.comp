#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// result[r, c] = x[index[r], c], or 0 where x has no such row (padding). f32, any row strides.
// Brings places of a grid into windows and back, and into the neighborhoods that a convolution reads. One subgroup per row.

layout(local_size_x_id = 0) in;

layout(push_constant, scalar) uniform Push {
    uint64_t x, index, result;
    uint columns, xRows, xStride, resultStride;
} p;

void main() {
    const uint r = gl_WorkGroupID.x;
    const uint row = Words(p.index).v[r];
    const bool isThere = row < p.xRows;
    const uint64_t x = p.x + uint64_t(isThere ? row : 0) * (p.xStride * 4);
    const uint64_t y = p.result + uint64_t(r) * (p.resultStride * 4);
    for (uint c = gl_SubgroupInvocationID; c < p.columns; c += SUBGROUP) {
        const float v = Floats(x).v[c];
        Floats(y).v[c] = isThere ? v : 0.0;
    }
}
