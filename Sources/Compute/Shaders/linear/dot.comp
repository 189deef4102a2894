// variants: FORMAT @blocks
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_spirv_intrinsics : require
#include "../common/subgroup.glsl"
const uint PANEL = 1;
#include "../common/weights.glsl"
#include "../common/weights_packed.glsl"
#include "../common/activations.glsl"

// linear/row for weights in blocks, on GPUs with an instruction for four products of bytes: turning a weight into a float
// takes more of their time than multiplying it. A lane takes a run of 32 elements, which is 16 bytes or more of weights.
//
// x becomes whole numbers of 24 bits, LARGEST the largest of a run of 32, taken apart into three signed bytes each; sums are
// whole numbers and exact. Attention must equal PyTorch's: with two bytes its weights were wrong by up to 5e-4 on the reference
// models; one byte, as elsewhere, is wrong by 4e-3 of the largest number.
//
// Right on every device; chosen where VkPhysicalDeviceVulkan13Properties says that it is accelerated.

#include "rows.glsl"

// OpSDot of four signed bytes each (SPV_KHR_integer_dot_product, part of Vulkan 1.3), which Debian 12's glslc does not know.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int signedDot(uint a, uint b, spirv_literal int format);

uint packed(ivec4 q) { return uint(q.x & 255) | uint(q.y & 255) << 8 | uint(q.z & 255) << 16 | uint(q.w) << 24; }

const float LARGEST = 127 * 65536 + 127 * 256 + 127;

// A run of x: high, middle and low bytes, four to a word, the sums of its halves and the value of one unit.
uint high[8], middle[8], low[8];
vec2 halves;
float unit;

void read(uint i, uint k) {
    vec4 a[8];
    float largest = 0;
    [[unroll]] for (uint c = 0; c < 8; c++) {
        a[c] = input4(i, k + 4 * c);
        const vec4 m = abs(a[c]);
        largest = max(largest, max(max(m.x, m.y), max(m.z, m.w)));
    }
    const float scale = largest > 0 ? LARGEST / largest : 0;
    unit = largest / LARGEST;
    halves = vec2(0);
    [[unroll]] for (uint c = 0; c < 8; c++) {
        ivec4 q = clamp(ivec4(roundEven(a[c] * scale)), -int(LARGEST), int(LARGEST));
        const ivec4 l = ((q + 128) & 255) - 128;
        q = (q - l) >> 8;
        const ivec4 m = ((q + 128) & 255) - 128;
        low[c] = packed(l);
        middle[c] = packed(m);
        high[c] = packed((q - m) >> 8);
        halves[c / 4] += total(a[c]);
    }
}

void main() {
    begin();
    const uint first = gl_SubgroupInvocationID + SUBGROUP * (gl_SubgroupID % SPLIT);
    for (uint k = 32 * first; k < p.K; k += 32 * SUBGROUP * SPLIT) {
        WeightBlock block[TN];
        [[unroll]] for (uint j = 0; j < TN; j++) block[j] = weightBlock(weightRow(p.w, weightRowOf(j), p.wStride), p.wStride, k);
        [[unroll]] for (uint i = 0; i < TM; i++) {
            read(i, k);
            [[unroll]] for (uint j = 0; j < TN; j++) {
                [[unroll]] for (uint h = 0; h < 2; h++) {
                    int highs = 0, middles = 0, lows = 0;
                    [[unroll]] for (uint part = 2 * h; part < 2 * h + 2; part++) {
                        const uvec2 q = packed8(block[j], part);
                        highs += signedDot(q.x, high[2 * part], 0) + signedDot(q.y, high[2 * part + 1], 0);
                        middles += signedDot(q.x, middle[2 * part], 0) + signedDot(q.y, middle[2 * part + 1], 0);
                        lows += signedDot(q.x, low[2 * part], 0) + signedDot(q.y, low[2 * part + 1], 0);
                    }
                    const vec2 scale = packedScale(block[j], 2 * h);
                    const float products = float(highs) * 65536 + float(middles * 256 + lows);
                    sum[i * TN + j] += scale.x * (unit * products) + scale.y * halves[h];
                }
            }
        }
    }
    end();
}
