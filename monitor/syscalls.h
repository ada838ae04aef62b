/* SPDX-License-Identifier: ISC
 *
 * What --trace knows about Linux's x86-64 system calls: their names, what each argument is, and the
 * names of the values that arguments take. All tables hold their names inline: without pointers
 * there is nothing to relocate when husk starts, and a run without --trace never touches them.
 */
#ifndef HUSK_SYSCALLS_H
#define HUSK_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

enum arg_kind {
    ARG_NONE, /* no such argument, and none after it */
    ARG_INT,  /* 32 bits, signed */
    ARG_LONG, /* 64 bits, signed */
    ARG_SIZE, /* 64 bits, unsigned */
    ARG_HEX,  /* anything else */
    ARG_ADDR,
    ARG_FD,
    ARG_DIR,           /* a descriptor or AT_FDCWD */
    ARG_STRING,        /* zero-terminated */
    ARG_STRING_FILLED, /* likewise, valid if the call succeeded */
    ARG_DATA,          /* as many bytes as the next argument says */
    ARG_FILLED,        /* as many bytes as the result says */
    ARG_IOV,           /* struct iovec[], as many as the next argument says */
    ARG_IOV_FILLED,    /* likewise, filled with as many bytes as the result says */
    ARG_TIME,          /* struct timespec */
    ARG_TIME_FILLED,   /* likewise, valid if the call succeeded */
    ARG_SIGNAL,
    ARG_MODE,        /* octal */
    ARG_CREATE_MODE, /* likewise, present if the argument before it has O_CREAT */
    ARG_FCNTL_ARG,   /* means what the argument before it says */

    /* Those with names in arg_names. */
    ARG_OPEN,
    ARG_PROT,
    ARG_MAP,
    ARG_REMAP,
    ARG_ADVICE,
    ARG_AT,
    ARG_UNLINK,
    ARG_ACCESS,
    ARG_WHENCE,
    ARG_FCNTL,
    ARG_IOCTL,
    ARG_CLOCK,
    ARG_SIGHOW,
    ARG_FUTEX,
    ARG_CLONE,
    ARG_ARCH,
    ARG_RESOURCE,
    ARG_RANDOM,
    ARG_EPOLL,
    ARG_FAMILY,
    ARG_SOCKET,
};

struct syscall_info {
    char name[25];
    uint8_t args[6]; /* enum arg_kind */
};

/* NULL if there is no such call. */
const struct syscall_info *syscall_info(uint64_t number);

/* An argument X of this kind is called NAME, or has NAME among its flags, if (X & mask) == value.
 */
struct arg_name {
    char name[27];
    uint8_t kind; /* enum arg_kind */
    uint32_t mask, value;
};

/* Within a kind, a value of 0 and wider masks come first. */
extern const struct arg_name arg_names[];
extern const size_t arg_names_count;

#endif
