// ggml's block formats, as weights.glsl offers them. A row lies on the device rearranged (BlockLayout.swift): the quants
// of all its blocks first, so that they can be read 16 bytes at a time, then the odd-sized parts, array by array.
// Layouts of the blocks: github.com/ggml-org/ggml, src/ggml-common.h. CPU twin: the decoders of NumberFormats.
//
// Part p of 32 elements is in bytes 8 (p & 1) to 8 (p & 1) + 7 of a 16-byte vector: the low nibbles of parts 0 and 1 and
// the high ones of parts 2 and 3 in formats of 32 elements, vector p >> 1 in those of 256.

vec2 half2(ROW row, uint byte) { return unpackHalf2x16(weightWord(row, byte)); }
uvec2 eight(uvec4 w, uint part) { return (part & 1) == 0 ? w.xy : w.zw; }
vec4 bytes(uint w) { return vec4(w & 255, (w >> 8) & 255, (w >> 16) & 255, w >> 24); }
vec4 signedBytes(uint w) { return vec4(int(w << 24) >> 24, int(w << 16) >> 24, int(w << 8) >> 24, int(w) >> 24); }
uint byteOf(uint w, uint i) { return (w >> (8 * i)) & 255; }
int signedByteOf(uint w, uint i) { return int(w << (24 - 8 * i)) >> 24; }
// Nibbles where they stand in their word: nibble i of four is 256^i too large.
vec4 inPlace(uint w) { return vec4(int(w & 0xfu), int(w & 0xf00u), int(w & 0xf0000u), int(w & 0xf000000u)); }
void nibblesInPlace(uvec4 w, uint part, out vec4 q0, out vec4 q1) {
    const uvec2 q = eight(w, part) >> (part < 2 ? 0 : 4);
    q0 = inPlace(q.x);
    q1 = inPlace(q.y);
}
uint roundUp16(uint n) { return (n + 15) & ~15u; }

#if defined(FORMAT_q8_0)
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 34); }
struct WeightBlock { uvec4 low, high; float d; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    return WeightBlock(weightSixteen(row, k / 16), weightSixteen(row, k / 16 + 1), weightHalf(row, stride + k / 32 * 2));
}
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec2 q = eight(part < 2 ? block.low : block.high, part);
    b0 = block.d * signedBytes(q.x);
    b1 = block.d * signedBytes(q.y);
}
#define WEIGHT_SCALED
// Each byte at the top of its word: 2^24 too large.
vec4 highBytes(uint w) {
    return vec4(int(w << 24), int((w << 16) & 0xff000000u), int((w << 8) & 0xff000000u), int(w & 0xff000000u));
}
void scaled8(WeightBlock block, uint part, out vec4 q0, out vec4 q1) {
    const uvec2 q = eight(part < 2 ? block.low : block.high, part);
    q0 = highBytes(q.x);
    q1 = highBytes(q.y);
}
vec2 weightScale(WeightBlock block, uint part) { return vec2(block.d * 5.9604644775390625e-8, 0); }

