// Written by Sources/Compute/Shaders/regenerate.sh: do not edit.
#include "CShaders.h"

static const _Alignas(4) unsigned char code0[] = {
#embed "../Compute/Shaders/attention/decode_f32_address.spv"
};
static const _Alignas(4) unsigned char code1[] = {
#embed "../Compute/Shaders/attention/decode_f32_texel.spv"
};
static const _Alignas(4) unsigned char code2[] = {
#embed "../Compute/Shaders/attention/decode_f16_address.spv"
};
static const _Alignas(4) unsigned char code3[] = {
#embed "../Compute/Shaders/attention/decode_f16_texel.spv"
};
static const _Alignas(4) unsigned char code4[] = {
#embed "../Compute/Shaders/attention/flash_f32_address.spv"
};
static const _Alignas(4) unsigned char code5[] = {
#embed "../Compute/Shaders/attention/flash_f32_texel.spv"
};
static const _Alignas(4) unsigned char code6[] = {
#embed "../Compute/Shaders/attention/flash_f16_address.spv"
};
static const _Alignas(4) unsigned char code7[] = {
#embed "../Compute/Shaders/attention/flash_f16_texel.spv"
};
static const _Alignas(4) unsigned char code8[] = {
#embed "../Compute/Shaders/attention/rows_f32.spv"
};
static const _Alignas(4) unsigned char code9[] = {
#embed "../Compute/Shaders/attention/rows_f16.spv"
};
static const _Alignas(4) unsigned char code10[] = {
#embed "../Compute/Shaders/attention/tile_f32.spv"
};
static const _Alignas(4) unsigned char code11[] = {
#embed "../Compute/Shaders/attention/tile_f16.spv"
};
static const _Alignas(4) unsigned char code12[] = {
#embed "../Compute/Shaders/bench/matrix.spv"
};
static const _Alignas(4) unsigned char code13[] = {
#embed "../Compute/Shaders/bench/memory_read.spv"
};
static const _Alignas(4) unsigned char code14[] = {
#embed "../Compute/Shaders/bench/memory_copy.spv"
};
static const _Alignas(4) unsigned char code15[] = {
#embed "../Compute/Shaders/bench/multiply_add.spv"
};
static const _Alignas(4) unsigned char code16[] = {
#embed "../Compute/Shaders/elementwise/combine.spv"
};
static const _Alignas(4) unsigned char code17[] = {
#embed "../Compute/Shaders/elementwise/convert_f32_f32.spv"
};
static const _Alignas(4) unsigned char code18[] = {
#embed "../Compute/Shaders/elementwise/convert_f32_f16.spv"
};
static const _Alignas(4) unsigned char code19[] = {
#embed "../Compute/Shaders/elementwise/convert_f16_f32.spv"
};
static const _Alignas(4) unsigned char code20[] = {
#embed "../Compute/Shaders/elementwise/convert_bf16_f32.spv"
};
static const _Alignas(4) unsigned char code21[] = {
#embed "../Compute/Shaders/embed/embed_f32.spv"
};
static const _Alignas(4) unsigned char code22[] = {
#embed "../Compute/Shaders/embed/embed_f16.spv"
};
static const _Alignas(4) unsigned char code23[] = {
#embed "../Compute/Shaders/embed/embed_bf16.spv"
};
static const _Alignas(4) unsigned char code24[] = {
#embed "../Compute/Shaders/embed/embed_q8_0.spv"
};
static const _Alignas(4) unsigned char code25[] = {
#embed "../Compute/Shaders/embed/embed_q4_0.spv"
};
static const _Alignas(4) unsigned char code26[] = {
#embed "../Compute/Shaders/embed/embed_q4_1.spv"
};
static const _Alignas(4) unsigned char code27[] = {
#embed "../Compute/Shaders/embed/embed_q5_0.spv"
};
static const _Alignas(4) unsigned char code28[] = {
#embed "../Compute/Shaders/embed/embed_q5_1.spv"
};
static const _Alignas(4) unsigned char code29[] = {
#embed "../Compute/Shaders/embed/embed_q2_k.spv"
};
static const _Alignas(4) unsigned char code30[] = {
#embed "../Compute/Shaders/embed/embed_q3_k.spv"
};
static const _Alignas(4) unsigned char code31[] = {
#embed "../Compute/Shaders/embed/embed_q4_k.spv"
};
static const _Alignas(4) unsigned char code32[] = {
#embed "../Compute/Shaders/embed/embed_q5_k.spv"
};
static const _Alignas(4) unsigned char code33[] = {
#embed "../Compute/Shaders/embed/embed_q6_k.spv"
};
static const _Alignas(4) unsigned char code34[] = {
#embed "../Compute/Shaders/embed/embed_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code35[] = {
#embed "../Compute/Shaders/embed/embed_iq4_xs.spv"
};
static const _Alignas(4) unsigned char code36[] = {
#embed "../Compute/Shaders/embed/embed_mxfp4.spv"
};
static const _Alignas(4) unsigned char code37[] = {
#embed "../Compute/Shaders/embed/embed_iq2_xxs.spv"
};
static const _Alignas(4) unsigned char code38[] = {
#embed "../Compute/Shaders/embed/embed_iq2_xs.spv"
};
static const _Alignas(4) unsigned char code39[] = {
#embed "../Compute/Shaders/embed/embed_iq2_s.spv"
};
static const _Alignas(4) unsigned char code40[] = {
#embed "../Compute/Shaders/embed/embed_iq3_xxs.spv"
};
static const _Alignas(4) unsigned char code41[] = {
#embed "../Compute/Shaders/embed/embed_iq3_s.spv"
};
static const _Alignas(4) unsigned char code42[] = {
#embed "../Compute/Shaders/embed/embed_tq2_0.spv"
};
static const _Alignas(4) unsigned char code43[] = {
#embed "../Compute/Shaders/grid/channels_weights.spv"
};
static const _Alignas(4) unsigned char code44[] = {
#embed "../Compute/Shaders/grid/channels_apply.spv"
};
static const _Alignas(4) unsigned char code45[] = {
#embed "../Compute/Shaders/grid/depthwise.spv"
};
static const _Alignas(4) unsigned char code46[] = {
#embed "../Compute/Shaders/grid/gather.spv"
};
static const _Alignas(4) unsigned char code47[] = {
#embed "../Compute/Shaders/linear/dot_q8_0.spv"
};
static const _Alignas(4) unsigned char code48[] = {
#embed "../Compute/Shaders/linear/dot_q4_0.spv"
};
static const _Alignas(4) unsigned char code49[] = {
#embed "../Compute/Shaders/linear/dot_q4_1.spv"
};
static const _Alignas(4) unsigned char code50[] = {
#embed "../Compute/Shaders/linear/dot_q5_0.spv"
};
static const _Alignas(4) unsigned char code51[] = {
#embed "../Compute/Shaders/linear/dot_q5_1.spv"
};
static const _Alignas(4) unsigned char code52[] = {
#embed "../Compute/Shaders/linear/dot_q2_k.spv"
};
static const _Alignas(4) unsigned char code53[] = {
#embed "../Compute/Shaders/linear/dot_q3_k.spv"
};
static const _Alignas(4) unsigned char code54[] = {
#embed "../Compute/Shaders/linear/dot_q4_k.spv"
};
static const _Alignas(4) unsigned char code55[] = {
#embed "../Compute/Shaders/linear/dot_q5_k.spv"
};
static const _Alignas(4) unsigned char code56[] = {
#embed "../Compute/Shaders/linear/dot_q6_k.spv"
};
static const _Alignas(4) unsigned char code57[] = {
#embed "../Compute/Shaders/linear/dot_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code58[] = {
#embed "../Compute/Shaders/linear/dot_iq4_xs.spv"
};
static const _Alignas(4) unsigned char code59[] = {
#embed "../Compute/Shaders/linear/dot_mxfp4.spv"
};
static const _Alignas(4) unsigned char code60[] = {
#embed "../Compute/Shaders/linear/dot_iq2_xxs.spv"
};
static const _Alignas(4) unsigned char code61[] = {
#embed "../Compute/Shaders/linear/dot_iq2_xs.spv"
};
static const _Alignas(4) unsigned char code62[] = {
#embed "../Compute/Shaders/linear/dot_iq2_s.spv"
};
static const _Alignas(4) unsigned char code63[] = {
#embed "../Compute/Shaders/linear/dot_iq3_xxs.spv"
};
static const _Alignas(4) unsigned char code64[] = {
#embed "../Compute/Shaders/linear/dot_iq3_s.spv"
};
static const _Alignas(4) unsigned char code65[] = {
#embed "../Compute/Shaders/linear/dot_tq2_0.spv"
};
static const _Alignas(4) unsigned char code66[] = {
#embed "../Compute/Shaders/linear/matrix_f32.spv"
};
static const _Alignas(4) unsigned char code67[] = {
#embed "../Compute/Shaders/linear/matrix_f16.spv"
};
static const _Alignas(4) unsigned char code68[] = {
#embed "../Compute/Shaders/linear/matrix_bf16.spv"
};
static const _Alignas(4) unsigned char code69[] = {
#embed "../Compute/Shaders/linear/matrix_q8_0.spv"
};
static const _Alignas(4) unsigned char code70[] = {
#embed "../Compute/Shaders/linear/matrix_q4_0.spv"
};
static const _Alignas(4) unsigned char code71[] = {
#embed "../Compute/Shaders/linear/matrix_q4_1.spv"
};
static const _Alignas(4) unsigned char code72[] = {
#embed "../Compute/Shaders/linear/matrix_q5_0.spv"
};
static const _Alignas(4) unsigned char code73[] = {
#embed "../Compute/Shaders/linear/matrix_q5_1.spv"
};
static const _Alignas(4) unsigned char code74[] = {
#embed "../Compute/Shaders/linear/matrix_q2_k.spv"
};
static const _Alignas(4) unsigned char code75[] = {
#embed "../Compute/Shaders/linear/matrix_q3_k.spv"
};
static const _Alignas(4) unsigned char code76[] = {
#embed "../Compute/Shaders/linear/matrix_q4_k.spv"
};
static const _Alignas(4) unsigned char code77[] = {
#embed "../Compute/Shaders/linear/matrix_q5_k.spv"
};
static const _Alignas(4) unsigned char code78[] = {
#embed "../Compute/Shaders/linear/matrix_q6_k.spv"
};
static const _Alignas(4) unsigned char code79[] = {
#embed "../Compute/Shaders/linear/matrix_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code80[] = {
#embed "../Compute/Shaders/linear/matrix_iq4_xs.spv"
};
static const _Alignas(4) unsigned char code81[] = {
#embed "../Compute/Shaders/linear/matrix_mxfp4.spv"
};
static const _Alignas(4) unsigned char code82[] = {
#embed "../Compute/Shaders/linear/matrix_iq2_xxs.spv"
};
static const _Alignas(4) unsigned char code83[] = {
#embed "../Compute/Shaders/linear/matrix_iq2_xs.spv"
};
static const _Alignas(4) unsigned char code84[] = {
#embed "../Compute/Shaders/linear/matrix_iq2_s.spv"
};
static const _Alignas(4) unsigned char code85[] = {
#embed "../Compute/Shaders/linear/matrix_iq3_xxs.spv"
};
static const _Alignas(4) unsigned char code86[] = {
#embed "../Compute/Shaders/linear/matrix_iq3_s.spv"
};
static const _Alignas(4) unsigned char code87[] = {
#embed "../Compute/Shaders/linear/matrix_tq2_0.spv"
};
static const _Alignas(4) unsigned char code88[] = {
#embed "../Compute/Shaders/linear/row_f32.spv"
};
static const _Alignas(4) unsigned char code89[] = {
#embed "../Compute/Shaders/linear/row_f16.spv"
};
static const _Alignas(4) unsigned char code90[] = {
#embed "../Compute/Shaders/linear/row_bf16.spv"
};
static const _Alignas(4) unsigned char code91[] = {
#embed "../Compute/Shaders/linear/row_q8_0.spv"
};
static const _Alignas(4) unsigned char code92[] = {
#embed "../Compute/Shaders/linear/row_q4_0.spv"
};
static const _Alignas(4) unsigned char code93[] = {
#embed "../Compute/Shaders/linear/row_q4_1.spv"
};
static const _Alignas(4) unsigned char code94[] = {
#embed "../Compute/Shaders/linear/row_q5_0.spv"
};
static const _Alignas(4) unsigned char code95[] = {
#embed "../Compute/Shaders/linear/row_q5_1.spv"
};
static const _Alignas(4) unsigned char code96[] = {
#embed "../Compute/Shaders/linear/row_q2_k.spv"
};
static const _Alignas(4) unsigned char code97[] = {
#embed "../Compute/Shaders/linear/row_q3_k.spv"
};
static const _Alignas(4) unsigned char code98[] = {
#embed "../Compute/Shaders/linear/row_q4_k.spv"
};
static const _Alignas(4) unsigned char code99[] = {
#embed "../Compute/Shaders/linear/row_q5_k.spv"
};
static const _Alignas(4) unsigned char code100[] = {
#embed "../Compute/Shaders/linear/row_q6_k.spv"
};
static const _Alignas(4) unsigned char code101[] = {
#embed "../Compute/Shaders/linear/row_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code102[] = {
#embed "../Compute/Shaders/linear/row_iq4_xs.spv"
};
static const _Alignas(4) unsigned char code103[] = {
#embed "../Compute/Shaders/linear/row_mxfp4.spv"
};
static const _Alignas(4) unsigned char code104[] = {
#embed "../Compute/Shaders/linear/row_iq2_xxs.spv"
};
static const _Alignas(4) unsigned char code105[] = {
#embed "../Compute/Shaders/linear/row_iq2_xs.spv"
};
static const _Alignas(4) unsigned char code106[] = {
#embed "../Compute/Shaders/linear/row_iq2_s.spv"
};
static const _Alignas(4) unsigned char code107[] = {
#embed "../Compute/Shaders/linear/row_iq3_xxs.spv"
};
static const _Alignas(4) unsigned char code108[] = {
#embed "../Compute/Shaders/linear/row_iq3_s.spv"
};
static const _Alignas(4) unsigned char code109[] = {
#embed "../Compute/Shaders/linear/row_tq2_0.spv"
};
static const _Alignas(4) unsigned char code110[] = {
#embed "../Compute/Shaders/linear/shuffle_f32_address.spv"
};
static const _Alignas(4) unsigned char code111[] = {
#embed "../Compute/Shaders/linear/shuffle_f32_texel.spv"
};
static const _Alignas(4) unsigned char code112[] = {
#embed "../Compute/Shaders/linear/shuffle_f16_address.spv"
};
static const _Alignas(4) unsigned char code113[] = {
#embed "../Compute/Shaders/linear/shuffle_f16_texel.spv"
};
static const _Alignas(4) unsigned char code114[] = {
#embed "../Compute/Shaders/linear/shuffle_bf16_address.spv"
};
static const _Alignas(4) unsigned char code115[] = {
#embed "../Compute/Shaders/linear/shuffle_bf16_texel.spv"
};
static const _Alignas(4) unsigned char code116[] = {
#embed "../Compute/Shaders/linear/shuffle_q8_0_address.spv"
};
static const _Alignas(4) unsigned char code117[] = {
#embed "../Compute/Shaders/linear/shuffle_q8_0_texel.spv"
};
static const _Alignas(4) unsigned char code118[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_0_address.spv"
};
static const _Alignas(4) unsigned char code119[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_0_texel.spv"
};
static const _Alignas(4) unsigned char code120[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_1_address.spv"
};
static const _Alignas(4) unsigned char code121[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_1_texel.spv"
};
static const _Alignas(4) unsigned char code122[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_0_address.spv"
};
static const _Alignas(4) unsigned char code123[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_0_texel.spv"
};
static const _Alignas(4) unsigned char code124[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_1_address.spv"
};
static const _Alignas(4) unsigned char code125[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_1_texel.spv"
};
static const _Alignas(4) unsigned char code126[] = {
#embed "../Compute/Shaders/linear/shuffle_q2_k_address.spv"
};
static const _Alignas(4) unsigned char code127[] = {
#embed "../Compute/Shaders/linear/shuffle_q2_k_texel.spv"
};
static const _Alignas(4) unsigned char code128[] = {
#embed "../Compute/Shaders/linear/shuffle_q3_k_address.spv"
};
static const _Alignas(4) unsigned char code129[] = {
#embed "../Compute/Shaders/linear/shuffle_q3_k_texel.spv"
};
static const _Alignas(4) unsigned char code130[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_k_address.spv"
};
static const _Alignas(4) unsigned char code131[] = {
#embed "../Compute/Shaders/linear/shuffle_q4_k_texel.spv"
};
static const _Alignas(4) unsigned char code132[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_k_address.spv"
};
static const _Alignas(4) unsigned char code133[] = {
#embed "../Compute/Shaders/linear/shuffle_q5_k_texel.spv"
};
static const _Alignas(4) unsigned char code134[] = {
#embed "../Compute/Shaders/linear/shuffle_q6_k_address.spv"
};
static const _Alignas(4) unsigned char code135[] = {
#embed "../Compute/Shaders/linear/shuffle_q6_k_texel.spv"
};
static const _Alignas(4) unsigned char code136[] = {
#embed "../Compute/Shaders/linear/shuffle_iq4_nl_address.spv"
};
static const _Alignas(4) unsigned char code137[] = {
#embed "../Compute/Shaders/linear/shuffle_iq4_nl_texel.spv"
};
static const _Alignas(4) unsigned char code138[] = {
#embed "../Compute/Shaders/linear/shuffle_iq4_xs_address.spv"
};
static const _Alignas(4) unsigned char code139[] = {
#embed "../Compute/Shaders/linear/shuffle_iq4_xs_texel.spv"
};
static const _Alignas(4) unsigned char code140[] = {
#embed "../Compute/Shaders/linear/shuffle_mxfp4_address.spv"
};
static const _Alignas(4) unsigned char code141[] = {
#embed "../Compute/Shaders/linear/shuffle_mxfp4_texel.spv"
};
static const _Alignas(4) unsigned char code142[] = {
#embed "../Compute/Shaders/linear/shuffle_iq2_xxs_address.spv"
};
static const _Alignas(4) unsigned char code143[] = {
#embed "../Compute/Shaders/linear/shuffle_iq2_xxs_texel.spv"
};
static const _Alignas(4) unsigned char code144[] = {
#embed "../Compute/Shaders/linear/shuffle_iq2_xs_address.spv"
};
static const _Alignas(4) unsigned char code145[] = {
#embed "../Compute/Shaders/linear/shuffle_iq2_xs_texel.spv"
};
static const _Alignas(4) unsigned char code146[] = {
#embed "../Compute/Shaders/linear/shuffle_iq2_s_address.spv"
};
static const _Alignas(4) unsigned char code147[] = {
#embed "../Compute/Shaders/linear/shuffle_iq2_s_texel.spv"
};
static const _Alignas(4) unsigned char code148[] = {
#embed "../Compute/Shaders/linear/shuffle_iq3_xxs_address.spv"
};
static const _Alignas(4) unsigned char code149[] = {
#embed "../Compute/Shaders/linear/shuffle_iq3_xxs_texel.spv"
};
static const _Alignas(4) unsigned char code150[] = {
#embed "../Compute/Shaders/linear/shuffle_iq3_s_address.spv"
};
static const _Alignas(4) unsigned char code151[] = {
#embed "../Compute/Shaders/linear/shuffle_iq3_s_texel.spv"
};
static const _Alignas(4) unsigned char code152[] = {
#embed "../Compute/Shaders/linear/shuffle_tq2_0_address.spv"
};
static const _Alignas(4) unsigned char code153[] = {
#embed "../Compute/Shaders/linear/shuffle_tq2_0_texel.spv"
};
static const _Alignas(4) unsigned char code154[] = {
#embed "../Compute/Shaders/linear/step_f32_address.spv"
};
static const _Alignas(4) unsigned char code155[] = {
#embed "../Compute/Shaders/linear/step_f32_texel.spv"
};
static const _Alignas(4) unsigned char code156[] = {
#embed "../Compute/Shaders/linear/step_f16_address.spv"
};
static const _Alignas(4) unsigned char code157[] = {
#embed "../Compute/Shaders/linear/step_f16_texel.spv"
};
static const _Alignas(4) unsigned char code158[] = {
#embed "../Compute/Shaders/linear/step_bf16_address.spv"
};
static const _Alignas(4) unsigned char code159[] = {
#embed "../Compute/Shaders/linear/step_bf16_texel.spv"
};
static const _Alignas(4) unsigned char code160[] = {
#embed "../Compute/Shaders/linear/step_q8_0_address.spv"
};
static const _Alignas(4) unsigned char code161[] = {
#embed "../Compute/Shaders/linear/step_q8_0_texel.spv"
};
static const _Alignas(4) unsigned char code162[] = {
#embed "../Compute/Shaders/linear/step_q4_0_address.spv"
};
static const _Alignas(4) unsigned char code163[] = {
#embed "../Compute/Shaders/linear/step_q4_0_texel.spv"
};
static const _Alignas(4) unsigned char code164[] = {
#embed "../Compute/Shaders/linear/step_q4_1_address.spv"
};
static const _Alignas(4) unsigned char code165[] = {
#embed "../Compute/Shaders/linear/step_q4_1_texel.spv"
};
static const _Alignas(4) unsigned char code166[] = {
#embed "../Compute/Shaders/linear/step_q5_0_address.spv"
};
static const _Alignas(4) unsigned char code167[] = {
#embed "../Compute/Shaders/linear/step_q5_0_texel.spv"
};
static const _Alignas(4) unsigned char code168[] = {
#embed "../Compute/Shaders/linear/step_q5_1_address.spv"
};
static const _Alignas(4) unsigned char code169[] = {
#embed "../Compute/Shaders/linear/step_q5_1_texel.spv"
};
static const _Alignas(4) unsigned char code170[] = {
#embed "../Compute/Shaders/linear/step_q2_k_address.spv"
};
static const _Alignas(4) unsigned char code171[] = {
#embed "../Compute/Shaders/linear/step_q2_k_texel.spv"
};
static const _Alignas(4) unsigned char code172[] = {
#embed "../Compute/Shaders/linear/step_q3_k_address.spv"
};
static const _Alignas(4) unsigned char code173[] = {
#embed "../Compute/Shaders/linear/step_q3_k_texel.spv"
};
static const _Alignas(4) unsigned char code174[] = {
#embed "../Compute/Shaders/linear/step_q4_k_address.spv"
};
static const _Alignas(4) unsigned char code175[] = {
#embed "../Compute/Shaders/linear/step_q4_k_texel.spv"
};
static const _Alignas(4) unsigned char code176[] = {
#embed "../Compute/Shaders/linear/step_q5_k_address.spv"
};
static const _Alignas(4) unsigned char code177[] = {
#embed "../Compute/Shaders/linear/step_q5_k_texel.spv"
};
static const _Alignas(4) unsigned char code178[] = {
#embed "../Compute/Shaders/linear/step_q6_k_address.spv"
};
static const _Alignas(4) unsigned char code179[] = {
#embed "../Compute/Shaders/linear/step_q6_k_texel.spv"
};
static const _Alignas(4) unsigned char code180[] = {
#embed "../Compute/Shaders/linear/step_iq4_nl_address.spv"
};
static const _Alignas(4) unsigned char code181[] = {
#embed "../Compute/Shaders/linear/step_iq4_nl_texel.spv"
};
static const _Alignas(4) unsigned char code182[] = {
#embed "../Compute/Shaders/linear/step_iq4_xs_address.spv"
};
static const _Alignas(4) unsigned char code183[] = {
#embed "../Compute/Shaders/linear/step_iq4_xs_texel.spv"
};
static const _Alignas(4) unsigned char code184[] = {
#embed "../Compute/Shaders/linear/step_mxfp4_address.spv"
};
static const _Alignas(4) unsigned char code185[] = {
#embed "../Compute/Shaders/linear/step_mxfp4_texel.spv"
};
static const _Alignas(4) unsigned char code186[] = {
#embed "../Compute/Shaders/linear/step_iq2_xxs_address.spv"
};
static const _Alignas(4) unsigned char code187[] = {
#embed "../Compute/Shaders/linear/step_iq2_xxs_texel.spv"
};
static const _Alignas(4) unsigned char code188[] = {
#embed "../Compute/Shaders/linear/step_iq2_xs_address.spv"
};
static const _Alignas(4) unsigned char code189[] = {
#embed "../Compute/Shaders/linear/step_iq2_xs_texel.spv"
};
static const _Alignas(4) unsigned char code190[] = {
#embed "../Compute/Shaders/linear/step_iq2_s_address.spv"
};
static const _Alignas(4) unsigned char code191[] = {
#embed "../Compute/Shaders/linear/step_iq2_s_texel.spv"
};
static const _Alignas(4) unsigned char code192[] = {
#embed "../Compute/Shaders/linear/step_iq3_xxs_address.spv"
};
static const _Alignas(4) unsigned char code193[] = {
#embed "../Compute/Shaders/linear/step_iq3_xxs_texel.spv"
};
static const _Alignas(4) unsigned char code194[] = {
#embed "../Compute/Shaders/linear/step_iq3_s_address.spv"
};
static const _Alignas(4) unsigned char code195[] = {
#embed "../Compute/Shaders/linear/step_iq3_s_texel.spv"
};
static const _Alignas(4) unsigned char code196[] = {
#embed "../Compute/Shaders/linear/step_tq2_0_address.spv"
};
static const _Alignas(4) unsigned char code197[] = {
#embed "../Compute/Shaders/linear/step_tq2_0_texel.spv"
};
static const _Alignas(4) unsigned char code198[] = {
#embed "../Compute/Shaders/linear/tile_f32.spv"
};
static const _Alignas(4) unsigned char code199[] = {
#embed "../Compute/Shaders/linear/tile_f16.spv"
};
static const _Alignas(4) unsigned char code200[] = {
#embed "../Compute/Shaders/linear/tile_bf16.spv"
};
static const _Alignas(4) unsigned char code201[] = {
#embed "../Compute/Shaders/linear/tile_q8_0.spv"
};
static const _Alignas(4) unsigned char code202[] = {
#embed "../Compute/Shaders/linear/tile_q4_0.spv"
};
static const _Alignas(4) unsigned char code203[] = {
#embed "../Compute/Shaders/linear/tile_q4_1.spv"
};
static const _Alignas(4) unsigned char code204[] = {
#embed "../Compute/Shaders/linear/tile_q5_0.spv"
};
static const _Alignas(4) unsigned char code205[] = {
#embed "../Compute/Shaders/linear/tile_q5_1.spv"
};
static const _Alignas(4) unsigned char code206[] = {
#embed "../Compute/Shaders/linear/tile_q2_k.spv"
};
static const _Alignas(4) unsigned char code207[] = {
#embed "../Compute/Shaders/linear/tile_q3_k.spv"
};
static const _Alignas(4) unsigned char code208[] = {
#embed "../Compute/Shaders/linear/tile_q4_k.spv"
};
static const _Alignas(4) unsigned char code209[] = {
#embed "../Compute/Shaders/linear/tile_q5_k.spv"
};
static const _Alignas(4) unsigned char code210[] = {
#embed "../Compute/Shaders/linear/tile_q6_k.spv"
};
static const _Alignas(4) unsigned char code211[] = {
#embed "../Compute/Shaders/linear/tile_iq4_nl.spv"
};
static const _Alignas(4) unsigned char code212[] = {
#embed "../Compute/Shaders/linear/tile_iq4_xs.spv"
};
static const _Alignas(4) unsigned char code213[] = {
#embed "../Compute/Shaders/linear/tile_mxfp4.spv"
};
static const _Alignas(4) unsigned char code214[] = {
#embed "../Compute/Shaders/linear/tile_iq2_xxs.spv"
};
static const _Alignas(4) unsigned char code215[] = {
#embed "../Compute/Shaders/linear/tile_iq2_xs.spv"
};
static const _Alignas(4) unsigned char code216[] = {
#embed "../Compute/Shaders/linear/tile_iq2_s.spv"
};
static const _Alignas(4) unsigned char code217[] = {
#embed "../Compute/Shaders/linear/tile_iq3_xxs.spv"
};
static const _Alignas(4) unsigned char code218[] = {
#embed "../Compute/Shaders/linear/tile_iq3_s.spv"
};
static const _Alignas(4) unsigned char code219[] = {
#embed "../Compute/Shaders/linear/tile_tq2_0.spv"
};
static const _Alignas(4) unsigned char code220[] = {
#embed "../Compute/Shaders/norm/norm_layer.spv"
};
static const _Alignas(4) unsigned char code221[] = {
#embed "../Compute/Shaders/norm/norm_rms.spv"
};
static const _Alignas(4) unsigned char code222[] = {
#embed "../Compute/Shaders/position/relative_bias.spv"
};
static const _Alignas(4) unsigned char code223[] = {
#embed "../Compute/Shaders/random/weights_f32.spv"
};
static const _Alignas(4) unsigned char code224[] = {
#embed "../Compute/Shaders/random/weights_f16.spv"
};
static const _Alignas(4) unsigned char code225[] = {
#embed "../Compute/Shaders/random/weights_bf16.spv"
};
static const _Alignas(4) unsigned char code226[] = {
#embed "../Compute/Shaders/random/weights_blocks.spv"
};
static const _Alignas(4) unsigned char code227[] = {
#embed "../Compute/Shaders/rotary/rotary.spv"
};
static const _Alignas(4) unsigned char code228[] = {
#embed "../Compute/Shaders/sample/candidates.spv"
};
static const _Alignas(4) unsigned char code229[] = {
#embed "../Compute/Shaders/sample/merge.spv"
};

