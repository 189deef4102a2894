// The SPIR-V modules built into the program.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name;
    const void *code;
    size_t byteCount;
} fovea_shader;

extern const size_t fovea_shader_count;

/// The shader at an index below `fovea_shader_count`.
const fovea_shader *fovea_shader_at(size_t index);