#elif defined(FORMAT_q4_0) || defined(FORMAT_iq4_nl) || defined(FORMAT_iq4_xs) || defined(FORMAT_mxfp4)
#if defined(FORMAT_iq4_xs)
// Nibbles of all blocks, then the lower four bits of their eight scales (a word), then d and the upper two bits.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 136); }
struct WeightBlock { uvec4 q; float d; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint sub = (k / 32) & 7;
    const uint low = weightWord(row, stride / 2 + k / 256 * 4), upper = weightWord(row, stride / 256 * 132 + k / 256 * 4);
    const uint scale = ((low >> (4 * sub)) & 15) | (((upper >> (16 + 2 * sub)) & 3) << 4);
    return WeightBlock(weightSixteen(row, k / 32), unpackHalf2x16(upper).x * float(int(scale) - 32));
}
#elif defined(FORMAT_mxfp4)
// Nibbles of all blocks, then the exponents of their scales, a byte each.
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 17); }
struct WeightBlock { uvec4 q; float d; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint byte = stride / 2 + k / 32;
    const uint e = byteOf(weightWord(row, byte & ~3u), byte & 3);
    return WeightBlock(weightSixteen(row, k / 32), uintBitsToFloat(e < 2 ? 0x00200000u << e : (e - 1) << 23));
}
#else
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 18); }
struct WeightBlock { uvec4 q; float d; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    return WeightBlock(weightSixteen(row, k / 32), weightHalf(row, stride / 2 + k / 32 * 2));
}
#endif
#if defined(FORMAT_iq4_nl) || defined(FORMAT_iq4_xs) || defined(FORMAT_mxfp4)
// The sixteen unevenly spaced levels, 128 added, four to a word.
uint level(uint w, uint i) {
    const uint q = byteOf(w, i) & 15;
#if defined(FORMAT_mxfp4)
    const uint four = q < 8 ? (q < 4 ? 0x83828180u : 0x8c888684u) : (q < 12 ? 0x7d7e7f80u : 0x74787a7cu);
#else
    const uint four = q < 8 ? (q < 4 ? 0x3f2d1801u : 0x766a5d4fu) : (q < 12 ? 0xa6998d81u : 0xf1d9c5b5u);
#endif
    return byteOf(four, q & 3);
}
vec4 levels(uint w) { return vec4(level(w, 0), level(w, 1), level(w, 2), level(w, 3)) - 128; }
#else
vec4 levels(uint w) { return bytes(w & 0x0f0f0f0fu) - 8; }
#endif
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec2 q = eight(block.q, part) >> (part < 2 ? 0 : 4);
    b0 = block.d * levels(q.x);
    b1 = block.d * levels(q.y);
}
#if defined(FORMAT_q4_0)
#define WEIGHT_SCALED
#define WEIGHT_POSITIONS
#define WEIGHT_OFFSET
void scaled8(WeightBlock block, uint part, out vec4 q0, out vec4 q1) { nibblesInPlace(block.q, part, q0, q1); }
vec2 weightScale(WeightBlock block, uint part) { return block.d * vec2(1, -8); }
#endif

#elif defined(FORMAT_q4_1)
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 20); }
struct WeightBlock { uvec4 q; vec2 dm; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    return WeightBlock(weightSixteen(row, k / 32), half2(row, stride / 2 + k / 32 * 4));
}
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec2 q = (eight(block.q, part) >> (part < 2 ? 0 : 4)) & 0x0f0f0f0fu;
    b0 = block.dm.x * bytes(q.x) + block.dm.y;
    b1 = block.dm.x * bytes(q.y) + block.dm.y;
}
#define WEIGHT_SCALED
#define WEIGHT_POSITIONS
#define WEIGHT_OFFSET
void scaled8(WeightBlock block, uint part, out vec4 q0, out vec4 q1) { nibblesInPlace(block.q, part, q0, q1); }
vec2 weightScale(WeightBlock block, uint part) { return block.dm; }

#elif defined(FORMAT_q5_0) || defined(FORMAT_q5_1)
// Nibbles of all blocks, then the fifth bits (a word a block), then scales.
struct WeightBlock { uvec4 q; uint high; vec2 dm; };
#if defined(FORMAT_q5_0)
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 22); }
vec2 scales(ROW row, uint byte, uint i) { return weightHalf(row, byte + 2 * i) * vec2(1, -16); }
#else
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 24); }
vec2 scales(ROW row, uint byte, uint i) { return half2(row, byte + 4 * i); }
#endif
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    return WeightBlock(
        weightSixteen(row, k / 32), weightWord(row, stride / 2 + k / 32 * 4), scales(row, stride / 2 + stride / 8, k / 32));
}
vec4 fiveBits(uint nibbles, uint high) {
    return bytes(nibbles & 0x0f0f0f0fu) + 16 * vec4(high & 1, (high >> 1) & 1, (high >> 2) & 1, (high >> 3) & 1);
}
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec2 q = eight(block.q, part) >> (part < 2 ? 0 : 4);
    const uint high = block.high >> (8 * part);
    b0 = block.dm.x * fiveBits(q.x, high) + block.dm.y;
    b1 = block.dm.x * fiveBits(q.y, high >> 4) + block.dm.y;
}

