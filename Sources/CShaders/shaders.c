// Written by Sources/Compute/Shaders/regenerate.sh: do not edit.
#include "CShaders.h"

static const _Alignas(4) unsigned char code0[] = {
#embed "../Compute/Shaders/attention/decode_f32.spv"
};
static const _Alignas(4) unsigned char code1[] = {
#embed "../Compute/Shaders/attention/decode_f16.spv"
};
static const _Alignas(4) unsigned char code2[] = {
#embed "../Compute/Shaders/attention/flash_f32.spv"
};
static const _Alignas(4) unsigned char code3[] = {
#embed "../Compute/Shaders/attention/flash_f16.spv"
};
static const _Alignas(4) unsigned char code4[] = {
#embed "../Compute/Shaders/attention/rows_f32.spv"
};
static const _Alignas(4) unsigned char code5[] = {
#embed "../Compute/Shaders/attention/rows_f16.spv"
};
static const _Alignas(4) unsigned char code6[] = {
#embed "../Compute/Shaders/attention/tile_f32.spv"
};
static const _Alignas(4) unsigned char code7[] = {
#embed "../Compute/Shaders/attention/tile_f16.spv"
};
static const _Alignas(4) unsigned char code8[] = {
#embed "../Compute/Shaders/bench/memory_read.spv"
};
static const _Alignas(4) unsigned char code9[] = {
#embed "../Compute/Shaders/bench/memory_copy.spv"
};
static const _Alignas(4) unsigned char code10[] = {
#embed "../Compute/Shaders/bench/multiply_add.spv"
};
static const _Alignas(4) unsigned char code11[] = {
#embed "../Compute/Shaders/elementwise/combine.spv"
};
static const _Alignas(4) unsigned char code12[] = {
#embed "../Compute/Shaders/elementwise/convert_f32_f32.spv"
};
static const _Alignas(4) unsigned char code13[] = {
#embed "../Compute/Shaders/elementwise/convert_f32_f16.spv"
};
static const _Alignas(4) unsigned char code14[] = {
#embed "../Compute/Shaders/elementwise/convert_f16_f32.spv"
};
static const _Alignas(4) unsigned char code15[] = {
#embed "../Compute/Shaders/elementwise/convert_bf16_f32.spv"
};
static const _Alignas(4) unsigned char code16[] = {
#embed "../Compute/Shaders/embed/embed_f32.spv"
};
static const _Alignas(4) unsigned char code17[] = {
#embed "../Compute/Shaders/embed/embed_f16.spv"
};
static const _Alignas(4) unsigned char code18[] = {
#embed "../Compute/Shaders/embed/embed_bf16.spv"
};
static const _Alignas(4) unsigned char code19[] = {
#embed "../Compute/Shaders/linear/row_f32.spv"
};
static const _Alignas(4) unsigned char code20[] = {
#embed "../Compute/Shaders/linear/row_f16.spv"
};
static const _Alignas(4) unsigned char code21[] = {
#embed "../Compute/Shaders/linear/row_bf16.spv"
};
static const _Alignas(4) unsigned char code22[] = {
#embed "../Compute/Shaders/linear/shuffle_f32.spv"
};
static const _Alignas(4) unsigned char code23[] = {
#embed "../Compute/Shaders/linear/shuffle_f16.spv"
};
static const _Alignas(4) unsigned char code24[] = {
#embed "../Compute/Shaders/linear/shuffle_bf16.spv"
};
static const _Alignas(4) unsigned char code25[] = {
#embed "../Compute/Shaders/linear/tile_f32.spv"
};
static const _Alignas(4) unsigned char code26[] = {
#embed "../Compute/Shaders/linear/tile_f16.spv"
};
static const _Alignas(4) unsigned char code27[] = {
#embed "../Compute/Shaders/linear/tile_bf16.spv"
};
static const _Alignas(4) unsigned char code28[] = {
#embed "../Compute/Shaders/norm/norm_layer.spv"
};
static const _Alignas(4) unsigned char code29[] = {
#embed "../Compute/Shaders/norm/norm_rms.spv"
};
static const _Alignas(4) unsigned char code30[] = {
#embed "../Compute/Shaders/rotary/rotary.spv"
};
static const _Alignas(4) unsigned char code31[] = {
#embed "../Compute/Shaders/sample/top_k.spv"
};

static const fovea_shader shaders[] = {
    {"attention/decode_f32", code0, sizeof code0},
    {"attention/decode_f16", code1, sizeof code1},
    {"attention/flash_f32", code2, sizeof code2},
    {"attention/flash_f16", code3, sizeof code3},
    {"attention/rows_f32", code4, sizeof code4},
    {"attention/rows_f16", code5, sizeof code5},
    {"attention/tile_f32", code6, sizeof code6},
    {"attention/tile_f16", code7, sizeof code7},
    {"bench/memory_read", code8, sizeof code8},
    {"bench/memory_copy", code9, sizeof code9},
    {"bench/multiply_add", code10, sizeof code10},
    {"elementwise/combine", code11, sizeof code11},
    {"elementwise/convert_f32_f32", code12, sizeof code12},
    {"elementwise/convert_f32_f16", code13, sizeof code13},
    {"elementwise/convert_f16_f32", code14, sizeof code14},
    {"elementwise/convert_bf16_f32", code15, sizeof code15},
    {"embed/embed_f32", code16, sizeof code16},
    {"embed/embed_f16", code17, sizeof code17},
    {"embed/embed_bf16", code18, sizeof code18},
    {"linear/row_f32", code19, sizeof code19},
    {"linear/row_f16", code20, sizeof code20},
    {"linear/row_bf16", code21, sizeof code21},
    {"linear/shuffle_f32", code22, sizeof code22},
    {"linear/shuffle_f16", code23, sizeof code23},
    {"linear/shuffle_bf16", code24, sizeof code24},
    {"linear/tile_f32", code25, sizeof code25},
    {"linear/tile_f16", code26, sizeof code26},
    {"linear/tile_bf16", code27, sizeof code27},
    {"norm/norm_layer", code28, sizeof code28},
    {"norm/norm_rms", code29, sizeof code29},
    {"rotary/rotary", code30, sizeof code30},
    {"sample/top_k", code31, sizeof code31},
};

const size_t fovea_shader_count = sizeof shaders / sizeof shaders[0];
const fovea_shader *fovea_shader_at(size_t index) { return &shaders[index]; }
