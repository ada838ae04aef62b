/* SPDX-License-Identifier: ISC
 *
 * Signals and the alarm, as they interrupt a run; world.h has what an input asks for.
 */
#ifndef FUZZ_WORLD_SIGNALS_H
#define FUZZ_WORLD_SIGNALS_H

#include "husk/abi.h"

/* Once. libFuzzer keeps the signals that it needs. */
void signals_create(void);

/* The operation was served with RESULT. */
void signals_note(const struct husk_desc *asked, int64_t result);

/* Nothing is forwarded, pending or under way any more. */
void signals_restore(void);

#endif
