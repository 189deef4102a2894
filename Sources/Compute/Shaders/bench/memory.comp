// variants: MEMORY read copy
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// Memory bandwidth with 16-byte loads: `read` sums all of x (and writes only what no sum can be, so that the loads
// stay); `copy` moves x to result. Workgroups take turns over the buffer, so that it streams through in order.

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 1) const uint SUBGROUPS = 1;

layout(push_constant, scalar) uniform Push {
    uint64_t x, result;
    uint count;  // 16-byte words, a multiple of 4 workgroups' worth
} p;

layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer WideOut { u64vec2 v[]; };

void main() {
    const uint width = SUBGROUP * SUBGROUPS;
    const uint lane = gl_LocalInvocationIndex;
    Wide x = Wide(p.x);
#if defined(MEMORY_read)
    u64vec2 a = u64vec2(0), b = a, c = a, d = a;
#endif
    for (uint i = gl_WorkGroupID.x * 4 * width + lane; i < p.count; i += gl_NumWorkGroups.x * 4 * width) {
#if defined(MEMORY_read)
        a ^= x.v[i];
        b += x.v[i + width];
        c ^= x.v[i + 2 * width];
        d += x.v[i + 3 * width];
#else
        const u64vec2 a = x.v[i], b = x.v[i + width], c = x.v[i + 2 * width], d = x.v[i + 3 * width];
        WideOut(p.result).v[i] = a;
        WideOut(p.result).v[i + width] = b;
        WideOut(p.result).v[i + 2 * width] = c;
        WideOut(p.result).v[i + 3 * width] = d;
#endif
    }
#if defined(MEMORY_read)
    const u64vec2 all = a ^ b ^ c ^ d;
    if (all == u64vec2(0x123456789abcdef1ul, 0xfedcba9876543210ul)) WideOut(p.result).v[0] = all;
#endif
}
