// needs: GL_KHR_cooperative_matrix
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#include "../common/subgroup.glsl"
#include "../common/memory.glsl"

// Peak rate of products of matrices, f16 into f32: CHAINS independent sums per subgroup, CHAINS products a round.
// Operations: subgroups * rounds * CHAINS * 2 CM CN CK. No product comes twice, since compilers would compute
// it once: every sum has a second factor of its own, and the first is read from shared memory, in turn one of two.

layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 1) const uint SUBGROUPS = 1;
layout(constant_id = 2) const uint CM = 16;
layout(constant_id = 3) const uint CN = 16;
layout(constant_id = 4) const uint CK = 16;

layout(push_constant, scalar) uniform Push {
    uint64_t result;
    uint rounds;
    float factor, addend;
} p;

const uint CHAINS = 8;
const uint COUNT = 2 * CM * CK + CK * CN + 8 * CHAINS;

shared float16_t factors[COUNT];

void main() {
    for (uint i = gl_LocalInvocationIndex; i < COUNT; i += SUBGROUP * SUBGROUPS)
        factors[i] = float16_t(p.factor * float(i * 7 & 31) + p.addend);
    barrier();
    coopmat<float16_t, gl_ScopeSubgroup, CK, CN, gl_MatrixUseB> b[CHAINS];
    coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator> sum[CHAINS];
    [[unroll]] for (uint c = 0; c < CHAINS; c++) {
        coopMatLoad(b[c], factors, 2 * CM * CK + 8 * c, CN, gl_CooperativeMatrixLayoutRowMajor);
        sum[c] = coopmat<float, gl_ScopeSubgroup, CM, CN, gl_MatrixUseAccumulator>(float(c));
    }
    for (uint round = 0; round < p.rounds; round++) {
        coopmat<float16_t, gl_ScopeSubgroup, CM, CK, gl_MatrixUseA> a;
        coopMatLoad(a, factors, (round & 1) * (CM * CK), CK, gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (uint c = 0; c < CHAINS; c++) sum[c] = coopMatMulAdd(a, b[c], sum[c]);
    }
    float total = 0;
    [[unroll]] for (uint c = 0; c < CHAINS; c++) total += sum[c][0];
    Floats(p.result).v[gl_WorkGroupID.x * SUBGROUP * SUBGROUPS + gl_LocalInvocationIndex] = total;
}
