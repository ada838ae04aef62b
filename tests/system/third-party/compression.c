/* SPDX-License-Identifier: ISC */
/* zlib, bzip2 and zstd: data goes in and comes out again, at several levels, whole and in pieces.
 */
#include <bzlib.h>
#include <zlib.h>
#include <zstd.h>

#include "vectors.h"

static int failures;
static unsigned char *data, *packed, *unpacked;
enum { ROOM = DATA_SIZE + DATA_SIZE / 8 + 65536 };

static void come_back(const char *what, size_t size)
{
    failures += check(size == DATA_SIZE && memcmp(data, unpacked, DATA_SIZE) == 0, what);
    memset(unpacked, 0, DATA_SIZE);
}

static void with_zlib(int level)
{
    uLongf size = ROOM, back = DATA_SIZE;

    failures += check(compress2(packed, &size, data, DATA_SIZE, level) == Z_OK, "zlib compresses");
    show("zlib", packed, size);
    uncompress(unpacked, &back, packed, size);
    come_back("zlib gives it back", back);
}

/* As a stream, with buffers of odd sizes. */
static void with_gzip_stream(void)
{
    z_stream out = {0}, in = {0};
    size_t size = 0;

    deflateInit2(&out, 6, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    out.next_out = packed;
    out.avail_out = ROOM;
    for (size_t at = 0; at < DATA_SIZE; at += 7777) {
        out.next_in = data + at;
        out.avail_in = DATA_SIZE - at < 7777 ? DATA_SIZE - at : 7777;
        deflate(&out, at + 7777 >= DATA_SIZE ? Z_FINISH : Z_NO_FLUSH);
    }
    size = out.total_out;
    deflateEnd(&out);
    show("gzip", packed, size);
    inflateInit2(&in, 15 + 16);
    in.next_in = packed;
    in.avail_in = (uInt)size;
    in.next_out = unpacked;
    in.avail_out = DATA_SIZE;
    failures += check(inflate(&in, Z_FINISH) == Z_STREAM_END, "a gzip stream ends");
    come_back("gzip gives it back", in.total_out);
    inflateEnd(&in);
    /* RFC 1952: the CRC of "123456789" is well known. */
    failures += check(crc32(0, (const Bytef *)"123456789", 9) == 0xcbf43926, "CRC-32");
    failures += check(adler32(1, (const Bytef *)"Wikipedia", 9) == 0x11e60398, "Adler-32");
    packed[size / 2] ^= 0x55;
    uLongf back = DATA_SIZE;
    failures +=
        check(uncompress(unpacked, &back, packed, size) == Z_DATA_ERROR, "damage is an error");
}

static void with_bzip2(void)
{
    unsigned size = ROOM, back = DATA_SIZE;

    BZ2_bzBuffToBuffCompress((char *)packed, &size, (char *)data, DATA_SIZE, 9, 0, 0);
    show("bzip2", packed, size);
    BZ2_bzBuffToBuffDecompress((char *)unpacked, &back, (char *)packed, size, 0, 0);
    come_back("bzip2 gives it back", back);
}

static void with_zstd(int level)
{
    size_t size = ZSTD_compress(packed, ROOM, data, DATA_SIZE, level);

    show("zstd", packed, size);
    come_back("zstd gives it back", ZSTD_decompress(unpacked, DATA_SIZE, packed, size));
}

/* zstd's own threads. */
static void with_zstd_threads(void)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t size;

    ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, 3);
    ZSTD_CCtx_setParameter(context, ZSTD_c_jobSize, 1 << 20);
    size = ZSTD_compress2(context, packed, ROOM, data, DATA_SIZE);
    failures += check(!ZSTD_isError(size), "zstd compresses with three threads");
    show("zstd", packed, size);
    come_back("and gives it back", ZSTD_decompress(unpacked, DATA_SIZE, packed, size));
    ZSTD_freeCCtx(context);
}

int main(void)
{
    data = make_data();
    packed = malloc(ROOM);
    unpacked = malloc(DATA_SIZE);
    if (!data || !packed || !unpacked)
        return 2;
    for (int level = 1; level <= 9; level += 4)
        with_zlib(level);
    with_gzip_stream();
    with_bzip2();
    with_zstd(1);
    with_zstd(9);
    with_zstd_threads();
    return failures != 0;
}
