// Push constants and output of every form of `linear`. The kernel declares ACTIVATION and GATED.
//   result[m, n] = act(sum_k norm(x)[m, k] w[n, k] + bias[n]) + residual[m, n]
//   result[m, n] = act(sum_k norm(x)[m, k] w[n, k] + bias[n]) (sum_k norm(x)[m, k] w[gate + n, k] + bias[gate + n])
//                  + residual[m, n]   (GATED)
// norm, where the form takes one: root mean square (x / sqrt(mean x^2 + epsilon) gamma) or layer ((x - mean) / sqrt(var +
// epsilon) gamma + beta). Strides are in elements. bias and residual may be null; residual may be the result itself.
#define NORM_RMS 1
#define NORM_LAYER 2

layout(push_constant, scalar) uniform Push {
    uint64_t x, w, bias, residual, result, gamma, beta;
    uint M, N, K;
    uint xStride, wStride, residualStride, resultStride;
    uint gate;       // rows from a gate's weights to its partner's (GATED)
    uint wBefore;    // rows between w and the first one, in panels
    float epsilon;
    uint wTexel, xTexel, gammaTexel, betaTexel;  // where they begin in their views, in 16 bytes (LOAD_texel)
} p;

// The biases of output n and of its partner.
vec2 biases(uint n) {
    vec2 b = vec2(0);
    if (p.bias != 0) {
        b.x = Floats(p.bias).v[n];
        if (GATED) b.y = Floats(p.bias).v[n + p.gate];
    }
    return b;
}

// An output of its sum and its partner's.
float joined(float sum, float partner, vec2 bias) {
    const float y = activate(sum + bias.x, ACTIVATION);
    return GATED ? y * (partner + bias.y) : y;
}

void finish(uint m, uint n, float sum, float partner, vec2 bias) {
    float y = joined(sum, partner, bias);
    if (p.residual != 0) y += Floats(p.residual).v[m * p.residualStride + n];
    Floats(p.result).v[m * p.resultStride + n] = y;
}
