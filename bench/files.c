/* SPDX-License-Identifier: ISC
 *
 *     files FILE
 *
 * Reads FILE (in the page cache, 1 GiB or at least 16 MiB) front to back in pieces of three sizes,
 * and does the small things that programs do with files.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure.h"

#define KIB 1024UL
#define MIB (1024 * KIB)

static const char *path;
static int file;
static unsigned long pages;
static char *buffer;

static void read_through(const char *name, size_t piece, size_t limit)
{
    size_t total = 0;
    double began;
    ssize_t got;

    if (lseek(file, 0, SEEK_SET) < 0)
        measure_fail("lseek");
    began = measure_now();
    while (total < limit && (got = read(file, buffer, piece)) > 0)
        total += (size_t)got;
    if (total != limit)
        measure_fail("read");
    printf("%s %.0f MiB/s\n", name, (double)total / MIB / (measure_now() - began));
}

static void open_and_close(unsigned long i)
{
    int fd = open(path, O_RDONLY);

    (void)i;
    if (fd < 0 || close(fd) < 0)
        measure_fail(path);
}

static void stat_path(unsigned long i)
{
    struct stat status;

    (void)i;
    if (stat(path, &status) < 0)
        measure_fail(path);
}

/* Offsets by the 64-bit finalizer of MurmurHash3: in no order, and the same in every run. */
static void read_anywhere(unsigned long i)
{
    uint64_t hash = i + 1;

    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
    hash ^= hash >> 33;
    if (pread(file, buffer, 4 * KIB, (off_t)(hash % pages * 4 * KIB)) != 4 * KIB)
        measure_fail("pread");
}

int main(int argc, char **argv)
{
    struct stat status;
    size_t size;

    if (argc != 2) {
        fputs("usage: files FILE\n", stderr);
        return 2;
    }
    path = argv[1];
    file = open(path, O_RDONLY);
    buffer = malloc(MIB);
    if (file < 0 || fstat(file, &status) < 0 || !buffer)
        measure_fail(path);
    size = (size_t)status.st_size / (16 * MIB) * (16 * MIB);
    pages = size / (4 * KIB);
    memset(buffer, 1, MIB);
    read_through("read 1 MiB", MIB, size);
    read_through("read 64 KiB", 64 * KIB, size / 2);
    read_through("read 4 KiB", 4 * KIB, size / 16);
    measure_step("open and close", open_and_close);
    measure_step("stat", stat_path);
    measure_step("pread 4 KiB anywhere", read_anywhere);
    return 0;
}
