/* SPDX-License-Identifier: ISC
 *
 *     changes DIR [commit]
 *
 * Writes files in DIR and does the small things that change it: what builds, mail stores, logs and
 * databases do. With "commit" only what databases do, for a DIR on a disk.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure.h"

#define KIB 1024UL
#define MIB (1024 * KIB)

enum { ENTRIES = 10000 };

static int file, journal, log_file;
static char *buffer;

static int must_open(const char *name, int flags)
{
    int fd = open(name, flags | O_CREAT, 0644);

    if (fd < 0)
        measure_fail(name);
    return fd;
}

static void must_write(int fd, size_t len, off_t offset)
{
    if (pwrite(fd, buffer, len, offset) != (ssize_t)len)
        measure_fail("pwrite");
}

/* Over what is there: the file system has no new blocks to find. */
static void write_through(const char *name, size_t piece, size_t total)
{
    double began = measure_now();

    for (size_t done = 0; done < total; done += piece)
        must_write(file, piece, (off_t)done);
    printf("%s %.0f MiB/s\n", name, (double)total / MIB / (measure_now() - began));
}

static void create_and_unlink(unsigned long i)
{
    char name[40];
    struct stat status;
    int fd;

    snprintf(name, sizeof(name), "small-%lu", i % 100);
    fd = must_open(name, O_WRONLY | O_EXCL);
    if (write(fd, buffer, 100) != 100 || close(fd) < 0 || stat(name, &status) < 0 ||
        unlink(name) < 0)
        measure_fail(name);
}

/* How editors and package managers replace a file. */
static void replace(unsigned long i)
{
    int fd = must_open("next", O_WRONLY | O_TRUNC);

    (void)i;
    if (write(fd, buffer, 100) != 100 || close(fd) < 0 || rename("next", "current") < 0)
        measure_fail("rename");
}

static void append(unsigned long i)
{
    (void)i;
    if (write(log_file, buffer, 100) != 100)
        measure_fail("write");
}

/* As SQLite with a rollback journal: the journal, its header, the pages, the journal's end. */
static void commit(unsigned long i)
{
    must_write(journal, 4 * KIB, 512);
    if (fdatasync(journal) < 0)
        measure_fail("fdatasync");
    must_write(journal, 512, 0);
    if (fdatasync(journal) < 0)
        measure_fail("fdatasync");
    must_write(file, 4 * KIB, (off_t)(i % 1000 * 4 * KIB));
    must_write(file, 4 * KIB, (off_t)(i % 777 * 4 * KIB));
    if (fdatasync(file) < 0 || ftruncate(journal, 0) < 0)
        measure_fail("commit");
}

static void make_entries(void)
{
    char name[40];
    double began = measure_now();

    if (mkdir("many", 0755) < 0 || chdir("many") < 0)
        measure_fail("many");
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof(name), "entry-%d", i);
        close(must_open(name, O_WRONLY));
    }
    printf("create each of 10,000 files %.1f ns\n", (measure_now() - began) / ENTRIES * 1e9);
}

static void list_entries(unsigned long i)
{
    DIR *dir = opendir(".");
    int count = 0;

    (void)i;
    while (dir && readdir(dir))
        count++;
    if (count != ENTRIES + 2)
        measure_fail("readdir");
    closedir(dir);
}

static void remove_entries(void)
{
    char name[40];

    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof(name), "entry-%d", i);
        if (unlink(name) < 0)
            measure_fail(name);
    }
    if (chdir("..") < 0 || rmdir("many") < 0)
        measure_fail("many");
}

static void change_all(void)
{
    write_through("write 1 MiB", MIB, 32 * MIB);
    write_through("write 64 KiB", 64 * KIB, 32 * MIB);
    write_through("write 4 KiB", 4 * KIB, 8 * MIB);
    measure_step("append 100 bytes", append);
    measure_step("create, write, stat, unlink", create_and_unlink);
    measure_step("write and rename over", replace);
    make_entries();
    measure_step("list 10,000 entries", list_entries);
    remove_entries();
}

int main(int argc, char **argv)
{
    bool only_commit = argc == 3 && strcmp(argv[2], "commit") == 0;

    if (argc != 2 + only_commit) {
        fputs("usage: changes DIR [commit]\n", stderr);
        return 2;
    }
    if (chdir(argv[1]) < 0)
        measure_fail(argv[1]);
    buffer = malloc(MIB);
    if (!buffer)
        measure_fail("memory");
    memset(buffer, 1, MIB);
    file = must_open("file", O_RDWR);
    journal = must_open("journal", O_RDWR);
    log_file = must_open("log", O_WRONLY | O_APPEND | O_TRUNC);
    for (size_t at = 0; at < 32; at++)
        must_write(file, MIB, (off_t)(at * MIB));
    if (!only_commit)
        change_all();
    measure_step("commit with three fdatasync", commit);
    return 0;
}
