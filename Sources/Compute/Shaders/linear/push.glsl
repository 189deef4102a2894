// What every form of `linear` is given: result[m, n] = act(sum_k x[m, k] w[n, k] + bias[n]) + residual[m, n].
// Strides are in elements. bias and residual may be null; residual may be the result itself.
layout(push_constant, scalar) uniform Push {
    uint64_t x, w, bias, residual, result;
    uint M, N, K;
    uint xStride, wStride, residualStride, resultStride;
    uint gate;            // rows from a gate's weights to its partner's (GATED)
    uint wBefore;         // rows between w and the first one, in panels
    uint wTexel, xTexel;  // where w and x begin in their views, in 16 bytes (LOAD_texel)
} p;

void finish(uint m, uint n, float sum, float bias, uint activation) {
    float y = activate(sum + bias, activation);
    if (p.residual != 0) y += Floats(p.residual).v[m * p.residualStride + n];
    Floats(p.result).v[m * p.resultStride + n] = y;
}
