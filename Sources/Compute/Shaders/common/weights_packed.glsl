// Block formats' elements as signed bytes, for sums of products of bytes. After weights.glsl:
//   packed8(block, part)       eight elements, four to a word, as whole numbers from -128 to 127
//   packedScale(block, part)   weight = scale.x times the number + scale.y
#ifndef FOVEA_WEIGHTS_PACKED
#define FOVEA_WEIGHTS_PACKED

// The lowest four bits of a word: bit i to bit `to` of byte i.
uint spread(uint four, uint to) { return ((four & 15) * 0x00204081u & 0x01010101u) << to; }

#if defined(FORMAT_q8_0)
uvec2 packed8(WeightBlock block, uint part) { return eight(part < 2 ? block.low : block.high, part); }
vec2 packedScale(WeightBlock block, uint part) { return vec2(block.d, 0); }
#elif defined(FORMAT_iq4_nl) || defined(FORMAT_iq4_xs) || defined(FORMAT_mxfp4)
uint packedLevels(uint w) { return (level(w, 0) | level(w, 1) << 8 | level(w, 2) << 16 | level(w, 3) << 24) ^ 0x80808080u; }
uvec2 packed8(WeightBlock block, uint part) {
    const uvec2 q = eight(block.q, part) >> (part < 2 ? 0 : 4);
    return uvec2(packedLevels(q.x), packedLevels(q.y));
}
vec2 packedScale(WeightBlock block, uint part) { return vec2(block.d, 0); }
#elif defined(FORMAT_q4_0) || defined(FORMAT_q4_1)
uvec2 packed8(WeightBlock block, uint part) { return (eight(block.q, part) >> (part < 2 ? 0 : 4)) & 0x0f0f0f0fu; }
#if defined(FORMAT_q4_0)
vec2 packedScale(WeightBlock block, uint part) { return block.d * vec2(1, -8); }
#else
vec2 packedScale(WeightBlock block, uint part) { return block.dm; }
#endif
#elif defined(FORMAT_q5_0) || defined(FORMAT_q5_1)
uvec2 packed8(WeightBlock block, uint part) {
    const uint high = block.high >> (8 * part);
    return ((eight(block.q, part) >> (part < 2 ? 0 : 4)) & 0x0f0f0f0fu) | uvec2(spread(high, 4), spread(high >> 4, 4));
}
vec2 packedScale(WeightBlock block, uint part) { return block.dm; }
#elif defined(FORMAT_q4_k)
uvec2 packed8(WeightBlock block, uint part) { return (eight(part < 2 ? block.low : block.high, part) >> block.shift) & 0x0f0f0f0fu; }
vec2 packedScale(WeightBlock block, uint part) { return vec2(block.dm.x, -block.dm.y); }
#elif defined(FORMAT_q5_k)
uvec2 packed8(WeightBlock block, uint part) {
    const uvec2 q = (eight(part < 2 ? block.low : block.high, part) >> ((block.sub & 1) * 4)) & 0x0f0f0f0fu;
    return q | (((eight(part < 2 ? block.fifthLow : block.fifthHigh, part) >> block.sub) & 0x01010101u) << 4);
}
vec2 packedScale(WeightBlock block, uint part) { return vec2(block.dm.x, -block.dm.y); }
#elif defined(FORMAT_q6_k)
uvec2 packed8(WeightBlock block, uint part) {
    const uvec2 q = (eight(part < 2 ? block.low : block.high, part) >> ((block.quarter >> 1) * 4)) & 0x0f0f0f0fu;
    return q | (((eight(part < 2 ? block.upperLow : block.upperHigh, part) >> (block.quarter * 2)) & 0x03030303u) << 4);
}
vec2 packedScale(WeightBlock block, uint part) { return (part < 2 ? block.d.x : block.d.y) * vec2(1, -32); }
#elif defined(FORMAT_q2_k)
uvec2 packed8(WeightBlock block, uint part) { return (eight(part < 2 ? block.low : block.high, part) >> block.shift) & 0x03030303u; }
vec2 packedScale(WeightBlock block, uint part) { return (part < 2 ? block.dm.xy : block.dm.zw) * vec2(1, -1); }
#elif defined(FORMAT_q3_k)
uvec2 packed8(WeightBlock block, uint part) {
    const uvec2 q = (eight(part < 2 ? block.low : block.high, part) >> ((block.sub & 3) * 2)) & 0x03030303u;
    return q | (((eight(part < 2 ? block.thirdLow : block.thirdHigh, part) >> block.sub) & 0x01010101u) << 2);
}
vec2 packedScale(WeightBlock block, uint part) { return (part < 2 ? block.d.x : block.d.y) * vec2(1, -4); }
#elif defined(FORMAT_tq2_0)
uvec2 packed8(WeightBlock block, uint part) { return twoBits(block, part); }
vec2 packedScale(WeightBlock block, uint part) { return block.d * vec2(1, -1); }
#elif defined(FORMAT_iq2_xxs) || defined(FORMAT_iq2_xs) || defined(FORMAT_iq2_s) || defined(FORMAT_iq3_xxs) || defined(FORMAT_iq3_s)
uint negated(uint magnitudes, uint bits) {
    // A magnitude is never 0, so that no byte carries into the next.
    const uint ones = spread(bits, 0);
    return (magnitudes ^ (ones * 255)) + ones;
}
uvec2 packed8(WeightBlock block, uint part) {
    const uvec2 q = eightMagnitudes(block, part);
    const uint bits = block.signs >> (8 * part);
    return uvec2(negated(q.x, bits), negated(q.y, bits >> 4));
}
vec2 packedScale(WeightBlock block, uint part) { return vec2(part < 2 ? block.d.x : block.d.y, 0); }
#endif

#endif
