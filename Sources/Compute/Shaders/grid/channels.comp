// variants: PASS weights apply
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// Attention between channels (Ding et al. 2022, "DaViT"), within groups of `group` channels; places take the part that
// elements of a head have elsewhere. f32.
//
// weights: weights[c, j] = softmax over j of scale * sum over n of q[n, c] * k[n, first(c) + j], first(c) the first
//          channel of c's group. One subgroup per channel c.
// apply:   result[n, c] = sum over j of weights[c, j] * v[n, first(c) + j]. One subgroup per place n.

layout(local_size_x_id = 0) in;

layout(push_constant, scalar) uniform Push {
    uint64_t q, k, v, weights, result;
    uint channels, group, places, stride, resultStride, firstPlace;
    float scale;
} p;

// Sums of so many terms are added to the total, so that rounding does not grow with the number of places.
const uint PIECE = 256;

void main() {
#if defined(PASS_weights)
    const uint c = gl_WorkGroupID.x;
    const uint first = c / p.group * p.group;
    const uint64_t row = p.weights + uint64_t(c) * (p.group * 4);
    float largest = -3.4e38;
    for (uint j = gl_SubgroupInvocationID; j < p.group; j += SUBGROUP) {
        float total = 0;
        for (uint begin = 0; begin < p.places; begin += PIECE) {
            const uint end = min(begin + PIECE, p.places);
            float sum = 0;
            for (uint n = begin; n < end; n++) {
                sum += Floats(p.q).v[n * p.stride + c] * Floats(p.k).v[n * p.stride + first + j];
            }
            total += sum;
        }
        total *= p.scale;
        Floats(row).v[j] = total;
        largest = max(largest, total);
    }
    largest = maxOverSubgroup(largest);
    float sum = 0;
    for (uint j = gl_SubgroupInvocationID; j < p.group; j += SUBGROUP) {
        const float e = exp(Floats(row).v[j] - largest);
        Floats(row).v[j] = e;
        sum += e;
    }
    sum = sumOverSubgroup(sum);
    for (uint j = gl_SubgroupInvocationID; j < p.group; j += SUBGROUP) Floats(row).v[j] = Floats(row).v[j] / sum;
#else
    const uint n = p.firstPlace + gl_WorkGroupID.x;
    for (uint c = gl_SubgroupInvocationID; c < p.channels; c += SUBGROUP) {
        const uint first = c / p.group * p.group;
        float sum = 0;
        for (uint j = 0; j < p.group; j++) {
            sum += Floats(p.weights).v[c * p.group + j] * Floats(p.v).v[n * p.stride + first + j];
        }
        Floats(p.result).v[n * p.resultStride + c] = sum;
    }
#endif
}
