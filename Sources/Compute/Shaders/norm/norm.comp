// variants: NORM layer rms
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// result[r, c] = (x[r, c] - mean) / sqrt(variance + epsilon) * gamma[c] + beta[c]   (layer; Ba et al. 2016)
// result[r, c] = x[r, c] / sqrt(mean of squares + epsilon) * gamma[c]               (rms; Zhang and Sennrich 2019)
// All f32. A row may hold several groups of columns (heads), each normalized by itself. One subgroup per row and group; the
// variance is taken around the mean in a second pass, as cancellation would cost digits otherwise. In place is allowed.
// gamma and beta may be null.
// A row of 512 passes three times through the first-level cache: next to the products around it, its cost is that of a
// dispatch.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool ALIGNED = true;  // rows on 16 bytes, columns a multiple of 4

layout(push_constant, scalar) uniform Push {
    uint64_t x, gamma, beta, result;
    uint columns, xStride, resultStride;
    float epsilon;
} p;

float total(vec4 v) { return v.x + v.y + v.z + v.w; }

void main() {
    const uint first = 4 * gl_SubgroupInvocationID, step = 4 * SUBGROUP;
    const uint group = gl_WorkGroupID.y * p.columns * 4;
    const uint64_t x = p.x + uint64_t(gl_WorkGroupID.x) * (p.xStride * 4) + group;
    const uint64_t y = p.result + uint64_t(gl_WorkGroupID.x) * (p.resultStride * 4) + group;

    float mean = 0;
#if defined(NORM_layer)
    for (uint c = first; c < p.columns; c += step) mean += total(load4(x, c, p.columns, ALIGNED));
    mean = sumOverSubgroup(mean) / float(p.columns);
#endif
    float squares = 0;
    for (uint c = first; c < p.columns; c += step) {
        vec4 d = load4(x, c, p.columns, ALIGNED) - mean;
        if (!ALIGNED) d *= vec4(lessThan(uvec4(c, c + 1, c + 2, c + 3), uvec4(p.columns)));
        squares += dot(d, d);
    }
    const float scale = inversesqrt(sumOverSubgroup(squares) / float(p.columns) + p.epsilon);
    for (uint c = first; c < p.columns; c += step) {
        vec4 v = (load4(x, c, p.columns, ALIGNED) - mean) * scale;
        if (p.gamma != 0) v *= load4(p.gamma, c, p.columns, ALIGNED);
        if (p.beta != 0) v += load4(p.beta, c, p.columns, ALIGNED);
        store4(y, c, p.columns, ALIGNED, v);
    }
}
