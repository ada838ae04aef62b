/* SPDX-License-Identifier: ISC */
/* The printf and scanf families, and the kinds of stdio buffering. Only what ISO C and POSIX fix.
 */
#include "check.h"

#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

static void print_integers(void)
{
    printf("[%d] [%5d] [%-5d] [%05d] [%+d] [% d] [%.3d]\n", 42, 42, 42, 42, 42, 42, 42);
    printf("[%d] [%i] [%u] [%x] [%X] [%#x] [%o] [%#o]\n", INT_MIN, INT_MAX, UINT_MAX, 0xbeefu,
           0xbeefu, 0xbeefu, 0755u, 0755u);
    printf("[%hhd] [%hd] [%ld] [%lld] [%llu]\n", (signed char)-1, (short)-2, LONG_MIN, LLONG_MAX,
           ULLONG_MAX);
    printf("[%zu] [%zd] [%td] [%jd] [%ju]\n", SIZE_MAX, (ssize_t)-3, (ptrdiff_t)-4, INTMAX_MIN,
           UINTMAX_MAX);
    printf("[%" PRIx8 "] [%" PRId64 "] [%" PRIu32 "]\n", UINT8_MAX, INT64_MIN, UINT32_MAX);
    printf("[%*d] [%-*d] [%.*d] [%*.*d]\n", 6, 7, 6, 7, 4, 7, 6, 4, 7);
    printf("[%2$d] [%1$s]\n", "positions", 8);
}

static void print_strings(void)
{
    printf("[%s] [%10s] [%-10s] [%.3s] [%10.3s] [%c] [%3c] [%%]\n", "string", "string", "string",
           "string", "string", 'c', 'c');
    printf("[%.*s] [%ls] [%lc]\n", 2, "cut", L"wide", (wint_t)L'w');
    int so_far = 0;
    printf("four%n", &so_far);
    printf(" [%d]\n", so_far);
}

static void print_floats(void)
{
    static const double values[] = {0.0,     -0.0,    1.0,     0.1,      1.0 / 3, 2.5,
                                    1e10,    1e-5,    123456,  1234567,  1e100,   -1e-300,
                                    DBL_MAX, DBL_MIN, 0.99999, 999999.4, 0x1p-52, 6.02214076e23};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        double v = values[i];
        printf("[%f] [%e] [%g] [%.3f] [%.17g] [%a]\n", v, v, v, v, v, v);
        printf("[%+.1E] [%#g] [%020.5f] [%-14.2e] [% G]\n", v, v, v, v, v);
    }
    volatile double zero = 0;
    printf("[%f] [%F] [%e] [%8.1f]\n", 1 / zero, 1 / zero, -1 / zero, 1 / zero);
    printf("[%.0f] [%.0f] [%.0f] [%.0f]\n", 0.5, 1.5, 2.5, 3.5);
    printf("[%.60f]\n[%.40g]\n", 0.1, 1e-20);
    printf("[%Lf] [%Le] [%.21Lg]\n", 1.0L / 3, LDBL_MAX, 3.14159265358979323846L);
}

static void print_buffered(const char *how, int mode, size_t size)
{
    static char buffer[64];
    FILE *stream = fdopen(dup(STDOUT_FILENO), "w");

    fflush(stdout);
    setvbuf(stream, mode == _IONBF ? NULL : buffer, mode, size);
    fprintf(stream, "buffered %s: %d, ", how, mode == _IONBF);
    fputs("a string longer than the buffer, ", stream);
    putc('\n', stream);
    fclose(stream);
}

static int format_list(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

static void check_targets(void)
{
    char buffer[16];
    char *allocated = NULL;
    const char *long_format = "%s and more";

    check(format_list(buffer, sizeof buffer, long_format, "0123456789") == 19 &&
              strcmp(buffer, "0123456789 and ") == 0,
          "vsnprintf cuts and tells the full length");
    check(format_list(NULL, 0, "%d", 1000) == 4, "vsnprintf measures without a buffer");
    check(asprintf(&allocated, "%0300d", 7) == 300 && strlen(allocated) == 300,
          "asprintf allocates");
    free(allocated);

    fflush(stdout);
    dprintf(STDOUT_FILENO, "dprintf %d\n", 1);
    fprintf(stderr, "fprintf to standard error %d\n", 2);

    FILE *memory = open_memstream(&allocated, &(size_t){0});
    fprintf(memory, "%s %d", "memory", 3);
    fclose(memory);
    check(strcmp(allocated, "memory 3") == 0, "open_memstream collects");
    free(allocated);
}

static void check_scanning(void)
{
    int i = 0, count = 0;
    unsigned u = 0;
    long l = 0;
    double d = 0;
    char word[16] = "", set[16] = "";

    int fields = sscanf("-12 0xff 077 2.5e3 word abc]def", "%d %x %li %lf %15s %15[a-c]%n", &i, &u,
                        &l, &d, word, set, &count);
    printf("%d fields: %d %u %ld %g %s %s, %d bytes\n", fields, i, u, l, d, word, set, count);
    check(sscanf("x", "%d", &i) == 0, "sscanf of no number finds none");
    check(sscanf("", "%d", &i) == EOF, "sscanf of nothing is at the end");
    printf("%g %g %g %g\n", strtod("0x1.8p1", NULL), strtod("1e-310", NULL) * 1e300,
           strtod("inf", NULL), strtod("123.456abc", NULL));
    errno = 0;
    check(strtol("99999999999999999999", NULL, 10) == LONG_MAX && errno == ERANGE,
          "strtol tells an overflow");
}

int main(void)
{
    print_integers();
    print_strings();
    print_floats();
    print_buffered("not", _IONBF, 0);
    print_buffered("by line", _IOLBF, 32);
    print_buffered("fully", _IOFBF, 16);
    check_targets();
    check_scanning();
    return exit_status();
}
