// Reads of rows of weights, keys and activations: from memory by address, or from the same memory through a view as a
// texel buffer (LOAD_texel).
//   ROW                  names the 16-byte piece that a row begins with
//   sixteen(row, i)      piece i of the row
//   wordAt, halfAt       a 32-bit word, a half float, at a byte of the row
//   further(row, bytes)  the row from a multiple of 16 bytes on
// Mesa 22.3's lavapipe loads from an address lane by lane, each with a branch: 120 cycles for 16 bytes a lane. A texel
// fetch there is eight plain 16-byte loads and a transposition: four times faster. Newer ones gather from addresses and
// call a function for a texel: there addresses win. The host chooses.
#ifndef FOVEA_SOURCES
#define FOVEA_SOURCES

#include "memory.glsl"

#if defined(LOAD_texel)

layout(set = 0, binding = 0) uniform usamplerBuffer texels0;
layout(set = 0, binding = 1) uniform usamplerBuffer texels1;
layout(set = 0, binding = 2) uniform usamplerBuffer texels2;
layout(set = 0, binding = 3) uniform usamplerBuffer texels3;

#define ROW int
uvec4 sixteen(ROW row, uint i) { return texelFetch(texels0, row + int(i)); }
uint component(uvec4 t, uint i) { return (i & 2) == 0 ? ((i & 1) == 0 ? t.x : t.y) : ((i & 1) == 0 ? t.z : t.w); }
uint wordAt(ROW row, uint byte) { return component(sixteen(row, byte >> 4), (byte >> 2) & 3); }
float halfAt(ROW row, uint byte) { return unpackHalf2x16(wordAt(row, byte & ~3u) >> (8 * (byte & 2))).x; }
ROW further(ROW row, uint bytes) { return row + int(bytes >> 4); }

#else

#define ROW uint64_t
uvec4 sixteen(ROW row, uint i) {
    const u64vec2 w = Wide(row).v[i];
    return uvec4(unpack32(w.x), unpack32(w.y));
}
uint wordAt(ROW row, uint byte) { return Words(row + byte).v[0]; }
float halfAt(ROW row, uint byte) { return unpackHalf2x16(uint(Shorts(row + byte).v[0])).x; }
ROW further(ROW row, uint bytes) { return row + bytes; }

#endif

#endif
