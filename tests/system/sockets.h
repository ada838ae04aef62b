/* SPDX-License-Identifier: ISC
 *
 * The host's side of tests of the network: all on 127.0.0.1.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdint.h>

/* A port of TCP and of UDP that nobody uses now. */
uint16_t port_free(void);

/* A socket that listens (SOCK_STREAM) or is bound (SOCK_DGRAM) at a free port, which is returned in
 * *PORT. */
int host_socket(int type, uint16_t *port);

/* A connection, tried for up to ten seconds; else the test fails. */
int host_connect(uint16_t port);
/* 0, or errno of one try. */
int host_try(uint16_t port);

/* Close so that the other end sees a reset. */
void host_reset(int fd);

#endif
