// What Swift cannot express of the media libraries: variadic callbacks (ALSA) and errors by longjmp (libpng).
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Keeps libasound from printing to standard error, where it would write over a terminal interface. Returns 0 on success.
int fovea_alsa_silence(void);

enum {
    FOVEA_PNG_OK = 0,
    FOVEA_PNG_DAMAGED = 1,
    FOVEA_PNG_TRUNCATED = 2,
    FOVEA_PNG_NO_MEMORY = 3,
};

typedef struct {
    uint32_t width;
    uint32_t height;
    char message[160];
} FoveaPNGInfo;

/// Reads the header of a PNG in memory. Returns FOVEA_PNG_OK or why not, with libpng's words in `info->message`.
int fovea_png_info(const uint8_t *data, size_t size, FoveaPNGInfo *info);

/// Decodes a PNG in memory to 8-bit RGBA rows into `pixels` (width * height * 4 bytes, as `fovea_png_info` said): palettes and
/// grey are expanded, of 16 bits the upper 8 are taken, a transparent color (tRNS) becomes alpha, colors are not managed.
int fovea_png_decode(const uint8_t *data, size_t size, uint8_t *pixels, size_t capacity, FoveaPNGInfo *info);
