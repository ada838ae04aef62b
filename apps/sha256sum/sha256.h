/* SPDX-License-Identifier: ISC */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BLOCK_BYTES = 64, SHA256_DIGEST_BYTES = 32 };

struct sha256 {
    uint32_t hash[8];
    uint64_t message_bytes;
    uint8_t block[SHA256_BLOCK_BYTES]; /* the last message_bytes % 64 bytes wait here */
};

void sha256_start(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t size);
void sha256_finish(struct sha256 *sha, uint8_t digest[SHA256_DIGEST_BYTES]);

#endif
