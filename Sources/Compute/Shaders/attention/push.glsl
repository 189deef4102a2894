// Push constants of every form of full attention. Strides are in elements; group = heads / kvHeads.
layout(push_constant, scalar) uniform Push {
    uint64_t q, k, v, bias, result, lse;
    uint queries, keys, group;
    uint qStride, kStride, vStride, resultStride;
    uint biasHeadStride, biasRowStride;
    float scale;
    uint causal;
    int offset;
    uint kTexel, vTexel;  // where k and v begin in their views, in 16 bytes (LOAD_texel)
} p;