#elif defined(FORMAT_q4_k) || defined(FORMAT_q5_k)
// As in the file: d, dmin and twelve bytes of six-bit scales and minima, then (q5_k) 32 bytes of fifth bits, then nibbles.
vec2 scaleAndMinimum(ROW super, uint sub) {
    const uvec4 w = weightSixteen(super, 0);
    const uvec2 a = w.xy, b = w.zw;
    const uint i = sub & 3, s0 = byteOf(a.y, i), s1 = byteOf(b.x, i), s2 = byteOf(b.y, i);
    const uvec2 packed = sub < 4 ? uvec2(s0 & 63, s1 & 63) : uvec2((s2 & 15) | ((s0 >> 6) << 4), (s2 >> 4) | ((s1 >> 6) << 4));
    return unpackHalf2x16(a.x) * vec2(packed);
}
#if defined(FORMAT_q4_k)
uint weightRowBytes(uint stride) { return stride / 256 * 144; }
struct WeightBlock { uvec4 low, high; uint shift; vec2 dm; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint sub = (k / 32) & 7;
    const ROW super = weightFurther(row, k / 256 * 144);
    const uint first = 1 + (sub >> 1) * 2;
    return WeightBlock(weightSixteen(super, first), weightSixteen(super, first + 1), (sub & 1) * 4, scaleAndMinimum(super, sub));
}
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec2 q = (eight(part < 2 ? block.low : block.high, part) >> block.shift) & 0x0f0f0f0fu;
    b0 = block.dm.x * bytes(q.x) - block.dm.y;
    b1 = block.dm.x * bytes(q.y) - block.dm.y;
}
#define WEIGHT_SCALED
#define WEIGHT_POSITIONS
#define WEIGHT_OFFSET
void scaled8(WeightBlock block, uint part, out vec4 q0, out vec4 q1) {
    const uvec2 q = eight(part < 2 ? block.low : block.high, part) >> block.shift;
    q0 = inPlace(q.x);
    q1 = inPlace(q.y);
}
vec2 weightScale(WeightBlock block, uint part) { return vec2(block.dm.x, -block.dm.y); }
#else
uint weightRowBytes(uint stride) { return stride / 256 * 176; }
struct WeightBlock { uvec4 low, high, fifthLow, fifthHigh; uint sub; vec2 dm; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint sub = (k / 32) & 7;
    const ROW super = weightFurther(row, k / 256 * 176);
    const uint first = 3 + (sub >> 1) * 2;
    return WeightBlock(
        weightSixteen(super, first), weightSixteen(super, first + 1), weightSixteen(super, 1), weightSixteen(super, 2), sub, scaleAndMinimum(super, sub));
}
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    uvec2 q = (eight(part < 2 ? block.low : block.high, part) >> ((block.sub & 1) * 4)) & 0x0f0f0f0fu;
    q |= ((eight(part < 2 ? block.fifthLow : block.fifthHigh, part) >> block.sub) & 0x01010101u) << 4;
    b0 = block.dm.x * bytes(q.x) - block.dm.y;
    b1 = block.dm.x * bytes(q.y) - block.dm.y;
}
#endif

#elif defined(FORMAT_q6_k)
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 210); }
struct WeightBlock { uvec4 low, high, upperLow, upperHigh; uint quarter; vec2 d; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint side = (k / 128) & 1, quarter = (k / 32) & 3;
    const ROW super = weightFurther(row, k / 256 * 208);
    const uint first = side * 4 + (quarter & 1) * 2;
    // Two scales, of 16 elements each, in one half of a word.
    const uint pair = weightWord(super, 192 + (side * 2 + (quarter >> 1)) * 4) >> ((quarter & 1) * 16);
    const float d = weightHalf(row, stride / 256 * 208 + k / 256 * 2);
    return WeightBlock(
        weightSixteen(super, first), weightSixteen(super, first + 1), weightSixteen(super, 8 + side * 2), weightSixteen(super, 9 + side * 2), quarter,
        d * vec2(signedByteOf(pair, 0), signedByteOf(pair, 1)));
}
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    uvec2 q = (eight(part < 2 ? block.low : block.high, part) >> ((block.quarter >> 1) * 4)) & 0x0f0f0f0fu;
    q |= ((eight(part < 2 ? block.upperLow : block.upperHigh, part) >> (block.quarter * 2)) & 0x03030303u) << 4;
    const float d = part < 2 ? block.d.x : block.d.y;
    b0 = d * (bytes(q.x) - 32);
    b1 = d * (bytes(q.y) - 32);
}

