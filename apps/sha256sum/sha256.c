/* SPDX-License-Identifier: ISC */
/* SHA-256 as FIPS 180-4 defines it; the names are the standard's, section numbers are given. */
#include "sha256.h"

#include <string.h>

/* 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotr(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* 4.1.2 */
static inline uint32_t ch(uint32_t x, uint32_t y, uint32_t z)
{
    return z ^ (x & (y ^ z));
}

static inline uint32_t maj(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | (z & (x | y));
}

static inline uint32_t big_sigma0(uint32_t x)
{
    return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22);
}

static inline uint32_t big_sigma1(uint32_t x)
{
    return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25);
}

static inline uint32_t small_sigma0(uint32_t x)
{
    return rotr(x, 7) ^ rotr(x, 18) ^ x >> 3;
}

static inline uint32_t small_sigma1(uint32_t x)
{
    return rotr(x, 17) ^ rotr(x, 19) ^ x >> 10;
}

static inline uint32_t load_big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void store_big_endian(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

/* 6.2.2 step 1; only the last 16 words of the schedule are ever needed, so W is a ring. */
static inline uint32_t next_word(uint32_t W[16], unsigned t)
{
    W[t % 16] += small_sigma1(W[(t - 2) % 16]) + W[(t - 7) % 16] + small_sigma0(W[(t - 15) % 16]);
    return W[t % 16];
}

/*
 * 6.2.2 step 3, without its eight moves: the caller names the working variables in rotated order
 * instead. Forced inline, because as a call it would keep them in memory.
 */
static inline __attribute__((always_inline)) void round_of(uint32_t a, uint32_t b, uint32_t c,
                                                           uint32_t *d, uint32_t e, uint32_t f,
                                                           uint32_t g, uint32_t *h,
                                                           uint32_t constant_and_word)
{
    uint32_t T1 = *h + big_sigma1(e) + ch(e, f, g) + constant_and_word;
    *d += T1;
    *h = T1 + big_sigma0(a) + maj(a, b, c);
}

static void compress(uint32_t hash[8], const uint8_t *block)
{
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    uint32_t W[16];

    for (unsigned t = 0; t < 16; t++)
        W[t] = load_big_endian(block + 4 * t);

    for (unsigned t = 0; t < 64; t += 8) {
        uint32_t KW[8];
        for (unsigned i = 0; i < 8; i++)
            KW[i] = K[t + i] + (t < 16 ? W[t + i] : next_word(W, t + i));
        round_of(a, b, c, &d, e, f, g, &h, KW[0]);
        round_of(h, a, b, &c, d, e, f, &g, KW[1]);
        round_of(g, h, a, &b, c, d, e, &f, KW[2]);
        round_of(f, g, h, &a, b, c, d, &e, KW[3]);
        round_of(e, f, g, &h, a, b, c, &d, KW[4]);
        round_of(d, e, f, &g, h, a, b, &c, KW[5]);
        round_of(c, d, e, &f, g, h, a, &b, KW[6]);
        round_of(b, c, d, &e, f, g, h, &a, KW[7]);
    }

    hash[0] += a, hash[1] += b, hash[2] += c, hash[3] += d;
    hash[4] += e, hash[5] += f, hash[6] += g, hash[7] += h;
}

/* 5.3.3 */
void sha256_start(struct sha256 *sha)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(sha->hash, initial, sizeof initial);
    sha->message_bytes = 0;
}

void sha256_add(struct sha256 *sha, const void *data, size_t size)
{
    const uint8_t *next = data;
    size_t waiting = sha->message_bytes % SHA256_BLOCK_BYTES;

    sha->message_bytes += size;
    if (waiting > 0) {
        size_t missing = SHA256_BLOCK_BYTES - waiting;
        size_t taken = size < missing ? size : missing;
        memcpy(sha->block + waiting, next, taken);
        if (taken < missing)
            return;
        compress(sha->hash, sha->block);
        next += taken;
        size -= taken;
    }
    for (; size >= SHA256_BLOCK_BYTES; size -= SHA256_BLOCK_BYTES) {
        compress(sha->hash, next);
        next += SHA256_BLOCK_BYTES;
    }
    memcpy(sha->block, next, size);
}

/* 5.1.1: a one bit, zeros, and the message's length in bits in the last eight bytes of a block. */
void sha256_finish(struct sha256 *sha, uint8_t digest[SHA256_DIGEST_BYTES])
{
    static const uint8_t padding[SHA256_BLOCK_BYTES] = {0x80};
    uint64_t bits = sha->message_bytes * 8;
    size_t waiting = sha->message_bytes % SHA256_BLOCK_BYTES;
    uint8_t length[8];

    store_big_endian(length, (uint32_t)(bits >> 32));
    store_big_endian(length + 4, (uint32_t)bits);
    sha256_add(sha, padding, waiting < 56 ? 56 - waiting : 120 - waiting);
    sha256_add(sha, length, sizeof length);
    for (int i = 0; i < 8; i++)
        store_big_endian(digest + 4 * i, sha->hash[i]);
}
