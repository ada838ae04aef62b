/* SPDX-License-Identifier: ISC
 *
 * Threads until there are no more: that is EAGAIN, and everything else still works.
 */
#include <pthread.h>
#include <unistd.h>

#include "hostile.h"

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int count = 0, error = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16 << 10);
    while (count < 100000 &&
           (error = pthread_create(&thread, &attributes, wait_for_ever, NULL)) == 0)
        count++;
    expect(error == EAGAIN, "thread %d failed with %d", count, error);
    expect(count > 1000, "only %d threads", count);
    expect(pthread_create(&thread, &attributes, wait_for_ever, NULL) == EAGAIN, "one more");
    expect(write(STDOUT_FILENO, "", 0) == 0, "write failed");
    expect(usleep(1000) == 0, "usleep failed");
    return held();
}
