/* SPDX-License-Identifier: ISC
 *
 * What the guest's memory holds besides the input: paths and structures that are well-formed.
 */
#ifndef FUZZ_WORLD_PARTS_H
#define FUZZ_WORLD_PARTS_H

#include <stddef.h>
#include <stdint.h>

/* Once, when files and ports are there. */
void parts_create(void);

/* Fill the DATA_SIZE bytes at HOST: INPUT, the parts, zeroes. */
void parts_write(uint8_t *host, const uint8_t *input, size_t size);

#endif
