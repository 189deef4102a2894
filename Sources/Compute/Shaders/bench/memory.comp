// variants: MEMORY read copy
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// Memory bandwidth with 16-byte loads: `read` folds all of x (and writes only what no fold can be, so that the loads
// stay); `copy` moves x to result. A workgroup takes PIECE 16-byte words per invocation at a time, in turn with the
// others, so that the buffer streams through in order. On lavapipe about 4 GB/s a core, where loads go lane by lane: the
// same as the matrix-vector product reaches, and far below what the memory could do.

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 1) const uint SUBGROUPS = 1;

layout(push_constant, scalar) uniform Push {
    uint64_t x, result;
    uint rounds;  // pieces per workgroup
} p;

layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer WideOut { u64vec2 v[]; };

const uint PIECE = 8;
const uint WIDTH = SUBGROUP * SUBGROUPS;

void main() {
    const uint64_t first = (gl_WorkGroupID.x * PIECE * WIDTH + gl_LocalInvocationIndex) * 16ul;
    const uint64_t stride = gl_NumWorkGroups.x * PIECE * WIDTH * 16ul;
    uint64_t from = p.x + first, to = p.result + first;
    u64vec2 fold = u64vec2(0);
    for (uint round = 0; round < p.rounds; round++) {
        u64vec2 word[PIECE];
        [[unroll]] for (uint i = 0; i < PIECE; i++) word[i] = Wide(from).v[i * WIDTH];
#if defined(MEMORY_read)
        [[unroll]] for (uint i = 0; i < PIECE; i++) fold ^= word[i];
#else
        [[unroll]] for (uint i = 0; i < PIECE; i++) WideOut(to).v[i * WIDTH] = word[i];
        to += stride;
#endif
        from += stride;
    }
#if defined(MEMORY_read)
    if (fold == u64vec2(0x123456789abcdef1ul, 0xfedcba9876543210ul)) WideOut(to).v[0] = fold;
#endif
}