#elif defined(FORMAT_q2_k)
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 84); }
struct WeightBlock { uvec4 low, high; uint shift; vec4 dm; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const ROW super = weightFurther(row, k / 256 * 80);
    const uint first = 1 + ((k / 128) & 1) * 2;
    // Scale and minimum of 16 elements in a byte, two such bytes.
    const uint pair = weightWord(super, ((k / 64) & 3) * 4) >> ((k / 32 & 1) * 16);
    const vec2 dm = half2(row, stride / 256 * 80 + k / 256 * 4);
    return WeightBlock(
        weightSixteen(super, first), weightSixteen(super, first + 1), ((k / 32) & 3) * 2,
        vec4(dm * vec2(pair & 15, (pair >> 4) & 15), dm * vec2((pair >> 8) & 15, (pair >> 12) & 15)));
}
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec2 q = (eight(part < 2 ? block.low : block.high, part) >> block.shift) & 0x03030303u;
    const vec2 dm = part < 2 ? block.dm.xy : block.dm.zw;
    b0 = dm.x * bytes(q.x) - dm.y;
    b1 = dm.x * bytes(q.y) - dm.y;
}

#elif defined(FORMAT_q3_k)
// Third bits and quants of all blocks (96 bytes each), then their scales (12 bytes), then d.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 110); }
struct WeightBlock { uvec4 low, high, thirdLow, thirdHigh; uint sub; vec2 d; };
float scale(uint lowBytes, uint highBytes, uint sub) {
    const uint low = (byteOf(lowBytes, sub & 3) >> (sub < 8 ? 0 : 4)) & 15;
    const uint high = (byteOf(highBytes, sub & 3) >> (2 * (sub / 4))) & 3;
    return float(int(low | (high << 4)) - 32);
}
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint sub = (k / 32) & 7;
    const ROW super = weightFurther(row, k / 256 * 96);
    const uint scales = stride / 256 * 96 + k / 256 * 12;
    const uint first = 2 + ((k / 128) & 1) * 2;
    const uint lowBytes = weightWord(row, scales + ((sub >> 1) & 1) * 4), highBytes = weightWord(row, scales + 8);
    const float d = weightHalf(row, stride / 256 * 108 + k / 256 * 2);
    return WeightBlock(
        weightSixteen(super, first), weightSixteen(super, first + 1), weightSixteen(super, 0), weightSixteen(super, 1), sub,
        d * vec2(scale(lowBytes, highBytes, 2 * sub), scale(lowBytes, highBytes, 2 * sub + 1)));
}
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    uvec2 q = (eight(part < 2 ? block.low : block.high, part) >> ((block.sub & 3) * 2)) & 0x03030303u;
    q |= ((eight(part < 2 ? block.thirdLow : block.thirdHigh, part) >> block.sub) & 0x01010101u) << 2;
    const float d = part < 2 ? block.d.x : block.d.y;
    b0 = d * (bytes(q.x) - 4);
    b1 = d * (bytes(q.y) - 4);
}

#elif defined(FORMAT_tq2_0)
// Quants of all blocks, then d.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 66); }
struct WeightBlock { uvec4 low, high; uint shift; float d; };
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const ROW super = weightFurther(row, k / 256 * 64);
    const uint first = ((k / 128) & 1) * 2;
    return WeightBlock(
        weightSixteen(super, first), weightSixteen(super, first + 1), ((k / 32) & 3) * 2, weightHalf(row, stride / 4 + k / 256 * 2));
}
uvec2 twoBits(WeightBlock block, uint part) { return (eight(part < 2 ? block.low : block.high, part) >> block.shift) & 0x03030303u; }
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec2 q = twoBits(block, part);
    b0 = block.d * (bytes(q.x) - 1);
    b1 = block.d * (bytes(q.y) - 1);
}