static const fovea_shader shaders[] = {
    {"attention/decode_f32_address", code0, sizeof code0},
    {"attention/decode_f32_texel", code1, sizeof code1},
    {"attention/decode_f16_address", code2, sizeof code2},
    {"attention/decode_f16_texel", code3, sizeof code3},
    {"attention/flash_f32_address", code4, sizeof code4},
    {"attention/flash_f32_texel", code5, sizeof code5},
    {"attention/flash_f16_address", code6, sizeof code6},
    {"attention/flash_f16_texel", code7, sizeof code7},
    {"attention/rows_f32", code8, sizeof code8},
    {"attention/rows_f16", code9, sizeof code9},
    {"attention/tile_f32", code10, sizeof code10},
    {"attention/tile_f16", code11, sizeof code11},
    {"bench/matrix", code12, sizeof code12},
    {"bench/memory_read", code13, sizeof code13},
    {"bench/memory_copy", code14, sizeof code14},
    {"bench/multiply_add", code15, sizeof code15},
    {"elementwise/combine", code16, sizeof code16},
    {"elementwise/convert_f32_f32", code17, sizeof code17},
    {"elementwise/convert_f32_f16", code18, sizeof code18},
    {"elementwise/convert_f16_f32", code19, sizeof code19},
    {"elementwise/convert_bf16_f32", code20, sizeof code20},
    {"embed/embed_f32", code21, sizeof code21},
    {"embed/embed_f16", code22, sizeof code22},
    {"embed/embed_bf16", code23, sizeof code23},
    {"embed/embed_q8_0", code24, sizeof code24},
    {"embed/embed_q4_0", code25, sizeof code25},
    {"embed/embed_q4_1", code26, sizeof code26},
    {"embed/embed_q5_0", code27, sizeof code27},
    {"embed/embed_q5_1", code28, sizeof code28},
    {"embed/embed_q2_k", code29, sizeof code29},
    {"embed/embed_q3_k", code30, sizeof code30},
    {"embed/embed_q4_k", code31, sizeof code31},
    {"embed/embed_q5_k", code32, sizeof code32},
    {"embed/embed_q6_k", code33, sizeof code33},
    {"embed/embed_iq4_nl", code34, sizeof code34},
    {"embed/embed_iq4_xs", code35, sizeof code35},
    {"embed/embed_mxfp4", code36, sizeof code36},
    {"embed/embed_iq2_xxs", code37, sizeof code37},
    {"embed/embed_iq2_xs", code38, sizeof code38},
    {"embed/embed_iq2_s", code39, sizeof code39},
    {"embed/embed_iq3_xxs", code40, sizeof code40},
    {"embed/embed_iq3_s", code41, sizeof code41},
    {"embed/embed_tq2_0", code42, sizeof code42},
    {"grid/channels_weights", code43, sizeof code43},
    {"grid/channels_apply", code44, sizeof code44},
    {"grid/depthwise", code45, sizeof code45},
    {"grid/gather", code46, sizeof code46},
    {"linear/dot_q8_0", code47, sizeof code47},
    {"linear/dot_q4_0", code48, sizeof code48},
    {"linear/dot_q4_1", code49, sizeof code49},
    {"linear/dot_q5_0", code50, sizeof code50},
    {"linear/dot_q5_1", code51, sizeof code51},
    {"linear/dot_q2_k", code52, sizeof code52},
    {"linear/dot_q3_k", code53, sizeof code53},
    {"linear/dot_q4_k", code54, sizeof code54},
    {"linear/dot_q5_k", code55, sizeof code55},
    {"linear/dot_q6_k", code56, sizeof code56},
    {"linear/dot_iq4_nl", code57, sizeof code57},
    {"linear/dot_iq4_xs", code58, sizeof code58},
    {"linear/dot_mxfp4", code59, sizeof code59},
    {"linear/dot_iq2_xxs", code60, sizeof code60},
    {"linear/dot_iq2_xs", code61, sizeof code61},
    {"linear/dot_iq2_s", code62, sizeof code62},
    {"linear/dot_iq3_xxs", code63, sizeof code63},
    {"linear/dot_iq3_s", code64, sizeof code64},
    {"linear/dot_tq2_0", code65, sizeof code65},
    {"linear/matrix_f32", code66, sizeof code66},
    {"linear/matrix_f16", code67, sizeof code67},
    {"linear/matrix_bf16", code68, sizeof code68},
    {"linear/matrix_q8_0", code69, sizeof code69},
    {"linear/matrix_q4_0", code70, sizeof code70},
    {"linear/matrix_q4_1", code71, sizeof code71},
    {"linear/matrix_q5_0", code72, sizeof code72},
    {"linear/matrix_q5_1", code73, sizeof code73},
    {"linear/matrix_q2_k", code74, sizeof code74},
    {"linear/matrix_q3_k", code75, sizeof code75},
    {"linear/matrix_q4_k", code76, sizeof code76},
    {"linear/matrix_q5_k", code77, sizeof code77},
    {"linear/matrix_q6_k", code78, sizeof code78},
    {"linear/matrix_iq4_nl", code79, sizeof code79},
    {"linear/matrix_iq4_xs", code80, sizeof code80},
    {"linear/matrix_mxfp4", code81, sizeof code81},
    {"linear/matrix_iq2_xxs", code82, sizeof code82},
    {"linear/matrix_iq2_xs", code83, sizeof code83},
    {"linear/matrix_iq2_s", code84, sizeof code84},
    {"linear/matrix_iq3_xxs", code85, sizeof code85},
    {"linear/matrix_iq3_s", code86, sizeof code86},
    {"linear/matrix_tq2_0", code87, sizeof code87},
    {"linear/row_f32", code88, sizeof code88},
    {"linear/row_f16", code89, sizeof code89},
    {"linear/row_bf16", code90, sizeof code90},
    {"linear/row_q8_0", code91, sizeof code91},
    {"linear/row_q4_0", code92, sizeof code92},
    {"linear/row_q4_1", code93, sizeof code93},
    {"linear/row_q5_0", code94, sizeof code94},
    {"linear/row_q5_1", code95, sizeof code95},
    {"linear/row_q2_k", code96, sizeof code96},
    {"linear/row_q3_k", code97, sizeof code97},
    {"linear/row_q4_k", code98, sizeof code98},
    {"linear/row_q5_k", code99, sizeof code99},
    {"linear/row_q6_k", code100, sizeof code100},
    {"linear/row_iq4_nl", code101, sizeof code101},
    {"linear/row_iq4_xs", code102, sizeof code102},
    {"linear/row_mxfp4", code103, sizeof code103},
    {"linear/row_iq2_xxs", code104, sizeof code104},
    {"linear/row_iq2_xs", code105, sizeof code105},
    {"linear/row_iq2_s", code106, sizeof code106},
    {"linear/row_iq3_xxs", code107, sizeof code107},
    {"linear/row_iq3_s", code108, sizeof code108},
    {"linear/row_tq2_0", code109, sizeof code109},
    {"linear/shuffle_f32_address", code110, sizeof code110},
    {"linear/shuffle_f32_texel", code111, sizeof code111},
    {"linear/shuffle_f16_address", code112, sizeof code112},
    {"linear/shuffle_f16_texel", code113, sizeof code113},
    {"linear/shuffle_bf16_address", code114, sizeof code114},
    {"linear/shuffle_bf16_texel", code115, sizeof code115},
    {"linear/shuffle_q8_0_address", code116, sizeof code116},
    {"linear/shuffle_q8_0_texel", code117, sizeof code117},
    {"linear/shuffle_q4_0_address", code118, sizeof code118},
    {"linear/shuffle_q4_0_texel", code119, sizeof code119},
    {"linear/shuffle_q4_1_address", code120, sizeof code120},
    {"linear/shuffle_q4_1_texel", code121, sizeof code121},
    {"linear/shuffle_q5_0_address", code122, sizeof code122},
    {"linear/shuffle_q5_0_texel", code123, sizeof code123},
    {"linear/shuffle_q5_1_address", code124, sizeof code124},
    {"linear/shuffle_q5_1_texel", code125, sizeof code125},
    {"linear/shuffle_q2_k_address", code126, sizeof code126},
    {"linear/shuffle_q2_k_texel", code127, sizeof code127},
    {"linear/shuffle_q3_k_address", code128, sizeof code128},
    {"linear/shuffle_q3_k_texel", code129, sizeof code129},
    {"linear/shuffle_q4_k_address", code130, sizeof code130},
    {"linear/shuffle_q4_k_texel", code131, sizeof code131},
    {"linear/shuffle_q5_k_address", code132, sizeof code132},
    {"linear/shuffle_q5_k_texel", code133, sizeof code133},
    {"linear/shuffle_q6_k_address", code134, sizeof code134},
    {"linear/shuffle_q6_k_texel", code135, sizeof code135},
    {"linear/shuffle_iq4_nl_address", code136, sizeof code136},
    {"linear/shuffle_iq4_nl_texel", code137, sizeof code137},
    {"linear/shuffle_iq4_xs_address", code138, sizeof code138},
    {"linear/shuffle_iq4_xs_texel", code139, sizeof code139},
    {"linear/shuffle_mxfp4_address", code140, sizeof code140},
    {"linear/shuffle_mxfp4_texel", code141, sizeof code141},
    {"linear/shuffle_iq2_xxs_address", code142, sizeof code142},
    {"linear/shuffle_iq2_xxs_texel", code143, sizeof code143},
    {"linear/shuffle_iq2_xs_address", code144, sizeof code144},
    {"linear/shuffle_iq2_xs_texel", code145, sizeof code145},
    {"linear/shuffle_iq2_s_address", code146, sizeof code146},
    {"linear/shuffle_iq2_s_texel", code147, sizeof code147},
    {"linear/shuffle_iq3_xxs_address", code148, sizeof code148},
    {"linear/shuffle_iq3_xxs_texel", code149, sizeof code149},
    {"linear/shuffle_iq3_s_address", code150, sizeof code150},
    {"linear/shuffle_iq3_s_texel", code151, sizeof code151},
    {"linear/shuffle_tq2_0_address", code152, sizeof code152},
    {"linear/shuffle_tq2_0_texel", code153, sizeof code153},
    {"linear/step_f32_address", code154, sizeof code154},
    {"linear/step_f32_texel", code155, sizeof code155},
    {"linear/step_f16_address", code156, sizeof code156},
    {"linear/step_f16_texel", code157, sizeof code157},
    {"linear/step_bf16_address", code158, sizeof code158},
    {"linear/step_bf16_texel", code159, sizeof code159},
    {"linear/step_q8_0_address", code160, sizeof code160},
    {"linear/step_q8_0_texel", code161, sizeof code161},
    {"linear/step_q4_0_address", code162, sizeof code162},
    {"linear/step_q4_0_texel", code163, sizeof code163},
    {"linear/step_q4_1_address", code164, sizeof code164},
    {"linear/step_q4_1_texel", code165, sizeof code165},
    {"linear/step_q5_0_address", code166, sizeof code166},
    {"linear/step_q5_0_texel", code167, sizeof code167},
    {"linear/step_q5_1_address", code168, sizeof code168},
    {"linear/step_q5_1_texel", code169, sizeof code169},
    {"linear/step_q2_k_address", code170, sizeof code170},
    {"linear/step_q2_k_texel", code171, sizeof code171},
    {"linear/step_q3_k_address", code172, sizeof code172},
    {"linear/step_q3_k_texel", code173, sizeof code173},
    {"linear/step_q4_k_address", code174, sizeof code174},
    {"linear/step_q4_k_texel", code175, sizeof code175},
    {"linear/step_q5_k_address", code176, sizeof code176},
    {"linear/step_q5_k_texel", code177, sizeof code177},
    {"linear/step_q6_k_address", code178, sizeof code178},
    {"linear/step_q6_k_texel", code179, sizeof code179},
    {"linear/step_iq4_nl_address", code180, sizeof code180},
    {"linear/step_iq4_nl_texel", code181, sizeof code181},
    {"linear/step_iq4_xs_address", code182, sizeof code182},
    {"linear/step_iq4_xs_texel", code183, sizeof code183},
    {"linear/step_mxfp4_address", code184, sizeof code184},
    {"linear/step_mxfp4_texel", code185, sizeof code185},
    {"linear/step_iq2_xxs_address", code186, sizeof code186},
    {"linear/step_iq2_xxs_texel", code187, sizeof code187},
    {"linear/step_iq2_xs_address", code188, sizeof code188},
    {"linear/step_iq2_xs_texel", code189, sizeof code189},
    {"linear/step_iq2_s_address", code190, sizeof code190},
    {"linear/step_iq2_s_texel", code191, sizeof code191},
    {"linear/step_iq3_xxs_address", code192, sizeof code192},
    {"linear/step_iq3_xxs_texel", code193, sizeof code193},
    {"linear/step_iq3_s_address", code194, sizeof code194},
    {"linear/step_iq3_s_texel", code195, sizeof code195},
    {"linear/step_tq2_0_address", code196, sizeof code196},
    {"linear/step_tq2_0_texel", code197, sizeof code197},
    {"linear/tile_f32", code198, sizeof code198},
    {"linear/tile_f16", code199, sizeof code199},
    {"linear/tile_bf16", code200, sizeof code200},
    {"linear/tile_q8_0", code201, sizeof code201},
    {"linear/tile_q4_0", code202, sizeof code202},
    {"linear/tile_q4_1", code203, sizeof code203},
    {"linear/tile_q5_0", code204, sizeof code204},
    {"linear/tile_q5_1", code205, sizeof code205},
    {"linear/tile_q2_k", code206, sizeof code206},
    {"linear/tile_q3_k", code207, sizeof code207},
    {"linear/tile_q4_k", code208, sizeof code208},
    {"linear/tile_q5_k", code209, sizeof code209},
    {"linear/tile_q6_k", code210, sizeof code210},
    {"linear/tile_iq4_nl", code211, sizeof code211},
    {"linear/tile_iq4_xs", code212, sizeof code212},
    {"linear/tile_mxfp4", code213, sizeof code213},
    {"linear/tile_iq2_xxs", code214, sizeof code214},
    {"linear/tile_iq2_xs", code215, sizeof code215},
    {"linear/tile_iq2_s", code216, sizeof code216},
    {"linear/tile_iq3_xxs", code217, sizeof code217},
    {"linear/tile_iq3_s", code218, sizeof code218},
    {"linear/tile_tq2_0", code219, sizeof code219},
    {"norm/norm_layer", code220, sizeof code220},
    {"norm/norm_rms", code221, sizeof code221},
    {"position/relative_bias", code222, sizeof code222},
    {"random/weights_f32", code223, sizeof code223},
    {"random/weights_f16", code224, sizeof code224},
    {"random/weights_bf16", code225, sizeof code225},
    {"random/weights_blocks", code226, sizeof code226},
    {"rotary/rotary", code227, sizeof code227},
    {"sample/candidates", code228, sizeof code228},
    {"sample/merge", code229, sizeof code229},
};

const size_t fovea_shader_count = sizeof shaders / sizeof shaders[0];
const fovea_shader *fovea_shader_at(size_t index) { return &shaders[index]; }
