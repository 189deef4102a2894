#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// Peak f32 multiply-add rate: CHAINS independent accumulators per invocation, 8 CHAINS multiply-adds a round.
// Operations: invocations * rounds * 8 * CHAINS * 2.

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 1) const uint SUBGROUPS = 1;

layout(push_constant, scalar) uniform Push {
    uint64_t result;
    uint rounds;
    float factor, addend;
} p;

const uint CHAINS = 12;

void main() {
    float x[CHAINS];
    [[unroll]] for (uint c = 0; c < CHAINS; c++) x[c] = float(gl_LocalInvocationIndex + c);
    for (uint round = 0; round < p.rounds; round++)
        [[unroll]] for (uint step = 0; step < 8; step++)
            [[unroll]] for (uint c = 0; c < CHAINS; c++) x[c] = fma(x[c], p.factor, p.addend);
    float total = 0;
    [[unroll]] for (uint c = 0; c < CHAINS; c++) total += x[c];
    Floats(p.result).v[gl_WorkGroupID.x * SUBGROUP * SUBGROUPS + gl_LocalInvocationIndex] = total;
}
