/* SPDX-License-Identifier: ISC
 *
 * The server of abi.h: a second thread that serves short operations without an exit. It comes to
 * life when a guest makes many of them one after the other, watches for as long as they keep coming
 * (it uses a processor for that), and sleeps otherwise. Hypercalls are served by one thread at a
 * time: whoever does so has entered.
 */
#ifndef HUSK_SERVER_H
#define HUSK_SERVER_H

#include "run.h"

/* The vCPU's thread begins and ends to serve a hypercall. False: something ends the run, and the
 * server was still at work. */
bool server_enter(struct run *run);
void server_leave(struct run *run);

/* The vCPU's thread has served an operation that the server could do: wake it if they come often.
 * Call it after server_leave. */
void server_consider(struct run *run);

#endif
