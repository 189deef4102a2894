// ggml's block formats, as weights.glsl offers them. A row lies on the device rearranged (BlockLayout.swift): the quants
// of all its blocks first, so that they can be read 16 bytes at a time, then what is odd-sized, array by array.
// Layouts of the blocks: github.com/ggml-org/ggml, src/ggml-common.h. CPU twin: Formats' decoders.

#define BLOCK_FORMAT

float half1(uint64_t p, uint i) { return unpackHalf2x16(uint(Shorts(p).v[i])).x; }
vec2 half2(uint64_t p, uint i) { return unpackHalf2x16(Words(p).v[i]); }

// Half of the 16 bytes at `index`: eight bytes.
uvec2 eight(uint64_t p, uint index, uint half_) {
    u64vec2 w = Wide(p).v[index];
    return unpack32((half_ & 1) == 0 ? w.x : w.y);
}

vec4 bytes(uint w) { return vec4(w & 255, (w >> 8) & 255, (w >> 16) & 255, w >> 24); }
vec4 signedBytes(uint w) { return vec4(int(w << 24) >> 24, int(w << 16) >> 24, int(w << 8) >> 24, int(w) >> 24); }
uint byteOf(uint w, uint i) { return (w >> (8 * i)) & 255; }
uint roundUp16(uint n) { return (n + 15) & ~15u; }

#if defined(FORMAT_q8_0)
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 34); }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    uvec2 q = eight(row, k / 16 + (part >> 1), part);
    const float d = half1(row + stride, k / 32);
    b0 = d * signedBytes(q.x);
    b1 = d * signedBytes(q.y);
}

#elif defined(FORMAT_q4_0) || defined(FORMAT_iq4_nl)
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 18); }
#if defined(FORMAT_iq4_nl)
const float LEVELS[16] = float[](-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
vec4 levels(uint w) { return vec4(LEVELS[w & 15], LEVELS[(w >> 8) & 15], LEVELS[(w >> 16) & 15], LEVELS[(w >> 24) & 15]); }
#else
vec4 levels(uint w) { return bytes(w & 0x0f0f0f0fu) - 8; }
#endif
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    uvec2 q = eight(row, k / 32, part) >> (part >= 2 ? 4 : 0);
    const float d = half1(row + stride / 2, k / 32);
    b0 = d * levels(q.x);
    b1 = d * levels(q.y);
}

#elif defined(FORMAT_q4_1)
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 20); }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    uvec2 q = (eight(row, k / 32, part) >> (part >= 2 ? 4 : 0)) & 0x0f0f0f0fu;
    const vec2 dm = half2(row + stride / 2, k / 32);
    b0 = dm.x * bytes(q.x) + dm.y;
    b1 = dm.x * bytes(q.y) + dm.y;
}

#elif defined(FORMAT_q5_0) || defined(FORMAT_q5_1)
// Nibbles of all blocks, then the fifth bits (a word a block), then scales.
vec4 fiveBits(uint nibbles, uint high) {
    return bytes(nibbles & 0x0f0f0f0fu) + 16 * vec4(high & 1, (high >> 1) & 1, (high >> 2) & 1, (high >> 3) & 1);
}
#if defined(FORMAT_q5_0)
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 22); }
#else
uint weightRowBytes(uint stride) { return roundUp16(stride / 32 * 24); }
#endif
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    uvec2 q = eight(row, k / 32, part) >> (part >= 2 ? 4 : 0);
    const uint high = Words(row + stride / 2).v[k / 32] >> (8 * part);
    const uint64_t scales = row + stride / 2 + stride / 8;
#if defined(FORMAT_q5_0)
    const vec2 dm = half1(scales, k / 32) * vec2(1, -16);
#else
    const vec2 dm = half2(scales, k / 32);
#endif
    b0 = dm.x * fiveBits(q.x, high) + dm.y;
    b1 = dm.x * fiveBits(q.y, high >> 4) + dm.y;
}

