#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// result[r, c] = cap * tanh(x[r, c] / cap). f32, any row strides, in place allowed. One subgroup takes a piece of PIECE
// elements per lane of one row.

layout(local_size_x_id = 0) in;

layout(push_constant, scalar) uniform Push {
    uint64_t x, result;
    uint columns, xStride, resultStride;
    float cap;
} p;

const uint PIECE = 16;

// tanh(u) = (1 - e) / (1 + e) with e = exp(-2|u|), and by its series near 0, where that would cancel.
float capped(float x) {
    const float u = x / p.cap;
    const float a = abs(u), s = u * u;
    const float e = exp(-2.0 * min(a, 40.0));
    const float far = sign(u) * (1.0 - e) / (1.0 + e);
    const float near = u * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    return p.cap * (a < 0.25 ? near : far);
}

void main() {
    const uint r = gl_WorkGroupID.y;
    const uint first = gl_WorkGroupID.x * SUBGROUP * PIECE + gl_SubgroupInvocationID;
    const uint last = min(p.columns, (gl_WorkGroupID.x + 1) * SUBGROUP * PIECE);
    for (uint c = first; c < last; c += SUBGROUP) {
        Floats(p.result).v[r * p.resultStride + c] = capped(Floats(p.x).v[r * p.xStride + c]);
    }
}
