/* SPDX-License-Identifier: ISC */
/*
 * Receives signals from outside. Arguments: what it does with them (handle, ignore, wait) and how
 * it spends its time (sleep, spin, read, threads). Says "ready", then "got N" for each signal;
 * SIGTERM ends it with status 3, but for "ignore", which leaves SIGTERM alone.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGTERM};
enum { SIGNALS = sizeof signals / sizeof *signals };

static void report(int signal)
{
    char line[] = "got 00\n";

    line[4] = (char)('0' + signal / 10);
    line[5] = (char)('0' + signal % 10);
    if (write(STDOUT_FILENO, line, sizeof line - 1) < 0 || signal == SIGTERM)
        _exit(3);
}

static void act(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    for (int i = 0; i < SIGNALS; i++)
        if (handler != SIG_IGN || signals[i] != SIGTERM)
            sigaction(signals[i], &action, NULL);
}

static void *take_signals(void *set)
{
    int signal;

    while (sigwait(set, &signal) == 0)
        report(signal);
    return NULL;
}

static void *spin(void *unused)
{
    for (;;)
        __asm__ volatile("");
    return unused;
}

static void *sleep_long(void *unused)
{
    for (;;)
        sleep(1000);
    return unused;
}

static void spend_time(const char *how)
{
    pthread_t thread;
    char byte;

    if (strcmp(how, "spin") == 0)
        spin(NULL);
    for (int i = 0; strcmp(how, "threads") == 0 && i < 6; i++)
        pthread_create(&thread, NULL, i % 2 ? spin : sleep_long, NULL);
    if (strcmp(how, "read") == 0 && read(STDIN_FILENO, &byte, 1) <= 0)
        exit(4);
    sleep_long(NULL);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    sigset_t set;

    if (argc != 3)
        return 2;
    sigemptyset(&set);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&set, signals[i]);
    if (strcmp(argv[1], "handle") == 0)
        act(report);
    if (strcmp(argv[1], "ignore") == 0)
        act(SIG_IGN);
    if (strcmp(argv[1], "wait") == 0) {
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        pthread_create(&thread, NULL, take_signals, &set);
    }
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        return 2;
    spend_time(argv[2]);
    return 2;
}
