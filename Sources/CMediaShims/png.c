#include "CMediaShims.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t offset;
    int status;
    FoveaPNGInfo *info;
} Reader;

static void fail(png_structp png, png_const_charp message) {
    Reader *reader = png_get_error_ptr(png);
    if (reader->status == FOVEA_PNG_OK) reader->status = FOVEA_PNG_DAMAGED;
    strncpy(reader->info->message, message ? message : "", sizeof reader->info->message - 1);
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png, (void)message;
}

static void supply(png_structp png, png_bytep target, size_t count) {
    Reader *reader = png_get_io_ptr(png);
    if (count > reader->size - reader->offset) {
        reader->status = FOVEA_PNG_TRUNCATED;
        png_error(png, "the file ends too early");
    }
    memcpy(target, reader->data + reader->offset, count);
    reader->offset += count;
}

static void decode(png_structp png, png_infop header, uint8_t *pixels, size_t capacity, FoveaPNGInfo *info) {
    png_read_info(png, header);
    info->width = png_get_image_width(png, header);
    info->height = png_get_image_height(png, header);
    if (!pixels) return;
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xFF, PNG_FILLER_AFTER);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, header);
    const size_t row = (size_t)info->width * 4;
    if (png_get_rowbytes(png, header) != row || capacity / row < info->height) png_error(png, "unexpected layout of pixels");
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < info->height; y++) png_read_row(png, pixels + y * row, NULL);
    }
}

// What changes after setjmp must not live in local variables of the function that calls it: `reader` is the caller's.
static int run(Reader *reader, uint8_t *pixels, size_t capacity) {
    memset(reader->info, 0, sizeof *reader->info);
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, fail, ignore);
    if (!png) return FOVEA_PNG_NO_MEMORY;
    png_infop header = png_create_info_struct(png);
    if (!header) {
        png_destroy_read_struct(&png, NULL, NULL);
        return FOVEA_PNG_NO_MEMORY;
    }
    if (setjmp(png_jmpbuf(png)) == 0) {
        png_set_read_fn(png, reader, supply);
        // Text and profiles are not looked at, so a hostile file cannot make them large.
        png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
        png_set_chunk_malloc_max(png, 8 * 1024 * 1024);
        png_set_chunk_cache_max(png, 64);
        decode(png, header, pixels, capacity, reader->info);
    } else if (reader->status == FOVEA_PNG_OK) {
        reader->status = FOVEA_PNG_DAMAGED;
    }
    png_destroy_read_struct(&png, &header, NULL);
    return reader->status;
}

int fovea_png_info(const uint8_t *data, size_t size, FoveaPNGInfo *info) {
    Reader reader = {data, size, 0, FOVEA_PNG_OK, info};
    return run(&reader, NULL, 0);
}

int fovea_png_decode(const uint8_t *data, size_t size, uint8_t *pixels, size_t capacity, FoveaPNGInfo *info) {
    Reader reader = {data, size, 0, FOVEA_PNG_OK, info};
    return run(&reader, pixels, capacity);
}
