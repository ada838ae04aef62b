/* SPDX-License-Identifier: ISC
 *
 * Sockets and threads: one waits while the others work.
 */
#include "net.h"

#define CLIENTS 8
#define ROUNDS  50

static struct sockaddr_in at;
static int server;

static void *ask_names(void *stop)
{
    unsigned wrong = 0;

    while (!*(volatile bool *)stop) {
        struct sockaddr_in name;
        socklen_t length = sizeof(name);

        if (getsockname(server, (struct sockaddr *)&name, &length) < 0 ||
            name.sin_port != at.sin_port)
            wrong++;
        usleep(100);
    }
    return (void *)(long)wrong;
}

static void *client(void *number)
{
    long wrong = 0;

    for (int round = 0; round < ROUNDS; round++) {
        char text[32], answer[32];
        int fd = connected(&at);
        int length = snprintf(text, sizeof(text), "%ld %d", (long)number, round);

        if (write(fd, text, length) != length || recv(fd, answer, length, MSG_WAITALL) != length ||
            memcmp(text, answer, length) != 0 || read(fd, answer, 1) != 0)
            wrong++;
        close(fd);
    }
    return (void *)wrong;
}

/* Answers once and closes. */
static void *serve(void *context)
{
    int fd = (int)(long)context;
    char text[32];
    long length = read(fd, text, sizeof(text));

    write(fd, text, length);
    close(fd);
    return NULL;
}

static void *wait_for_data(void *fd)
{
    char byte = 0;

    return (void *)(long)(read((int)(long)fd, &byte, 1) == 1 ? byte : -1);
}

int main(void)
{
    pthread_t asking, clients[CLIENTS], servers[4] = {0}, waiting;
    volatile bool stop = false;
    void *result;
    long wrong = 0;
    int ends[2];

    server = listening(&at);
    need(-pthread_create(&asking, NULL, ask_names, (void *)&stop), "pthread_create");
    for (long i = 0; i < CLIENTS; i++)
        need(-pthread_create(&clients[i], NULL, client, (void *)i), "pthread_create");
    for (int i = 0; i < CLIENTS * ROUNDS; i++) {
        long fd = need(accept(server, NULL, NULL), "accept");

        if (i >= 4)
            pthread_join(servers[i % 4], NULL);
        need(-pthread_create(&servers[i % 4], NULL, serve, (void *)fd), "pthread_create");
    }
    for (int i = 0; i < 4; i++)
        pthread_join(servers[i], NULL);
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], &result);
        wrong += (long)result;
    }
    check(wrong == 0, "400 connections of 8 clients");
    stop = true;
    pthread_join(asking, &result);
    check(result == NULL, "getsockname while another thread accepts");

    tcp_pair(ends);
    need(-pthread_create(&waiting, NULL, wait_for_data, (void *)(long)ends[0]), "pthread_create");
    usleep(20000);
    write(ends[1], "d", 1);
    pthread_join(waiting, &result);
    check(result == (void *)'d', "a thread that waits is woken by data");
    close(ends[0]);
    close(ends[1]);
    close(server);
    return exit_status();
}
