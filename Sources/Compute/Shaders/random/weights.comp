// variants: RANDOM f32 f16 bf16 blocks
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// Fills rows of a weight matrix, as they lie on the device, with random values within ±2^exponent: for models that are
// planned and measured without their weights. Every word follows from its place and the seed alone, and every value is
// exact in its format, so that any device makes the same model. Plain formats are zero beyond `columns`. Blocks are
// random bits but for their scales: words behind the first `randomWords`, and every `period`th one, are `constant`.
// One subgroup takes a piece of PIECE words per lane of one row. Bound by the writes: one hash of ten operations a word.

layout(local_size_x_id = 0) in;

layout(push_constant, scalar) uniform Push {
    uint64_t result;
    uint firstRow, rowWords, columns, randomWords, period, constant, seed;
    float scale;
} p;

const uint PIECE = 16;

// The permuted congruential hash of Jarzynski and Olano 2020, "Hash Functions for GPU Rendering".
uint hash(uint x) {
    const uint state = x * 747796405u + 2891336453u;
    const uint word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// The lowest `bits` bits as a number within [-scale, scale).
float number(uint random, uint bits) {
    const int half_ = 1 << (bits - 1);
    return float(int(random & ((1u << bits) - 1u)) - half_) / float(half_) * p.scale;
}

void main() {
    const uint r = gl_WorkGroupID.y;
    const uint first = gl_WorkGroupID.x * SUBGROUP * PIECE + gl_SubgroupInvocationID;
    const uint last = min(p.rowWords, (gl_WorkGroupID.x + 1) * SUBGROUP * PIECE);
    for (uint w = first; w < last; w += SUBGROUP) {
        const uint random = hash((p.firstRow + r) * p.rowWords + w + p.seed);
#if defined(RANDOM_f32)
        const uint word = w < p.columns ? floatBitsToUint(number(random, 16)) : 0;
#elif defined(RANDOM_f16)
        const uint word = packHalf2x16(
            vec2(2 * w < p.columns ? number(random, 11) : 0.0, 2 * w + 1 < p.columns ? number(random >> 16, 11) : 0.0));
#elif defined(RANDOM_bf16)
        const uint low = 2 * w < p.columns ? floatBitsToUint(number(random, 8)) : 0;
        const uint high = 2 * w + 1 < p.columns ? floatBitsToUint(number(random >> 16, 8)) : 0;
        const uint word = (low >> 16) | (high & 0xffff0000u);
#else
        const uint word = w < p.randomWords && (p.period == 0 || w % p.period != 0) ? random : p.constant;
#endif
        Words(p.result).v[r * p.rowWords + w] = word;
    }
}
