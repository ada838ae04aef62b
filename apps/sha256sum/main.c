/* SPDX-License-Identifier: ISC */
#include "sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1024 * 1024, PAGE_BYTES = 4096 };

static const char usage[] =
    "usage: sha256sum [--help] [FILE...]\n"
    "Prints the SHA-256 hash of each FILE; no FILE, or -, is standard input.\n";

static bool hash_descriptor(int fd, uint8_t digest[SHA256_DIGEST_BYTES])
{
    static alignas(PAGE_BYTES) char buffer[BUFFER_BYTES];
    struct sha256 sha;

    sha256_start(&sha);
    for (;;) {
        ssize_t size = read(fd, buffer, sizeof buffer);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return false;
        if (size == 0)
            break;
        sha256_add(&sha, buffer, (size_t)size);
    }
    sha256_finish(&sha, digest);
    return true;
}

static bool hash_file(const char *name, uint8_t digest[SHA256_DIGEST_BYTES])
{
    if (strcmp(name, "-") == 0)
        return hash_descriptor(STDIN_FILENO, digest);

    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = hash_descriptor(fd, digest);
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

/* As coreutils does: a line whose name needed escaping starts with a backslash. */
static void print_line(const uint8_t digest[SHA256_DIGEST_BYTES], const char *name)
{
    if (name[strcspn(name, "\\\n\r")] != '\0')
        putchar('\\');
    for (int i = 0; i < SHA256_DIGEST_BYTES; i++)
        printf("%02x", digest[i]);
    fputs("  ", stdout);
    for (; *name != '\0'; name++) {
        switch (*name) {
        case '\\':
            fputs("\\\\", stdout);
            break;
        case '\n':
            fputs("\\n", stdout);
            break;
        case '\r':
            fputs("\\r", stdout);
            break;
        default:
            putchar(*name);
        }
    }
    putchar('\n');
}

static bool print_hash(const char *name)
{
    uint8_t digest[SHA256_DIGEST_BYTES];

    if (!hash_file(name, digest)) {
        fprintf(stderr, "sha256sum: %s: %s\n", name, strerror(errno));
        return false;
    }
    print_line(digest, name);
    return true;
}

static bool flush_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "sha256sum: standard output: %s\n", strerror(errno));
    return false;
}

int main(int argc, char **argv)
{
    bool ok = true;
    int first = 1;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return !flush_output();
    }
    if (argc > 1 && strcmp(argv[1], "--") == 0) {
        first = 2;
    } else if (argc > 1 && argv[1][0] == '-' && argv[1][1] != '\0') {
        fprintf(stderr, "sha256sum: no option %s\n%s", argv[1], usage);
        return 2;
    }

    if (first >= argc)
        ok = print_hash("-");
    for (int i = first; i < argc; i++)
        ok &= print_hash(argv[i]);
    return !(flush_output() && ok);
}
