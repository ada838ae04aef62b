/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL's libcrypto against published test vectors (FIPS 180, FIPS 197, RFC 4231, RFC 8439,
 * RFC 7748), with the processor's instructions for them, and keys made and used.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <pthread.h>

#include "vectors.h"

static int failures;

static size_t from_hex(const char *hex, unsigned char *bytes)
{
    size_t count = 0;
    unsigned value;

    for (; sscanf(hex, "%2x", &value) == 1; hex += 2)
        bytes[count++] = (unsigned char)value;
    return count;
}

static void expect(const char *what, const unsigned char *got, size_t size, const char *hex)
{
    unsigned char wanted[256];
    size_t count = from_hex(hex, wanted);

    failures += check(count == size && memcmp(got, wanted, size) == 0, what);
}

static void digest(const char *name, const char *text, const char *hex)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    size_t size = sizeof(value);

    failures += !EVP_Q_digest(NULL, name, NULL, text, strlen(text), value, &size);
    expect(name, value, size, hex);
}

static void digests(void)
{
    digest("SHA256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest("SHA1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    digest("SHA512", "abc",
           "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
           "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    digest("SHA3-256", "", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    digest("MD5", "abc", "900150983cd24fb0d6963f7d28e17f72");
}

static void hmac(void)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    size_t size = 0;

    EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, "Jefe", 4,
              (const unsigned char *)"what do ya want for nothing?", 28, value, sizeof(value),
              &size);
    expect("HMAC-SHA256 (RFC 4231, 2)", value, size,
           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void cipher(const char *name, const char *key_hex, const char *iv_hex, const char *plain_hex,
                   const char *wanted)
{
    unsigned char key[64], iv[32], plain[256], out[288];
    size_t size = from_hex(plain_hex, plain);
    EVP_CIPHER *method = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0, last = 0;

    from_hex(key_hex, key);
    from_hex(iv_hex, iv);
    EVP_EncryptInit_ex2(context, method, key, iv, NULL);
    EVP_CIPHER_CTX_set_padding(context, 0);
    EVP_EncryptUpdate(context, out, &done, plain, (int)size);
    EVP_EncryptFinal_ex(context, out + done, &last);
    expect(name, out, (size_t)(done + last), wanted);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(method);
}

static void ciphers(void)
{
    cipher("AES-128-ECB", "000102030405060708090a0b0c0d0e0f", "",
           "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a");
    cipher("AES-256-ECB", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "",
           "00112233445566778899aabbccddeeff", "8ea2b7ca516745bfeafc49904b496089");
    cipher("AES-128-GCM", "00000000000000000000000000000000", "000000000000000000000000",
           "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78");
    cipher("ChaCha20", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
           "01000000000000090000004a00000000", "00000000000000000000000000000000",
           "10f1e7e4d13b5915500fdd1fa32071c4");
}

/* RFC 7748, 6.1: both sides come to the same secret. */
static void key_exchange(void)
{
    unsigned char private[32], public[32], secret[32];
    size_t size = sizeof(secret);
    EVP_PKEY *own, *peer;
    EVP_PKEY_CTX *context;

    from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", private);
    from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", public);
    own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private, sizeof(private));
    peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, sizeof(public));
    context = EVP_PKEY_CTX_new(own, NULL);
    EVP_PKEY_derive_init(context);
    EVP_PKEY_derive_set_peer(context, peer);
    EVP_PKEY_derive(context, secret, &size);
    expect("X25519 (RFC 7748, 6.1)", secret, size,
           "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
}

static void sign(EVP_PKEY *key, const char *digest_name, const char *what)
{
    const unsigned char message[] = "signed in a virtual machine";
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    bool good, bad;

    EVP_DigestSignInit_ex(context, NULL, digest_name, NULL, NULL, key, NULL);
    EVP_DigestSign(context, signature, &size, message, sizeof(message));
    EVP_MD_CTX_reset(context);
    EVP_DigestVerifyInit_ex(context, NULL, digest_name, NULL, NULL, key, NULL);
    good = EVP_DigestVerify(context, signature, size, message, sizeof(message)) == 1;
    EVP_MD_CTX_reset(context);
    EVP_DigestVerifyInit_ex(context, NULL, digest_name, NULL, NULL, key, NULL);
    bad = EVP_DigestVerify(context, signature, size, message, sizeof(message) - 1) == 1;
    failures += check(good && !bad, what);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static void *hash_in_thread(void *argument)
{
    unsigned char value[32];
    size_t size = 0, rounds = 200;
    char block[1000];

    memset(block, (int)(intptr_t)argument, sizeof(block));
    while (rounds-- > 0) {
        EVP_Q_digest(NULL, "SHA256", NULL, block, sizeof(block), value, &size);
        memcpy(block, value, size);
    }
    return (void *)(uintptr_t)hash(value, size);
}

static void threads(void)
{
    pthread_t thread[4];
    void *result;

    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, hash_in_thread, (void *)i);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], &result);
        printf("thread %d: %llx\n", i, (unsigned long long)(uintptr_t)result);
    }
}

int main(void)
{
    unsigned char random[64] = {0};
    unsigned char *data = make_data();
    unsigned char value[32];
    size_t size = 0;

    digests();
    hmac();
    ciphers();
    key_exchange();
    EVP_Q_digest(NULL, "SHA256", NULL, data, DATA_SIZE, value, &size);
    show("SHA256 of 3 MiB", value, size);
    failures +=
        check(RAND_bytes(random, sizeof(random)) == 1 && hash(random, 64) != hash(value, 64),
              "random bytes");
    sign(EVP_RSA_gen(2048), "SHA256", "RSA signs and verifies");
    sign(EVP_EC_gen("P-256"), "SHA256", "ECDSA signs and verifies");
    sign(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, "Ed25519 signs and verifies");
    threads();
    free(data);
    return failures != 0;
}
