/* SPDX-License-Identifier: ISC
 *
 * What HUSK_OP_EVENTS received ahead: copies of the data that wait in TCP sockets of the host's, so
 * that reading them costs no exit. They can be forgotten at any time.
 */
#ifndef HUSK_RT_AHEAD_H
#define HUSK_RT_AHEAD_H

#include "files.h"
#include "span.h"

/* Room for at most MOST sockets, for one HUSK_OP_EVENTS; *COUNT elements. */
struct husk_ahead *ahead_offer(uint64_t most, uint64_t *count);
/* Element INDEX was filled, for FILE's socket. */
void ahead_accept(uint64_t index, struct file *file);

/*
 * Read from FILE what is there of its data, as recv(2) without flags: bytes, -EFAULT, or 0 if the
 * host has to be asked.
 */
int64_t ahead_take(struct file *file, struct span *to);
/* Must come before the host is asked for data of FILE's, and when FILE goes. */
void ahead_forget(struct file *file);

#endif
