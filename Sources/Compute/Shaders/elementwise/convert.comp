// variants: CONVERT f32_f32 f32_f16 f16_f32 bf16_f32
#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// result[r, c] = x[r, c] * scale, from one format to another, any row strides, in place where the formats are alike; with a
// CAP, CAP tanh(x scale / CAP) (Gemma 2's logits, Moonshine's first layer). f32 to f16 rounds to nearest as the device
// does. One subgroup takes a piece of PIECE elements per lane of one row.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const float CAP = 0;  // 0 for none

layout(push_constant, scalar) uniform Push {
    uint64_t x, result;
    uint columns, xStride, resultStride;
    float scale;
} p;

const uint PIECE = 16;

// tanh(u) = (1 - e) / (1 + e) with e = exp(-2|u|), and by its series near 0, where that would cancel: drivers' own tanh
// may overflow for large u.
float hyperbolicTangent(float u) {
    const float a = abs(u), s = u * u;
    const float e = exp(-2.0 * min(a, 40.0));
    const float far = sign(u) * (1.0 - e) / (1.0 + e);
    const float near = u * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    return a < 0.25 ? near : far;
}

void main() {
    const uint r = gl_WorkGroupID.y;
    const uint first = gl_WorkGroupID.x * SUBGROUP * PIECE + gl_SubgroupInvocationID;
    const uint last = min(p.columns, (gl_WorkGroupID.x + 1) * SUBGROUP * PIECE);
    const uint x0 = r * p.xStride, y0 = r * p.resultStride;
    for (uint c = first; c < last; c += SUBGROUP) {
#if defined(CONVERT_f16_f32)
        const float value = float(Halves(p.x).v[x0 + c]);
#elif defined(CONVERT_bf16_f32)
        const float value = uintBitsToFloat(uint(Shorts(p.x).v[x0 + c]) << 16);
#else
        const float value = Floats(p.x).v[x0 + c];
#endif
        float scaled = value * p.scale;
        if (CAP > 0) scaled = CAP * hyperbolicTangent(scaled / CAP);
#if defined(CONVERT_f32_f16)
        Halves(p.result).v[y0 + c] = float16_t(scaled);
#else
        Floats(p.result).v[y0 + c] = scaled;
#endif
    }
}
