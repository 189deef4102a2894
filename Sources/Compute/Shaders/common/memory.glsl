// Device memory by address. A buffer is a 64-bit pointer (push constant or parameter buffer), never a descriptor.
#ifndef FOVEA_MEMORY
#define FOVEA_MEMORY

#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference2 : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require

// 16 bytes at a time as two 64-bit words: on lavapipe a load costs one pass over the lanes per component, so two wide
// components beat four narrow ones (2.3x in matrix products). On GPUs both become one 128-bit load.
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Wide { u64vec2 v[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Float4s { vec4 v[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Pairs { uint64_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Floats { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Words { uint v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 2) buffer Halves { float16_t v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 2) readonly buffer Shorts { uint16_t v[]; };

// A readable address where the value may be unused. Loads that all lanes make alike from an address that
// may be null stand outside branches: Mesa 26's lavapipe executes such loads even in branches that are not taken.
uint64_t readable(uint64_t address, uint64_t otherwise) { return address != 0 ? address : otherwise; }

vec4 floats(u64vec2 w) {
    return vec4(uintBitsToFloat(unpack32(w.x)), uintBitsToFloat(unpack32(w.y)));
}

// Reads four floats at element `k` of a row of `count`, as zeros beyond its end. With `aligned`, the row starts on a
// 16-byte boundary and `count` is a multiple of 4, so that one wide load does.
vec4 load4(uint64_t row, uint k, uint count, bool aligned) {
    if (aligned) return k < count ? floats(Wide(row).v[k >> 2]) : vec4(0);
    Floats p = Floats(row);
    vec4 r = vec4(0);
    if (k < count) r.x = p.v[k];
    if (k + 1 < count) r.y = p.v[k + 1];
    if (k + 2 < count) r.z = p.v[k + 2];
    if (k + 3 < count) r.w = p.v[k + 3];
    return r;
}

void store4(uint64_t row, uint k, uint count, bool aligned, vec4 x) {
    if (aligned) {
        if (k < count) Float4s(row).v[k >> 2] = x;
        return;
    }
    Floats p = Floats(row);
    if (k < count) p.v[k] = x.x;
    if (k + 1 < count) p.v[k + 1] = x.y;
    if (k + 2 < count) p.v[k + 2] = x.z;
    if (k + 3 < count) p.v[k + 3] = x.w;
}

#endif
