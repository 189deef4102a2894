#include "CShaders.h"
static const fovea_shader shaders[] = {{0, 0, 0}};
const size_t fovea_shader_count = 0;
const fovea_shader *fovea_shader_at(size_t index) { return &shaders[index]; }
