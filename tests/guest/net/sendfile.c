/* SPDX-License-Identifier: ISC
 *
 * sendfile to a socket, of a file that is given (this program, else): by offset and by position,
 * more than fits, to nobody.
 */
#include "net.h"

#include <sys/sendfile.h>

#define SIZE (3 << 20)

static void *drain(void *fd)
{
    static char data[1 << 16];
    long total = 0, got;

    while ((got = read((int)(long)fd, data, sizeof(data))) > 0)
        total += got;
    return (void *)total;
}

int main(int argc, char **argv)
{
    char data[16] = "", *content = malloc(SIZE);
    int ends[2], file = open(argc > 1 ? argv[1] : argv[0], O_RDONLY), made;
    pthread_t thread;
    off_t offset = 1;
    void *total;

    need(file, "open of the program itself");
    tcp_pair(ends);
    check(sendfile(ends[0], file, &offset, 3) == 3 && offset == 4, "with an offset");
    check(lseek(file, 0, SEEK_CUR) == 0, "the position stays");
    check(sendfile(ends[0], file, NULL, 4) == 4 && lseek(file, 0, SEEK_CUR) == 4,
          "without, it moves");
    check(recv(ends[1], data, 7, MSG_WAITALL) == 7 && memcmp(data, "ELF\177ELF", 7) == 0,
          "both arrive");
    offset = lseek(file, 0, SEEK_END);
    check(sendfile(ends[0], file, &offset, 10) == 0, "nothing at the end");
    offset = -1;
    check_error(sendfile(ends[0], file, &offset, 10), EINVAL, "a negative offset");

    made = need(open("/tmp", O_TMPFILE | O_RDWR, 0600), "open in /tmp");
    for (int i = 0; i < SIZE; i++)
        content[i] = (char)(i % 251);
    check(write(made, content, SIZE) == SIZE, "a file in /tmp");
    need(-pthread_create(&thread, NULL, drain, (void *)(long)ends[1]), "pthread_create");
    offset = 0;
    check(sendfile(ends[0], made, &offset, SIZE) == SIZE && offset == SIZE,
          "waits until all is sent");
    shutdown(ends[0], SHUT_WR);
    pthread_join(thread, &total);
    check(total == (void *)SIZE, "all of it arrives");
    signal(SIGPIPE, SIG_IGN);
    offset = 0;
    check_error(sendfile(ends[0], made, &offset, 10), EPIPE, "after shutdown");
    offset = 0;
    check_error(sendfile(ends[0], file, &offset, 10), EPIPE, "of another file");
    return exit_status();
}
