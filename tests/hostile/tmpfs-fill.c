/* SPDX-License-Identifier: ISC
 *
 * Writes to its tmpfs without end, in one file and then in many: it is full when it says so, not
 * when the host is.
 */
#include <unistd.h>

#include "hostile.h"

static char block[1 << 20];

static uint64_t fill_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    uint64_t total = 0;
    ssize_t wrote;

    if (fd < 0)
        return 0;
    while ((wrote = write(fd, block, sizeof(block))) > 0)
        total += (uint64_t)wrote;
    expect(errno == ENOSPC || errno == ENOMEM, "the file system ended with %s", strerror(errno));
    close(fd);
    return total;
}

int main(void)
{
    char path[64];

    memset(block, 'x', sizeof(block));
    expect(fill_file("/tmp/one") <= BOOT->ram_size / 2, "one file took more than the file system");
    for (int i = 0; i < 1000000; i++) {
        int fd;

        snprintf(path, sizeof(path), "/tmp/many-%d", i);
        if ((fd = open(path, O_RDWR | O_CREAT, 0600)) < 0)
            break;
        close(fd);
    }
    expect(errno == ENOSPC || errno == ENOMEM, "files ended with %s", strerror(errno));
    unlink("/tmp/one");
    expect(fill_file("/tmp/two") > 0, "what is removed is not there again");
    return held();
}
