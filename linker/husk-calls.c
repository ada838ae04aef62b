/* SPDX-License-Identifier: ISC
 *
 * husk-calls [-v] IMAGE: called by husk-cc for what it has linked. Turns the system calls of a husk
 * image into jumps into guest-rt where it can prove that nobody notices. An image for which it can
 * do nothing stays as it is, and works as well; -v lists every site.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

static void left_alone(const char *name, const char *why)
{
    fprintf(stderr, "husk-cc: %s: its system calls stay as they are: %s\n", name, why);
}

static int write_all(int fd, const uint8_t *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, (off_t)offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        bytes += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

static void list_sites(const struct sites *sites)
{
    for (size_t i = 0; i < sites->count; i++)
        printf("0x%llx %s\n", (unsigned long long)sites->site[i].address,
               outcome_text(sites->site[i].outcome));
}

/* 1: the image is no longer what the linker wrote. */
static int turn(const char *name, int fd, struct image *image, bool verbose)
{
    const struct text *text = &image->text;
    struct sites sites = {0};
    const char *why = image_read(image);
    int status = 0;

    if (!why && sites_turn(&image->text, &sites) < 0)
        why = "there is no memory";
    if (why) {
        left_alone(name, why);
    } else if (write_all(fd, text->bytes, text->span.end - text->span.start, image->text_offset) <
               0) {
        fprintf(stderr, "husk-cc: %s: %s\n", name, strerror(errno));
        status = 1;
    }
    if (verbose)
        list_sites(&sites);
    sites_free(&sites);
    image_free(image);
    return status;
}

/* What is no regular file (-o /dev/null) is none of ours. */
static int turn_file(const char *name, bool verbose)
{
    struct image image = {0};
    struct stat status;
    int fd = open(name, O_RDWR | O_CLOEXEC), ret = 0;

    if (fd < 0 || fstat(fd, &status) < 0) {
        left_alone(name, strerror(errno));
    } else if (S_ISREG(status.st_mode) && status.st_size > 0) {
        image.size = (size_t)status.st_size;
        image.data = mmap(NULL, image.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        if (image.data == MAP_FAILED)
            left_alone(name, strerror(errno));
        else
            ret = turn(name, fd, &image, verbose);
    }
    if (fd >= 0 && close(fd) < 0 && ret == 0) {
        fprintf(stderr, "husk-cc: %s: %s\n", name, strerror(errno));
        ret = 1;
    }
    return ret;
}

int main(int argc, char **argv)
{
    bool verbose = argc == 3 && strcmp(argv[1], "-v") == 0;

    if (argc != 2 && !verbose) {
        fprintf(stderr, "usage: husk-calls [-v] IMAGE\n");
        return 2;
    }
    return turn_file(argv[argc - 1], verbose);
}