#elif defined(FORMAT_q4_k) || defined(FORMAT_q5_k)
// As in the file: d, dmin and twelve bytes of six-bit scales and minima, then (q5_k) 32 bytes of fifth bits, then nibbles.
vec2 scaleAndMinimum(uint64_t block, uint sub) {
    const u64vec2 w = Wide(block).v[0];
    const uvec2 a = unpack32(w.x), b = unpack32(w.y);
    const vec2 dm = unpackHalf2x16(a.x);
    const uint i = sub & 3, s0 = byteOf(a.y, i), s1 = byteOf(b.x, i), s2 = byteOf(b.y, i);
    const uvec2 packed = sub < 4 ? uvec2(s0 & 63, s1 & 63) : uvec2((s2 & 15) | ((s0 >> 6) << 4), (s2 >> 4) | ((s1 >> 6) << 4));
    return dm * vec2(packed);
}
#if defined(FORMAT_q4_k)
uint weightRowBytes(uint stride) { return stride / 256 * 144; }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    const uint sub = (k / 32) & 7;
    const uint64_t block = row + k / 256 * 144;
    const vec2 dm = scaleAndMinimum(block, sub);
    uvec2 q = (eight(block, 1 + (sub >> 1) * 2 + (part >> 1), part) >> ((sub & 1) * 4)) & 0x0f0f0f0fu;
    b0 = dm.x * bytes(q.x) - dm.y;
    b1 = dm.x * bytes(q.y) - dm.y;
}
#else
uint weightRowBytes(uint stride) { return stride / 256 * 176; }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    const uint sub = (k / 32) & 7;
    const uint64_t block = row + k / 256 * 176;
    const vec2 dm = scaleAndMinimum(block, sub);
    uvec2 q = (eight(block, 3 + (sub >> 1) * 2 + (part >> 1), part) >> ((sub & 1) * 4)) & 0x0f0f0f0fu;
    q |= ((eight(block, 1 + (part >> 1), part) >> sub) & 0x01010101u) << 4;
    b0 = dm.x * bytes(q.x) - dm.y;
    b1 = dm.x * bytes(q.y) - dm.y;
}
#endif

#elif defined(FORMAT_q6_k)
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 210); }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    const uint side = (k / 128) & 1, quarter = (k / 32) & 3;
    const uint64_t block = row + k / 256 * 208;
    uvec2 q = (eight(block, side * 4 + (quarter & 1) * 2 + (part >> 1), part) >> (quarter >> 1) * 4) & 0x0f0f0f0fu;
    q |= ((eight(block, 8 + side * 2 + (part >> 1), part) >> (quarter * 2)) & 0x03030303u) << 4;
    const uint s = side * 8 + quarter * 2 + (part >> 1);
    const int scale = int(byteOf(Words(block + 192).v[s / 4], s & 3) << 24) >> 24;
    const float d = half1(row + stride / 256 * 208, k / 256) * float(scale);
    b0 = d * (bytes(q.x) - 32);
    b1 = d * (bytes(q.y) - 32);
}

#elif defined(FORMAT_q2_k)
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 84); }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    const uint64_t block = row + k / 256 * 80;
    uvec2 q = (eight(block, 1 + ((k / 128) & 1) * 2 + (part >> 1), part) >> ((k / 32) & 3) * 2) & 0x03030303u;
    const uint sub = ((k / 32) & 7) * 2 + (part >> 1);
    const uint packed = byteOf(Words(block).v[sub / 4], sub & 3);
    const vec2 dm = half2(row + stride / 256 * 80, k / 256) * vec2(packed & 15, packed >> 4);
    b0 = dm.x * bytes(q.x) - dm.y;
    b1 = dm.x * bytes(q.y) - dm.y;
}

#elif defined(FORMAT_q3_k)
// Third bits and quants of all blocks (96 bytes each), then their scales (12 bytes), then d.
uint weightRowBytes(uint stride) { return roundUp16(stride / 256 * 110); }
void weight8(uint64_t row, uint stride, uint k, uint part, out vec4 b0, out vec4 b1) {
    const uint64_t block = row + k / 256 * 96;
    uvec2 q = (eight(block, 2 + ((k / 128) & 1) * 2 + (part >> 1), part) >> ((k / 32) & 3) * 2) & 0x03030303u;
    q |= ((eight(block, part >> 1, part) >> ((k / 32) & 7)) & 0x01010101u) << 2;
    const uint sub = ((k / 32) & 7) * 2 + (part >> 1);
    const uint64_t scales = row + stride / 256 * 96 + k / 256 * 12;
    const uint low = (byteOf(Words(scales).v[(sub & 7) / 4], sub & 3) >> (sub < 8 ? 0 : 4)) & 15;
    const uint high = (byteOf(Words(scales).v[2], sub & 3) >> (2 * (sub / 4))) & 3;
    const float d = half1(row + stride / 256 * 108, k / 256) * float(int(low | (high << 4)) - 32);
    b0 = d * (bytes(q.x) - 4);
    b1 = d * (bytes(q.y) - 4);
}

#else
#error "compile with -DFORMAT_<weight format>"
#endif
