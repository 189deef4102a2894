#version 460
#extension GL_GOOGLE_include_directive : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// result[place, c] = x[place, c] + bias[c] + sum over the 3 x 3 places around of weight[c, neighbor] * x[neighbor, c]:
// a depthwise convolution with its residual. Places outside the grid are zeros. f32; result is not x.
// Places are row after row of the grid; one subgroup per place, its lanes take channels.

layout(local_size_x_id = 0) in;

layout(push_constant, scalar) uniform Push {
    uint64_t x, weight, bias, result;
    uint columns, gridRows, gridColumns, firstPlace;
} p;

void main() {
    const uint place = p.firstPlace + gl_WorkGroupID.x;
    const int row = int(place / p.gridColumns), column = int(place % p.gridColumns);
    for (uint c = gl_SubgroupInvocationID; c < p.columns; c += SUBGROUP) {
        float sum = Floats(p.x).v[place * p.columns + c] + Floats(p.bias).v[c];
        for (int k = 0; k < 9; k++) {
            const int r = row + k / 3 - 1, s = column + k % 3 - 1;
            if (r < 0 || s < 0 || r >= int(p.gridRows) || s >= int(p.gridColumns)) continue;
            sum += Floats(p.weight).v[c * 9 + k] * Floats(p.x).v[(uint(r) * p.gridColumns + uint(s)) * p.columns + c];
        }
        Floats(p.result).v[place * p.columns + c] = sum;
    }
}
