/* SPDX-License-Identifier: ISC */
/* libpng and libjpeg: a picture is made, written, and read again. libpng leaves errors by longjmp.
 */
#include "vectors.h"

#include <jpeglib.h>
#include <png.h>

enum { WIDTH = 500, HEIGHT = 300 };

static unsigned char picture[HEIGHT][WIDTH][3], back[HEIGHT][WIDTH][3];
static int failures;

static void draw(void)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            picture[y][x][0] = (unsigned char)(x * y / 50);
            picture[y][x][1] = (unsigned char)(x ^ y);
            picture[y][x][2] = (unsigned char)(x + y);
        }
}

static void with_png(void)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = WIDTH, .height = HEIGHT, .format = PNG_FORMAT_RGB};
    png_image read = {.version = PNG_IMAGE_VERSION};
    png_alloc_size_t size = sizeof(picture) * 2;
    unsigned char *file = malloc(size);

    failures += check(png_image_write_to_memory(&image, file, &size, 0, picture, 0, NULL) != 0,
                      "libpng writes");
    show("png", file, size);
    png_image_begin_read_from_memory(&read, file, size);
    read.format = PNG_FORMAT_RGB;
    png_image_finish_read(&read, NULL, back, 0, NULL);
    failures += check(memcmp(picture, back, sizeof(picture)) == 0, "libpng reads the same");
    file[size / 2] ^= 1;
    read = (png_image){.version = PNG_IMAGE_VERSION};
    failures += check(
        png_image_begin_read_from_memory(&read, file, size) == 0 ||
            (read.format = PNG_FORMAT_RGB, png_image_finish_read(&read, NULL, back, 0, NULL) == 0),
        "damage is an error");
    printf("%s\n", read.message);
    png_image_free(&read);
    free(file);
}

static int largest_difference(void)
{
    const unsigned char *one = &picture[0][0][0], *other = &back[0][0][0];
    int most = 0;

    for (size_t i = 0; i < sizeof(picture); i++)
        if (abs(one[i] - other[i]) > most)
            most = abs(one[i] - other[i]);
    return most;
}

static void with_jpeg(int quality)
{
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct out = {.err = jpeg_std_error(&errors)};
    struct jpeg_decompress_struct in = {.err = &errors};
    unsigned char *file = NULL;
    unsigned long size = 0;

    jpeg_create_compress(&out);
    jpeg_mem_dest(&out, &file, &size);
    out.image_width = WIDTH;
    out.image_height = HEIGHT;
    out.input_components = 3;
    out.in_color_space = JCS_RGB;
    jpeg_set_defaults(&out);
    jpeg_set_quality(&out, quality, TRUE);
    jpeg_start_compress(&out, TRUE);
    for (int y = 0; y < HEIGHT; y++)
        jpeg_write_scanlines(&out, &(JSAMPROW){picture[y][0]}, 1);
    jpeg_finish_compress(&out);
    jpeg_destroy_compress(&out);
    show("jpeg", file, size);

    in.err = &errors;
    jpeg_create_decompress(&in);
    jpeg_mem_src(&in, file, size);
    jpeg_read_header(&in, TRUE);
    jpeg_start_decompress(&in);
    for (int y = 0; y < HEIGHT; y++)
        jpeg_read_scanlines(&in, &(JSAMPROW){back[y][0]}, 1);
    jpeg_finish_decompress(&in);
    jpeg_destroy_decompress(&in);
    show("pixels", back, sizeof(back));
    printf("difference at most %d\n", largest_difference());
    free(file);
}

int main(void)
{
    draw();
    with_png();
    with_jpeg(95);
    with_jpeg(20);
    return failures != 0;
}
