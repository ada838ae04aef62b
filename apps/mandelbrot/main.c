/* SPDX-License-Identifier: ISC */
/*
 * The picture must be the same to the last bit wherever it is computed, so it needs only + - * / in
 * IEEE 754 double: no libm, and no multiplication and addition fused into one rounding.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif

enum {
    DEFAULT_WIDTH = 800,
    DEFAULT_HEIGHT = 600,
    DEFAULT_ITERATIONS = 500,
    GREATEST_SIDE = 32768,
    GREATEST_ITERATIONS = 1000000,
};

struct picture {
    unsigned width, height, iterations;
};

struct colour {
    uint8_t red, green, blue;
};

static const char usage[] =
    "usage: mandelbrot [--help] [WIDTH [HEIGHT [ITERATIONS]]]\n"
    "Writes a picture of the Mandelbrot set to standard output, as binary PPM (P6).\n"
    "WIDTH and HEIGHT are 1 to 32768 (default 800 600), ITERATIONS 1 to 1000000 (default 500).\n";

static bool parse_number(const char *text, unsigned greatest, unsigned *number)
{
    char *end;

    if (*text < '1' || *text > '9')
        return false;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    *number = (unsigned)value;
    return errno == 0 && *end == '\0' && value <= greatest;
}

static bool parse_arguments(int argc, char **argv, struct picture *picture)
{
    return argc <= 4 && (argc < 2 || parse_number(argv[1], GREATEST_SIDE, &picture->width)) &&
           (argc < 3 || parse_number(argv[2], GREATEST_SIDE, &picture->height)) &&
           (argc < 4 || parse_number(argv[3], GREATEST_ITERATIONS, &picture->iterations));
}

/* For x >= 1: ln x = 2 (s + s^3/3 + s^5/5 + ...), where s = (x - 1) / (x + 1) is at most 1/3. */
static double binary_logarithm(double x)
{
    const double two_over_ln2 = 2.8853900817779268;
    double exponent = 0;

    for (; x >= 2; x /= 2)
        exponent++;
    double s = (x - 1) / (x + 1);
    double t = s * s;
    double series = 1.0 + t * (1.0 / 3 + t * (1.0 / 5 + t * (1.0 / 7 + t * (1.0 / 9 + t / 11))));
    return exponent + two_over_ln2 * s * series;
}

/*
 * How many steps of z = z^2 + c it takes to escape, with a fraction that makes it continuous; -1 if
 * the point does not escape.
 */
static double escape_time(double c_real, double c_imaginary, unsigned iterations)
{
    const double radius_squared = 65536; /* far more than 4, for a smoother fraction */
    double real = 0, imaginary = 0, real_squared = 0, imaginary_squared = 0;

    for (unsigned i = 0; i < iterations; i++) {
        imaginary = 2 * real * imaginary + c_imaginary;
        real = real_squared - imaginary_squared + c_real;
        real_squared = real * real;
        imaginary_squared = imaginary * imaginary;
        double size_squared = real_squared + imaginary_squared;
        if (size_squared > radius_squared)
            return i + 5 - binary_logarithm(binary_logarithm(size_squared));
    }
    return -1;
}

static uint8_t mix(uint8_t from, uint8_t to, double share)
{
    return (uint8_t)(from + (to - from) * share + 0.5);
}

static struct colour colour_of(double time)
{
    static const struct colour palette[] = {
        {0, 7, 100}, {32, 107, 203}, {237, 255, 255}, {255, 170, 0}, {90, 20, 10},
    };
    const unsigned colours = sizeof palette / sizeof *palette;
    const double steps_per_colour = 8;

    if (time < 0)
        return (struct colour){0, 0, 0};
    double position = time / steps_per_colour;
    double share = position - (unsigned)position;
    struct colour from = palette[(unsigned)position % colours];
    struct colour to = palette[((unsigned)position + 1) % colours];
    return (struct colour){mix(from.red, to.red, share), mix(from.green, to.green, share),
                           mix(from.blue, to.blue, share)};
}

static bool write_picture(const struct picture *picture)
{
    static struct colour row[GREATEST_SIDE];
    const double centre_real = -0.75, centre_imaginary = 0, least_extent = 2.6;
    unsigned shorter = picture->width < picture->height ? picture->width : picture->height;
    double scale = least_extent / shorter;

    printf("P6\n%u %u\n255\n", picture->width, picture->height);
    for (unsigned y = 0; y < picture->height; y++) {
        double c_imaginary = centre_imaginary + (picture->height / 2.0 - 0.5 - y) * scale;
        for (unsigned x = 0; x < picture->width; x++) {
            double c_real = centre_real + (x + 0.5 - picture->width / 2.0) * scale;
            row[x] = colour_of(escape_time(c_real, c_imaginary, picture->iterations));
        }
        if (fwrite(row, sizeof *row, picture->width, stdout) != picture->width)
            return false;
    }
    return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    struct picture picture = {DEFAULT_WIDTH, DEFAULT_HEIGHT, DEFAULT_ITERATIONS};

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
    if (!parse_arguments(argc, argv, &picture)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!write_picture(&picture)) {
        fprintf(stderr, "mandelbrot: standard output: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