#elif defined(FORMAT_iq2_xxs) || defined(FORMAT_iq2_xs) || defined(FORMAT_iq2_s) || defined(FORMAT_iq3_xxs) || defined(FORMAT_iq3_s)
// Each part of 32 elements is one point of eight elements (iq3: two of four, the second 16 bits further) and eight signs.
#include "grid_points.glsl"
struct WeightBlock { uvec4 points; uint signs; vec2 d; };
// Seven signs, and their parity as the eighth.
uint withParity(uint signs) { return (signs & 127) | ((bitCount(signs & 127) & 1) << 7); }
uint fourSigns(uint w) {
    return withParity(w) | (withParity(w >> 7) << 8) | (withParity(w >> 14) << 16) | (withParity(w >> 21) << 24);
}
#if defined(FORMAT_iq2_xxs)
// For each 32 elements four indices, signs and scale (8 bytes); then d.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 66); }
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uvec2 w = eight(weightSixteen(row, k / 64), k / 32);
    const float d = weightHalf(row, stride / 4 + k / 256 * 2) * (0.5 + float(w.y >> 28)) * 0.25;
    return WeightBlock(
        uvec4(point(byteOf(w.x, 0)), point(byteOf(w.x, 1)), point(byteOf(w.x, 2)), point(byteOf(w.x, 3))), fourSigns(w.y), vec2(d));
}
#elif defined(FORMAT_iq2_xs)
// Indices of nine bits with seven signs, then scales of four bits, then d.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 74); }
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint sub = (k / 32) & 7;
    const uvec2 w = eight(weightSixteen(row, k / 64), sub);
    const uint scales = byteOf(weightWord(row, stride / 4 + k / 256 * 8 + (sub & 4)), sub & 3);
    const float d = weightHalf(row, stride / 256 * 72 + k / 256 * 2) * 0.25;
    const uint signs = withParity(w.x >> 9) | (withParity(w.x >> 25) << 8) | (withParity(w.y >> 9) << 16) | (withParity(w.y >> 25) << 24);
    return WeightBlock(
        uvec4(point(w.x & 511), point((w.x >> 16) & 511), point(w.y & 511), point((w.y >> 16) & 511)), signs,
        d * (0.5 + vec2(scales & 15, scales >> 4)));
}
#elif defined(FORMAT_iq2_s)
// Lower bits of the indices and signs (64 bytes a block), then their upper bits and scales (16 bytes), then d.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 82); }
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint sub = (k / 32) & 7;
    const ROW super = weightFurther(row, k / 256 * 64);
    const uint low = weightWord(super, sub * 4), second = stride / 4 + k / 256 * 16 + (sub & 4);
    const uint upper = byteOf(weightWord(row, second), sub & 3), scales = byteOf(weightWord(row, second + 8), sub & 3);
    const float d = weightHalf(row, stride / 256 * 80 + k / 256 * 2) * 0.25;
    return WeightBlock(
        uvec4(
            point(byteOf(low, 0) | ((upper << 8) & 768)), point(byteOf(low, 1) | ((upper << 6) & 768)),
            point(byteOf(low, 2) | ((upper << 4) & 768)), point(byteOf(low, 3) | ((upper << 2) & 768))),
        weightWord(super, 32 + sub * 4), d * (0.5 + vec2(scales & 15, scales >> 4)));
}
#else
uint twoPoints(uint first, uint second) { return (point(first) & 0xfffu) | (point(second) << 16); }
#if defined(FORMAT_iq3_xxs)
// Indices (64 bytes a block), signs and scales (32 bytes), then d.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 98); }
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint sub = (k / 32) & 7;
    const ROW super = weightFurther(row, k / 256 * 96);
    const uvec2 w = eight(weightSixteen(super, sub / 2), sub);
    const uint packed = weightWord(super, 64 + sub * 4);
    const float d = weightHalf(row, stride / 256 * 96 + k / 256 * 2) * (0.5 + float(packed >> 28)) * 0.5;
    return WeightBlock(
        uvec4(
            twoPoints(byteOf(w.x, 0), byteOf(w.x, 1)), twoPoints(byteOf(w.x, 2), byteOf(w.x, 3)),
            twoPoints(byteOf(w.y, 0), byteOf(w.y, 1)), twoPoints(byteOf(w.y, 2), byteOf(w.y, 3))),
        fourSigns(packed), vec2(d));
}
#else
// Lower bits of the indices (64 bytes a block), signs (32), upper bits of the indices (8), scales (4), d.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 110); }
WeightBlock weightBlock(ROW row, uint stride, uint k) {
    const uint sub = (k / 32) & 7, block = k / 256, count = stride / 256;
    const uvec2 w = eight(weightSixteen(row, k / 64), sub);
    const uint signs = weightWord(row, count * 64 + k / 32 * 4);
    const uint upper = byteOf(weightWord(row, count * 96 + block * 8 + (sub & 4)), sub & 3);
    const uint scale = (weightWord(row, count * 104 + block * 4) >> (sub * 4)) & 15;
    const float d = weightHalf(row, count * 108 + block * 2) * float(1 + 2 * scale);
    return WeightBlock(
        uvec4(
            twoPoints(byteOf(w.x, 0) | ((upper << 8) & 256), byteOf(w.x, 1) | ((upper << 7) & 256)),
            twoPoints(byteOf(w.x, 2) | ((upper << 6) & 256), byteOf(w.x, 3) | ((upper << 5) & 256)),
            twoPoints(byteOf(w.y, 0) | ((upper << 4) & 256), byteOf(w.y, 1) | ((upper << 3) & 256)),
            twoPoints(byteOf(w.y, 2) | ((upper << 2) & 256), byteOf(w.y, 3) | ((upper << 1) & 256))),
        signs, vec2(d));
}
#endif
#endif
// The magnitudes of four elements, a byte each.
uint magnitudes(uint point) {
#if defined(FORMAT_iq3_xxs) || defined(FORMAT_iq3_s)
    const uint q = (point & 7) | ((point & 0x38u) << 5) | ((point & 0x1c0u) << 10) | ((point & 0xe00u) << 15);
#if defined(FORMAT_iq3_s)
    return q * 2 + 0x01010101u;
#else
    // The highest of eight levels in steps of 8 is 2 more.
    return q * 8 + 0x04040404u + (q & (q >> 1) & (q >> 2) & 0x01010101u) * 2;
#endif
#else
    // 8, 25 or 43.
    const uint q = (point & 3) | ((point & 0xcu) << 6) | ((point & 0x30u) << 12) | ((point & 0xc0u) << 18);
    return 0x08080808u + (q & 0x01010101u) * 17 + ((q >> 1) & 0x01010101u) * 35;
#endif
}
uvec2 eightMagnitudes(WeightBlock block, uint part) {
    const uint p = block.points[part];
#if defined(FORMAT_iq3_xxs) || defined(FORMAT_iq3_s)
    return uvec2(magnitudes(p), magnitudes(p >> 16));
#else
    return uvec2(magnitudes(p), magnitudes(p >> 8));
#endif
}
vec4 signsOf(uint bits) { return 1 - 2 * vec4(bits & 1, (bits >> 1) & 1, (bits >> 2) & 1, (bits >> 3) & 1); }
void weight8(WeightBlock block, uint part, out vec4 b0, out vec4 b1) {
    const uvec2 q = eightMagnitudes(block, part);
    const uint bits = block.signs >> (8 * part);
    const float d = part < 2 ? block.d.x : block.d.y;
    b0 = d * bytes(q.x) * signsOf(bits);
    b1 = d * bytes(q.y) * signsOf(bits >> 4);
}

#else
#error "compile with -DFORMAT_<weight format>"
#endif
