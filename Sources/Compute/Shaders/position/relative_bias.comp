#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// Attention bias by relative position (Raffel et al. 2020): result[h queries + i, j] = weights[bucket, h] + mask[j] with
// bucket = buckets[first + j - i].
//
// weights [bucketRows, heads] f32, buckets [bucketCount] u32, mask [keys] f32 or null. Bucket indices are clamped to
// their lists: a bad address would end the process. One subgroup per row, lane = key.

layout(local_size_x_id = 0) in;

layout(push_constant, scalar) uniform Push {
    uint64_t weights, buckets, mask, result;
    uint queries, keys, weightStride, bucketRows, bucketCount, resultStride;
    int first;
} p;

void main() {
    const uint i = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    Floats result = Floats(p.result + uint64_t(head * p.queries + i) * (p.resultStride * 4));
    for (uint j = gl_SubgroupInvocationID; j < p.keys; j += SUBGROUP) {
        const int index = clamp(p.first + int(j) - int(i), 0, int(p.bucketCount) - 1);
        const uint bucket = min(Words(p.buckets).v[index], p.bucketRows - 1);
        float y = Floats(p.weights).v[bucket * p.weightStride + head];
        if (p.mask != 0) y += Floats(p.mask).v[j];
        result.v[j] = y;
    }
}
