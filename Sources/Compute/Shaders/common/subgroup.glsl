// Reductions over a subgroup of 8, 16, 32 or 64 by butterfly shuffles: on lavapipe subgroupAdd costs ten times as much, and on
// GPUs the driver knows the pattern. The size is specialization constant 0, which is also the workgroup's x extent.
#ifndef FOVEA_SUBGROUP
#define FOVEA_SUBGROUP

#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_control_flow_attributes : require

layout(constant_id = 0) const uint SUBGROUP = 8;

// Written out: a loop whose counter is shifted is not unrolled by Mesa 22.3, and made the attention kernel ten times
// slower there and its compilation take half a minute.
float sumOverSubgroup(float x) {
    x += subgroupShuffleXor(x, 1);
    x += subgroupShuffleXor(x, 2);
    x += subgroupShuffleXor(x, 4);
    if (SUBGROUP > 8) x += subgroupShuffleXor(x, 8);
    if (SUBGROUP > 16) x += subgroupShuffleXor(x, 16);
    if (SUBGROUP > 32) x += subgroupShuffleXor(x, 32);
    return x;
}

float maxOverSubgroup(float x) {
    x = max(x, subgroupShuffleXor(x, 1));
    x = max(x, subgroupShuffleXor(x, 2));
    x = max(x, subgroupShuffleXor(x, 4));
    if (SUBGROUP > 8) x = max(x, subgroupShuffleXor(x, 8));
    if (SUBGROUP > 16) x = max(x, subgroupShuffleXor(x, 16));
    if (SUBGROUP > 32) x = max(x, subgroupShuffleXor(x, 32));
    return x;
}

#endif
