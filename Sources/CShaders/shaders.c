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
#embed "../Compute/Shaders/embed/embed_q8_0.spv"
};
static const _Alignas(4) unsigned char code20[] = {
#embed "../Compute/Shaders/embed/embed_q4_0.spv"
};
static const _Alignas(4) unsigned char code21[] = {
#embed "../Compute/Shaders/embed/embed_q4_1.spv"
};
static const _Alignas(4) unsigned char code22[] = {
#embed "../Compute/Shaders/embed/embed_q5_0.spv"
};
static const _Alignas(4) unsigned char code23[] = {
#embed "../Compute/Shaders/embed/embed_q5_1.spv"
};
static const _Alignas(4) unsigned char code24[] = {
#embed "../Compute/Shaders/embed/embed_q2_k.spv"
};
static const _Alignas(4) unsigned char code25[] = {
#embed "../Compute/Shaders/embed/embed_q3_k.spv"
};
static const _Alignas(4) unsigned char code26[] = {
#embed "../Compute/Shaders/embed/embed_q4_k.spv"
};
static const _Alignas(4) unsigned char code27[] = {
#embed "../Compute/Shaders/embed/embed_q5_k.spv"
};
static const _Alignas(4) unsigned char code28[] = {
#embed "../Compute/Shaders/embed/embed_q6_k.spv"
};
static const _Alignas(4) unsigned char code29[] = {
#embed "../Compute/Shaders/embed/embed_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code30[] = {
#embed "../Compute/Shaders/linear/row_f32.spv"
};
static const _Alignas(4) unsigned char code31[] = {
#embed "../Compute/Shaders/linear/row_f16.spv"
};
static const _Alignas(4) unsigned char code32[] = {
#embed "../Compute/Shaders/linear/row_bf16.spv"
};
static const _Alignas(4) unsigned char code33[] = {
#embed "../Compute/Shaders/linear/row_q8_0.spv"
};
static const _Alignas(4) unsigned char code34[] = {
#embed "../Compute/Shaders/linear/row_q4_0.spv"
};
static const _Alignas(4) unsigned char code35[] = {
#embed "../Compute/Shaders/linear/row_q4_1.spv"
};
static const _Alignas(4) unsigned char code36[] = {
#embed "../Compute/Shaders/linear/row_q5_0.spv"
};
static const _Alignas(4) unsigned char code37[] = {
#embed "../Compute/Shaders/linear/row_q5_1.spv"
};
static const _Alignas(4) unsigned char code38[] = {
#embed "../Compute/Shaders/linear/row_q2_k.spv"
};
static const _Alignas(4) unsigned char code39[] = {
#embed "../Compute/Shaders/linear/row_q3_k.spv"
};
static const _Alignas(4) unsigned char code40[] = {
#embed "../Compute/Shaders/linear/row_q4_k.spv"
};
static const _Alignas(4) unsigned char code41[] = {
#embed "../Compute/Shaders/linear/row_q5_k.spv"
};
static const _Alignas(4) unsigned char code42[] = {
#embed "../Compute/Shaders/linear/row_q6_k.spv"
};
static const _Alignas(4) unsigned char code43[] = {
#embed "../Compute/Shaders/linear/row_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code44[] = {
#embed "../Compute/Shaders/linear/shuffle_f32.spv"
};
static const _Alignas(4) unsigned char code45[] = {
#embed "../Compute/Shaders/linear/shuffle_f16.spv"
};
static const _Alignas(4) unsigned char code46[] = {
#embed "../Compute/Shaders/linear/shuffle_bf16.spv"
};
static const _Alignas(4) unsigned char code47[] = {
#embed "../Compute/Shaders/linear/shuffle_q8_0.spv"
};
static const _Alignas(4) unsigned char code48[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_0.spv"
};
static const _Alignas(4) unsigned char code49[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_1.spv"
};
static const _Alignas(4) unsigned char code50[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_0.spv"
};
static const _Alignas(4) unsigned char code51[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_1.spv"
};
static const _Alignas(4) unsigned char code52[] = {
#embed "../Compute/Shaders/linear/shuffle_q2_k.spv"
};
static const _Alignas(4) unsigned char code53[] = {
#embed "../Compute/Shaders/linear/shuffle_q3_k.spv"
};
static const _Alignas(4) unsigned char code54[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_k.spv"
};
static const _Alignas(4) unsigned char code55[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_k.spv"
};
static const _Alignas(4) unsigned char code56[] = {
#embed "../Compute/Shaders/linear/shuffle_q6_k.spv"
};
static const _Alignas(4) unsigned char code57[] = {
#embed "../Compute/Shaders/linear/shuffle_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code58[] = {
#embed "../Compute/Shaders/linear/tile_f32.spv"
};
static const _Alignas(4) unsigned char code59[] = {
#embed "../Compute/Shaders/linear/tile_f16.spv"
};
static const _Alignas(4) unsigned char code60[] = {
#embed "../Compute/Shaders/linear/tile_bf16.spv"
};
static const _Alignas(4) unsigned char code61[] = {
#embed "../Compute/Shaders/linear/tile_q8_0.spv"
};
static const _Alignas(4) unsigned char code62[] = {
#embed "../Compute/Shaders/linear/tile_q4_0.spv"
};
static const _Alignas(4) unsigned char code63[] = {
#embed "../Compute/Shaders/linear/tile_q4_1.spv"
};
static const _Alignas(4) unsigned char code64[] = {
#embed "../Compute/Shaders/linear/tile_q5_0.spv"
};
static const _Alignas(4) unsigned char code65[] = {
#embed "../Compute/Shaders/linear/tile_q5_1.spv"
};
static const _Alignas(4) unsigned char code66[] = {
#embed "../Compute/Shaders/linear/tile_q2_k.spv"
};
static const _Alignas(4) unsigned char code67[] = {
#embed "../Compute/Shaders/linear/tile_q3_k.spv"
};
static const _Alignas(4) unsigned char code68[] = {
#embed "../Compute/Shaders/linear/tile_q4_k.spv"
};
static const _Alignas(4) unsigned char code69[] = {
#embed "../Compute/Shaders/linear/tile_q5_k.spv"
};
static const _Alignas(4) unsigned char code70[] = {
#embed "../Compute/Shaders/linear/tile_q6_k.spv"
};
static const _Alignas(4) unsigned char code71[] = {
#embed "../Compute/Shaders/linear/tile_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code72[] = {
#embed "../Compute/Shaders/norm/norm_layer.spv"
};
static const _Alignas(4) unsigned char code73[] = {
#embed "../Compute/Shaders/norm/norm_rms.spv"
};
static const _Alignas(4) unsigned char code74[] = {
#embed "../Compute/Shaders/position/relative_bias.spv"
};
static const _Alignas(4) unsigned char code75[] = {
#embed "../Compute/Shaders/random/weights_f32.spv"
};
static const _Alignas(4) unsigned char code76[] = {
#embed "../Compute/Shaders/random/weights_f16.spv"
};
static const _Alignas(4) unsigned char code77[] = {
#embed "../Compute/Shaders/random/weights_bf16.spv"
};
static const _Alignas(4) unsigned char code78[] = {
#embed "../Compute/Shaders/random/weights_blocks.spv"
};
static const _Alignas(4) unsigned char code79[] = {
#embed "../Compute/Shaders/rotary/rotary.spv"
};
static const _Alignas(4) unsigned char code80[] = {
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
    {"embed/embed_q8_0", code19, sizeof code19},
    {"embed/embed_q4_0", code20, sizeof code20},
    {"embed/embed_q4_1", code21, sizeof code21},
    {"embed/embed_q5_0", code22, sizeof code22},
    {"embed/embed_q5_1", code23, sizeof code23},
    {"embed/embed_q2_k", code24, sizeof code24},
    {"embed/embed_q3_k", code25, sizeof code25},
    {"embed/embed_q4_k", code26, sizeof code26},
    {"embed/embed_q5_k", code27, sizeof code27},
    {"embed/embed_q6_k", code28, sizeof code28},
    {"embed/embed_iq4_nl", code29, sizeof code29},
    {"linear/row_f32", code30, sizeof code30},
    {"linear/row_f16", code31, sizeof code31},
    {"linear/row_bf16", code32, sizeof code32},
    {"linear/row_q8_0", code33, sizeof code33},
    {"linear/row_q4_0", code34, sizeof code34},
    {"linear/row_q4_1", code35, sizeof code35},
    {"linear/row_q5_0", code36, sizeof code36},
    {"linear/row_q5_1", code37, sizeof code37},
    {"linear/row_q2_k", code38, sizeof code38},
    {"linear/row_q3_k", code39, sizeof code39},
    {"linear/row_q4_k", code40, sizeof code40},
    {"linear/row_q5_k", code41, sizeof code41},
    {"linear/row_q6_k", code42, sizeof code42},
    {"linear/row_iq4_nl", code43, sizeof code43},
    {"linear/shuffle_f32", code44, sizeof code44},
    {"linear/shuffle_f16", code45, sizeof code45},
    {"linear/shuffle_bf16", code46, sizeof code46},
    {"linear/shuffle_q8_0", code47, sizeof code47},
    {"linear/shuffle_q4_0", code48, sizeof code48},
    {"linear/shuffle_q4_1", code49, sizeof code49},
    {"linear/shuffle_q5_0", code50, sizeof code50},
    {"linear/shuffle_q5_1", code51, sizeof code51},
    {"linear/shuffle_q2_k", code52, sizeof code52},
    {"linear/shuffle_q3_k", code53, sizeof code53},
    {"linear/shuffle_q4_k", code54, sizeof code54},
    {"linear/shuffle_q5_k", code55, sizeof code55},
    {"linear/shuffle_q6_k", code56, sizeof code56},
    {"linear/shuffle_iq4_nl", code57, sizeof code57},
    {"linear/tile_f32", code58, sizeof code58},
    {"linear/tile_f16", code59, sizeof code59},
    {"linear/tile_bf16", code60, sizeof code60},
    {"linear/tile_q8_0", code61, sizeof code61},
    {"linear/tile_q4_0", code62, sizeof code62},
    {"linear/tile_q4_1", code63, sizeof code63},
    {"linear/tile_q5_0", code64, sizeof code64},
    {"linear/tile_q5_1", code65, sizeof code65},
    {"linear/tile_q2_k", code66, sizeof code66},
    {"linear/tile_q3_k", code67, sizeof code67},
    {"linear/tile_q4_k", code68, sizeof code68},
    {"linear/tile_q5_k", code69, sizeof code69},
    {"linear/tile_q6_k", code70, sizeof code70},
    {"linear/tile_iq4_nl", code71, sizeof code71},
    {"norm/norm_layer", code72, sizeof code72},
    {"norm/norm_rms", code73, sizeof code73},
    {"position/relative_bias", code74, sizeof code74},
    {"random/weights_f32", code75, sizeof code75},
    {"random/weights_f16", code76, sizeof code76},
    {"random/weights_bf16", code77, sizeof code77},
    {"random/weights_blocks", code78, sizeof code78},
    {"rotary/rotary", code79, sizeof code79},
    {"sample/top_k", code80, sizeof code80},
};

const size_t fovea_shader_count = sizeof shaders / sizeof shaders[0];
const fovea_shader *fovea_shader_at(size_t index) { return &shaders[index]; }
