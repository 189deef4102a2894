#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"
#include "../common/activations.glsl"

// result[r, c] = act(a[r, c]) op b[r, c]; op is nothing (b unused), + or *. f32, any row strides, in place allowed.
// Serves activations, sums and gates (SwiGLU, GEGLU). One subgroup takes a piece of PIECE elements per lane of one row.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint ACTIVATION = 0;
layout(constant_id = 2) const uint OPERATION = 0;  // 0 none, 1 add, 2 multiply

layout(push_constant, scalar) uniform Push {
    uint64_t a, b, result;
    uint columns, aStride, bStride, resultStride;
} p;

const uint PIECE = 16;

void main() {
    const uint r = gl_WorkGroupID.y;
    const uint first = gl_WorkGroupID.x * SUBGROUP * PIECE + gl_SubgroupInvocationID;
    const uint last = min(p.columns, (gl_WorkGroupID.x + 1) * SUBGROUP * PIECE);
    for (uint c = first; c < last; c += SUBGROUP) {
        float y = activate(Floats(p.a).v[r * p.aStride + c], ACTIVATION);
        if (OPERATION == 1) y += Floats(p.b).v[r * p.bStride + c];
        if (OPERATION == 2) y *= Floats(p.b).v[r * p.bStride + c];
        Floats(p.result).v[r * p.resultStride + c] = y;
    }
}
