// variants: CACHE f32 f16
#version 460
#extension GL_GOOGLE_include_directive : require
#define WINDOW_ID 3
#define CAP_ID 4
#include "heads.glsl"
#include "query_row.glsl"

// Softmax rows of chosen queries: out[h, r, j] = softmax_j(scale q[row r, h].k[j, h / group] + bias[h, row r, j]).
//
// Row r is query firstRow + r. With lse [heads, queries] of the fused kernel, each weight is
// exp(score - lse); without it the row's maximum and sum are found first. Causal: keys beyond row + offset are 0;
// otherwise those from `visible` on. Keys before a WINDOW are 0 too.
// One subgroup per head and row, lane = key.

layout(local_size_x_id = 0) in;

layout(push_constant, scalar) uniform Push {
    uint64_t q, k, bias, lse, result;
    uint queries, keys, group, firstRow;
    uint qStride, kStride;
    uint biasHeadStride, biasRowStride;
    uint resultHeadStride, resultRowStride;
    float scale;
    uint causal;
    int offset;
    uint visible;
} p;

void main() {
    const uint lane = gl_SubgroupInvocationID;
    const uint r = gl_WorkGroupID.x, head = gl_WorkGroupID.y;
    const uint row = min(p.firstRow + r, p.queries - 1);

    loadQuery(p.q + (uint64_t(row) * p.qStride + head * D) * 4, lane, p.scale);
    const uint64_t keyHead = p.k + (head / p.group) * (D * CACHE_BYTES);
    const uint end = p.causal != 0 ? uint(clamp(int(row) + 1 + p.offset, 0, int(p.keys))) : p.visible;
    const uint begin = firstInWindow(int(row) + p.offset);
    Floats result = Floats(p.result + (uint64_t(head) * p.resultHeadStride + r * p.resultRowStride) * 4);

    const bool known = p.lse != 0;
    const float lse = Floats(readable(p.lse, p.q)).v[known ? head * p.queries + row : 0];
    float top = LOWEST, sum = 0;
    for (uint j0 = 0; j0 < p.keys; j0 += SUBGROUP) {
        const uint key = min(j0 + lane, p.keys - 1);
        float s = capped(score(keyHead + uint64_t(key) * (p.kStride * CACHE_BYTES)));
        if (p.bias != 0) s += Floats(p.bias).v[head * p.biasHeadStride + row * p.biasRowStride + key];
        if (j0 + lane >= end || key < begin) s = LOWEST;
        if (known) {
            s = s > MASKED ? exp(s - lse) : 0.0;
        } else {
            const float newTop = max(top, s);
            sum = sum * exp(top - newTop) + (s > MASKED ? exp(s - newTop) : 0.0);
            top = newTop;
        }
        if (j0 + lane < p.keys) result.v[key] = s;
    }
    if (known) return;

    const float all = maxOverSubgroup(top);
    sum = sumOverSubgroup(sum * exp(top - all));
    const float scale = sum > 0 ? 1 / sum : 0;
    // Each lane reads back what it wrote itself.
    for (uint key = lane; key < p.keys; key += SUBGROUP) {
        const float s = result.v[key];
        result.v[key] = s > MASKED ? exp(s - all) * scale : 0.0;
    }
}
