/* SPDX-License-Identifier: ISC
 *
 * The contract between the monitor and guest-rt, and its manual. Freestanding: it includes nothing
 * but <stdint.h>, and both sides, and nothing else, rely on it. The assembly reads the same numbers
 * from abi.inc, which the build derives from the HUSK_ constants below.
 *
 * Every field says who writes it: IN is written by the guest for the monitor, OUT by the monitor
 * for the guest.
 */
#ifndef HUSK_ABI_H
#define HUSK_ABI_H

#include <stdint.h>

#define HUSK_ABI_VERSION 6

/* A guest address. The monitor cannot dereference it: memory.h turns it into a host pointer. */
typedef uint64_t guest_addr_t;

/*
 * Address space. The application's virtual and guest-physical addresses are the same. They have two
 * parts: near RAM, up to the size of the memory, and far RAM (struct husk_boot), which is only more
 * addresses: what is mapped in both together is at most the size of the memory. The window holds
 * what belongs to husk; it starts where no linker puts a program, at the last GiB under 512 GiB,
 * and is backed by guest-physical pages between the two.
 */
#define HUSK_PAGE_SIZE   0x1000
#define HUSK_NULL_GUARD  0x10000      /* nothing is ever mapped below */
#define HUSK_RAM_MAX     0x7f80000000 /* the window follows at a distance of 1 GiB */
#define HUSK_WINDOW      0x7fc0000000
#define HUSK_WINDOW_SIZE 0x400000

/* The window's pages. Rights: (s) only ring 0, (u) ring 3 too. */
#define HUSK_RING0_TEXT   (HUSK_WINDOW + 0x0000)  /* (s) R-X exception stubs, ring0.asm */
#define HUSK_RING0_TABLES (HUSK_WINDOW + 0x1000)  /* (s) R-- GDT, TSS, IDT, exit frame */
#define HUSK_RING0_STACK  (HUSK_WINDOW + 0x2000)  /* (s) RW- exception frames, system call state */
#define HUSK_RING0_VIEW   (HUSK_WINDOW + 0x3000)  /* (u) R-- the same page as HUSK_RING0_STACK */
#define HUSK_CLOCK_PAGE   (HUSK_WINDOW + 0x4000)  /* (u) R-- written by KVM once enabled */
#define HUSK_BOOT_PAGE    (HUSK_WINDOW + 0x5000)  /* (u) R-- struct husk_boot */
#define HUSK_DESC_PAGE    (HUSK_WINDOW + 0x6000)  /* (u) RW- struct husk_doorbell */
#define HUSK_RT_BASE      (HUSK_WINDOW + 0x10000) /* (u) guest-rt's segments */

/*
 * The doorbell: `out dx, eax` with dx = HUSK_PORT and eax = the index of a filled descriptor. It
 * returns when the monitor has written the result. The TSS's I/O bitmap lets ring 3 reach these
 * four ports and no other.
 */
#define HUSK_PORT       0x48
#define HUSK_DESC_COUNT 63

struct husk_desc {
    uint32_t op;     /* IN  enum husk_op */
    uint32_t flags;  /* IN  none is defined yet: 0 */
    uint64_t arg[6]; /* IN  as the operation says */
    int64_t result;  /* OUT at least 0, or -errno with Linux's numbers */
};
_Static_assert(sizeof(struct husk_desc) == 64, "one cache line");

/*
 * Interruptions: the alarm of HUSK_OP_ALARM, signals of HUSK_OP_FORWARD. They interrupt the
 * application, never guest-rt: see struct husk_interrupted. Where one finds guest-rt at work, or
 * waiting in HUSK_OP_WAIT (EINTR), DUE is set, at which guest-rt looks before it goes back to the
 * application. Both fields are changed atomically by both sides.
 */
struct husk_pending {
    uint32_t due;     /* OUT 1; the guest sets it to 0 */
    uint32_t pad;     /* 0 */
    uint64_t signals; /* OUT bit N - 1: signal N came; the guest clears what it takes */
};

/*
 * The server: while a guest makes many short operations, a thread of the monitor watches a word and
 * does descriptor HUSK_SERVED_DESC without an exit. The guest fills the descriptor and changes FREE
 * to POSTED; if nobody takes it, the guest changes it back and rings the doorbell. Not every
 * operation is served: DECLINED then, and for what is served on the spot the guest may rely on DONE
 * or HUSK_OP_JOIN.
 */
enum husk_server {
    HUSK_SERVER_ASLEEP,   /* OUT nobody watches */
    HUSK_SERVER_FREE,     /* OUT when the server wakes; IN after DONE and DECLINED */
    HUSK_SERVER_POSTED,   /* IN */
    HUSK_SERVER_TAKEN,    /* OUT */
    HUSK_SERVER_DONE,     /* OUT the descriptor has its result */
    HUSK_SERVER_DECLINED, /* OUT nothing was done */
};
#define HUSK_SERVED_DESC 1

/*
 * Deferred operations: those whose result nobody waits for need no doorbell of their own. The guest
 * fills descriptors from HUSK_DEFERRED_DESC on and says how many there are; whoever serves the next
 * operation, by doorbell or as the server, does them first, in their order, writes no results, and
 * sets the number to 0. Only HUSK_OP_CLOSE and HUSK_OP_SKIP can be deferred, others are not done.
 */
#define HUSK_DEFERRED_DESC 32
#define HUSK_DEFERRED_MAX  (HUSK_DESC_COUNT - HUSK_DEFERRED_DESC)

struct husk_doorbell {
    struct husk_desc desc[HUSK_DESC_COUNT];
    struct husk_pending pending;
    uint32_t server;   /* enum husk_server, changed atomically */
    uint32_t deferred; /* IN  deferred operations; OUT 0 */
    uint8_t reserved[40];
};
_Static_assert(sizeof(struct husk_doorbell) == HUSK_PAGE_SIZE, "one page");

/*
 * Operations. "path" is (address, length without a terminating zero); "dir" is a directory's handle
 * or HUSK_DIR_ROOT, from which a relative path starts. Handles are small non-negative integers.
 */
enum husk_op {
    HUSK_OP_EXIT,  /* status 0..255, signal or 0: the run ends; does not return */
    HUSK_OP_FAULT, /* &struct husk_fault: report it and end the run; does not return */
    HUSK_OP_TRACE, /* &struct husk_trace: one line of --trace */
    HUSK_OP_MARK,  /* enum husk_mark: a boot phase was reached (--stats) */
    HUSK_OP_CLOCK, /* &struct husk_clock: the host's clocks now; enables HUSK_CLOCK_PAGE */
    HUSK_OP_WAIT,  /* &struct husk_wait[n], n <= HUSK_WAIT_MAX, nanoseconds, &struct husk_ahead[m],
                      m <= HUSK_AHEAD_MAX: poll(2), in bits 32..63 as EVENTS; EINTR */
    HUSK_OP_ALARM, /* nanoseconds: interrupt then, once; replaces the last alarm; 0: none */
    HUSK_OP_FORWARD,  /* bit N - 1: pass signal N on instead of ending the run; for good */
    HUSK_OP_JOIN,     /* wait until the server has done what it took */
    HUSK_OP_RANDOM,   /* address, length: fill with random bytes; bytes filled, at most 1 MiB */
    HUSK_OP_FSBASE,   /* value: set FS.base, for hosts without HUSK_BOOT_FSGSBASE */
    HUSK_OP_MAP,      /* address, length, enum husk_prot: make fresh zeroed pages accessible */
    HUSK_OP_PROTECT,  /* address, length, enum husk_prot: change rights, contents stay */
    HUSK_OP_UNMAP,    /* address, length: no access, memory goes back to the host */
    HUSK_OP_DISCARD,  /* address, length: contents become zero, rights stay */
    HUSK_OP_READ,     /* handle, address, length, offset or HUSK_STREAM: bytes read */
    HUSK_OP_WRITE,    /* handle, address, length, offset or HUSK_STREAM: bytes written */
    HUSK_OP_READV,    /* handle, &struct husk_iovec[n], n <= HUSK_IOV_MAX, offset or HUSK_STREAM */
    HUSK_OP_WRITEV,   /* likewise */
    HUSK_OP_OPEN,     /* dir, path, length, open(2) flags, mode: see HUSK_OPEN_ */
    HUSK_OP_CLOSE,    /* handle */
    HUSK_OP_SEEK,     /* handle, offset, whence: lseek(2) on the host's descriptor */
    HUSK_OP_STAT,     /* dir, path, length, AT_ flags, statx mask, &struct statx; AT_EMPTY_PATH */
    HUSK_OP_ACCESS,   /* dir, path, length, mode, AT_ flags */
    HUSK_OP_READLINK, /* dir, path, length, address, length: bytes of the target */
    HUSK_OP_GETDENTS, /* handle, address, length: bytes of struct linux_dirent64 */
    HUSK_OP_PATH,     /* handle, address, length: the absolute guest path that opened it, as it was
                         renamed since; its length. ENOTDIR: stdio */
    HUSK_OP_TTY,      /* handle, ioctl request (tty_ioctl(2)), address */
    HUSK_OP_MAPFILE,  /* address, length, handle or file of memory, offset, enum husk_prot, 1 shared
                         or 0 private */
    HUSK_OP_MSYNC,    /* address, length, msync(2) flags */
    HUSK_OP_MKDIR,    /* dir, path, length, mode */
    HUSK_OP_UNLINK,   /* dir, path, length, AT_REMOVEDIR or 0 */
    HUSK_OP_RENAME,   /* &struct husk_path from, &struct husk_path to, renameat2(2) flags */
    HUSK_OP_LINK,     /* &struct husk_path from, &struct husk_path to, AT_SYMLINK_FOLLOW or 0;
                         AT_EMPTY_PATH: from.dir is any handle */
    HUSK_OP_SYMLINK,  /* dir, path, length, target address, target length */
    HUSK_OP_CHMOD,    /* dir, path, length, mode, AT_ flags; AT_EMPTY_PATH: dir is any handle */
    HUSK_OP_CHOWN,    /* dir, path, length, uid | gid << 32, AT_ flags; likewise */
    HUSK_OP_UTIMES,   /* dir, path, length, struct timespec[2] or 0, AT_ flags; likewise */
    HUSK_OP_TRUNCATE, /* dir, path, length, size, AT_EMPTY_PATH or 0; likewise */
    HUSK_OP_STATFS,   /* dir, path, length, &struct statfs, AT_EMPTY_PATH or 0; likewise */
    HUSK_OP_ALLOCATE, /* handle, fallocate(2) mode, offset, length */
    HUSK_OP_SYNC,     /* handle, 1 data only (fdatasync) or 0 */
    HUSK_OP_LOCK,     /* handle, fcntl(2) command, &struct flock */
    HUSK_OP_FLOCK,    /* handle, flock(2) operation */
    HUSK_OP_APPEND,   /* handle, 1 or 0: O_APPEND for writes from now on */
    HUSK_OP_RESOLVE,  /* dir, path, length, enum husk_end, buffer, size: see HUSK_LOCAL_ */
    HUSK_OP_SOCKET,   /* AF_INET or AF_INET6, type, protocol: handle */
    HUSK_OP_BIND,     /* socket, sockaddr, length */
    HUSK_OP_LISTEN,   /* socket, backlog */
    HUSK_OP_ACCEPT,   /* socket, sockaddr, room: handle in bits 0..31, length in bits 32..63 */
    HUSK_OP_CONNECT,  /* socket, sockaddr, length; -EINPROGRESS: wait until it is writable */
    HUSK_OP_SHUTDOWN, /* socket, SHUT_ */
    HUSK_OP_NAME,     /* socket, 0 its own or 1 the peer's, sockaddr, room: the name's length */
    HUSK_OP_SEND,     /* socket, &struct husk_message[n], n <= HUSK_MESSAGES_MAX, MSG_ flags */
    HUSK_OP_RECEIVE,  /* likewise; both: the number of messages, or -errno of the first */
    HUSK_OP_SENDFILE, /* TCP socket, regular file, offset, length: bytes sent; sendfile(2) */
    HUSK_OP_GETOPT,   /* socket, level, option, address, room: bytes written */
    HUSK_OP_SETOPT,   /* socket, level, option, address, length */
    HUSK_OP_QUEUED,   /* socket: bytes that can be read at once (FIONREAD) */
    HUSK_OP_SKIP,     /* TCP socket, length: so much of what was received ahead is read now */
    HUSK_OP_HOSTS,    /* address, room: the lines of /etc/hosts for what --connect names; bytes */
    HUSK_OP_EPOLL,    /* none: the handle of a new epoll instance */
    HUSK_OP_WATCH,    /* epoll, EPOLL_CTL_, handle, events, 64 bits of data that come with them */
    HUSK_OP_EVENTS,   /* epoll, &struct epoll_event[n], n, nanoseconds as in WAIT,
                         &struct husk_ahead[m], m <= HUSK_AHEAD_MAX: how many came, in bits 32..63 how
                         many sockets were received from */
    HUSK_OP_MEMORY,   /* a file of memory or HUSK_MEMORY_NEW, bytes: see HUSK_MEMORY_FILE */
    HUSK_OP_IMAGE,    /* none: a handle of the image's file, to be read */
    HUSK_OP_VOLUME, /* number, address, room: where that volume lies, without a zero; its length in
                       bits 0..31, 1 in bit 32: it is writable. ENOENT: there are fewer */
    HUSK_OP_COUNT
};

/* What can be in EVENTS of HUSK_OP_WATCH: all of poll(2), EPOLLONESHOT and EPOLLET. */
#define HUSK_EPOLL_EVENTS 0xc00027df
#define HUSK_EPOLLS_MAX   128 /* instances: each of them can watch all handles */

/*
 * Files of memory: for pages that are to be seen at more than one address. HUSK_OP_MEMORY makes one
 * (and returns its number, which HUSK_OP_MAPFILE takes in a handle's place and nothing else does),
 * lets it grow, or ends it: 0 bytes; who still maps it gets SIGBUS then. Its bytes, a multiple of
 * the page size, count as held by the application, mapped or not. New ones are zero.
 */
#define HUSK_MEMORY_FILE      0x80000000ULL /* set in the numbers of all */
#define HUSK_MEMORY_NEW       ((uint64_t)-1)
#define HUSK_MEMORY_FILES_MAX 256

#define HUSK_DIR_ROOT ((uint64_t)-1)
#define HUSK_STREAM   ((uint64_t)-1) /* no offset: the host descriptor's own position */
#define HUSK_IOV_MAX  1024           /* as Linux's UIO_MAXIOV */
#define HUSK_PATH_MAX 4096           /* a path with its zero, as Linux's PATH_MAX */

/* What HUSK_OP_OPEN returns: the handle in bits 0..31, enum husk_kind in bits 32..39. */
#define HUSK_OPEN_HANDLE(result) ((uint32_t)(result))
#define HUSK_OPEN_KIND(result)   ((enum husk_kind)((uint64_t)(result) >> 32 & 0xff))

/* Rights of pages. Write and execute together are refused (EACCES), and write implies read. */
enum husk_prot { HUSK_PROT_NONE = 0, HUSK_PROT_READ = 1, HUSK_PROT_WRITE = 2, HUSK_PROT_EXEC = 4 };

/* What a handle names, which tells guest-rt where its file offset lives. */
enum husk_kind {
    HUSK_KIND_NONE,   /* closed */
    HUSK_KIND_FILE,   /* regular file opened by the guest: offset kept in guest-rt */
    HUSK_KIND_DIR,    /* directory: offset kept by the host */
    HUSK_KIND_STREAM, /* pipe, socket, character device: no offset, HUSK_STREAM */
    HUSK_KIND_TTY,    /* a stream for which isatty(3) is true */
    HUSK_KIND_SHARED, /* regular file inherited as stdin, stdout or stderr: offset on the host */
    HUSK_KIND_SOCKET, /* TCP or UDP; every operation returns at once, with -EAGAIN if need be */
    HUSK_KIND_EPOLL,  /* HUSK_OP_EPOLL: readable when something came */
};

/*
 * Directories that guest-rt serves itself: the monitor knows them as places where a path leaves it.
 * Operations whose path leads into one return -EREMOTE, and HUSK_OP_RESOLVE then says where: it
 * returns the length of an absolute path, the local directory's own and the rest of the path behind
 * it as it is. 0: the path leads into none.
 */
enum husk_local_kind { HUSK_LOCAL_TMPFS, HUSK_LOCAL_SYNTHETIC };
#define HUSK_LOCALS_MAX 13

struct husk_local {
    uint64_t size; /* OUT of HUSK_LOCAL_TMPFS: bytes of contents */
    uint8_t kind;  /* OUT enum husk_local_kind */
    uint8_t length;
    char path[118]; /* OUT absolute, without ".", "..", "//" and trailing slash; not "/" */
};
_Static_assert(sizeof(struct husk_local) == 128, "no padding");

/* What a resolution does with the last name. */
enum husk_end {
    HUSK_END_FOLLOW, /* follows it if it is a symbolic link */
    HUSK_END_STAY,   /* looks at it itself */
    HUSK_END_PARENT, /* does not look: it is to be created, removed or renamed */
};

enum husk_mark { HUSK_MARK_FIRST, HUSK_MARK_START, HUSK_MARK_MAIN, HUSK_MARK_COUNT };

/* "dir, path, length" where an operation takes two of them. */
struct husk_path {
    uint64_t dir;      /* IN */
    guest_addr_t addr; /* IN */
    uint64_t len;      /* IN */
};
_Static_assert(sizeof(struct husk_path) == 24, "no padding");

struct husk_iovec {
    guest_addr_t base; /* IN */
    uint64_t len;      /* IN */
};
_Static_assert(sizeof(struct husk_iovec) == 16, "struct iovec's layout");

/* One thing to wait for. Without any, HUSK_OP_WAIT sleeps; UINT64_MAX nanoseconds have no end. */
struct husk_wait {
    uint32_t handle;
    int16_t events;  /* IN  as poll(2) */
    int16_t revents; /* OUT as poll(2); POLLNVAL for a handle that is none */
};
_Static_assert(sizeof(struct husk_wait) == 8, "struct pollfd's layout");
#define HUSK_WAIT_MAX 1088 /* as many as there can be handles */

/*
 * Receiving ahead. HUSK_OP_WAIT copies what waits in TCP sockets that are readable into the next
 * element, in their order, and HUSK_OP_EVENTS does so if an event's data have the handle of such a
 * socket in bits 0..31. It is a copy (MSG_PEEK): the host's socket has the data still and is as
 * readable as before, until HUSK_OP_SKIP says how much the application has read. So the copy stays
 * the start of what a receive would get, for as long as the guest receives nothing else. A socket
 * that was received from ahead is not again before the guest skips or receives; whether it pays the
 * monitor judges by the last receive.
 */
struct husk_ahead {
    guest_addr_t base; /* IN  where to put it */
    uint32_t room;     /* IN  bytes */
    uint32_t handle;   /* OUT the socket */
    uint32_t length;   /* OUT bytes, at least 1 */
    uint32_t pad;      /* 0 */
};
_Static_assert(sizeof(struct husk_ahead) == 24, "no padding");
#define HUSK_AHEAD_MAX  64
#define HUSK_AHEAD_ROOM 4096 /* bytes at most */

#define HUSK_MESSAGES_MAX 16
#define HUSK_HOSTS_MAX    4096 /* bytes that HUSK_OP_HOSTS has at most */

struct husk_message {
    guest_addr_t iov;   /* IN  struct husk_iovec[] */
    uint64_t iov_count; /* IN  at most HUSK_IOV_MAX */
    guest_addr_t
        name; /* IN  sockaddr: where to (0: none), or where to put from whom (0: nowhere) */
    uint32_t name_size; /* IN  its length or the room; OUT of RECEIVE: the whole length, 0: none */
    uint32_t flags;     /* OUT of RECEIVE: msg_flags */
    int64_t result;     /* OUT bytes */
};
_Static_assert(sizeof(struct husk_message) == 40, "no padding");

struct husk_clock {
    uint64_t realtime_ns;  /* OUT */
    uint64_t monotonic_ns; /* OUT */
    uint64_t boottime_ns;  /* OUT */
    uint64_t cpu_ns;       /* OUT CPU time of the monitor, which is the guest's */
};

/* The registers of interrupted code, in the order in which entry.asm pushes them. */
struct husk_regs {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t rip, cs, rflags, rsp, ss; /* as iretq pops them */
};
_Static_assert(sizeof(struct husk_regs) == 160, "entry.asm relies on it");

struct husk_fault {
    struct husk_regs regs; /* IN */
    uint64_t vector;       /* IN  SDM 3A 6.15 */
    uint64_t error;        /* IN  the error code, or 0 */
    uint64_t address;      /* IN  CR2 of a page fault */
    uint64_t signal;       /* IN  the signal that ends the run */
};

struct husk_trace {
    uint64_t number; /* IN  Linux x86-64 system call number */
    uint64_t arg[6]; /* IN */
    int64_t result;  /* IN  also -HUSK_RESTART_: the call may be made again after a signal */
    uint64_t exits;  /* IN  hypercalls made on its behalf */
    uint32_t thread; /* IN  who made it, or 0: there is only one */
    uint32_t signal; /* IN  1: a signal is delivered; ARG holds si_signo, si_code, si_pid, si_uid,
                        si_addr of siginfo_t, and nothing else counts */
};

/* Linux's own numbers inside the kernel: ERESTARTSYS and ERESTARTNOINTR. */
#define HUSK_RESTART_IF_ASKED 512
#define HUSK_RESTART_ALWAYS   513

/* HUSK_RING0_STACK's page, growing down from its end: what an exception stub leaves for ring 3. */
struct husk_exception {
    uint64_t address; /* CR2 */
    uint64_t rax;     /* the one register that the stub needed */
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
#define HUSK_EXCEPTION_SIZE 72
_Static_assert(sizeof(struct husk_exception) == HUSK_EXCEPTION_SIZE, "ring0.asm relies on it");

/* The start of the same page: what the system call stub of a conforming host leaves. */
struct husk_syscall_state {
    uint64_t rip;    /* the caller's rcx */
    uint64_t rflags; /* the caller's r11 */
};

/*
 * After it: where an interruption found the application. The vCPU goes on at the note's INTERRUPT
 * with all other registers as they were, and interrupts no more before it is back there.
 */
struct husk_interrupted {
    uint64_t rip, rflags, rsp;
};
#define HUSK_INTERRUPTED_OFFSET 16

#define HUSK_VECTORS       32    /* exceptions; nobody injects interrupts */
#define HUSK_STUB_SIZE     16    /* bytes of ring0.asm for each vector, from HUSK_RING0_TEXT */
#define HUSK_RING0_SYSCALL 0x400 /* offset of the system call stub in HUSK_RING0_TEXT */

/* Where the tables lie in HUSK_RING0_TABLES. */
#define HUSK_GDT_OFFSET   0x000
#define HUSK_TSS_OFFSET   0x080
#define HUSK_FRAME_OFFSET 0x180 /* the iretq frame with which exception stubs enter guest-rt */
#define HUSK_IDT_OFFSET   0x200

/* Selectors. Those of ring 3 are Linux's own: pagetable-based KVM runs ring 3 on the host's GDT. */
#define HUSK_KERNEL_CS 0x08
#define HUSK_KERNEL_SS 0x10
#define HUSK_USER_SS   0x2b
#define HUSK_USER_CS   0x33
#define HUSK_TSS_SEL   0x40

enum {
    HUSK_BOOT_TRACE = 1,    /* send HUSK_OP_TRACE after each system call */
    HUSK_BOOT_STATS = 2,    /* send HUSK_OP_MARK at each phase */
    HUSK_BOOT_FSGSBASE = 4, /* wrfsbase works */
    HUSK_BOOT_KVMCLOCK = 8, /* HUSK_CLOCK_PAGE works after the first HUSK_OP_CLOCK */
};

/* HUSK_BOOT_PAGE: everything that the monitor tells guest-rt. All OUT. */
struct husk_boot {
    uint32_t abi; /* HUSK_ABI_VERSION */
    uint32_t flags;
    uint64_t ram_size; /* bytes that may be mapped; near RAM is HUSK_NULL_GUARD..ram_size */
    guest_addr_t far_start, far_end;     /* far RAM; equal: there is none */
    guest_addr_t image_start, image_end; /* the application's segments, page-aligned */
    guest_addr_t stack_low, stack_top;   /* the main stack */
    guest_addr_t stack_pointer; /* argc, argv, envp, auxv: the System V ABI's initial stack */
    guest_addr_t entry;         /* the application's first instruction */
    guest_addr_t main_break;    /* where --stats put int3 over main's first byte, or 0 */
    uint32_t main_byte;         /* that byte */
    uint32_t uid, euid, gid, egid;
    uint32_t umask;
    uint64_t ignored;       /* bit N - 1: signal N was ignored when husk started */
    uint8_t stdio_kind[3];  /* enum husk_kind of descriptors 0, 1, 2 */
    uint8_t stdio_flags[3]; /* O_RDONLY, O_WRONLY or O_RDWR */
    uint16_t cwd_length;    /* of cwd, without the zero */
    char cwd[2048];         /* absolute guest path */
    uint64_t cwd_handle;    /* a directory's handle, or HUSK_DIR_ROOT: also for a local cwd */
    uint64_t local_count;
    struct husk_local locals[HUSK_LOCALS_MAX];
};
_Static_assert(sizeof(struct husk_boot) <= HUSK_PAGE_SIZE, "one page");

/*
 * The ELF note of guest-rt (owner "husk"). A husk image carries it with its application's entry;
 * the copy inside the monitor, for unmodified programs, with 0 there. All addresses but entry lie
 * in the window.
 */
#define HUSK_NOTE_OWNER "husk"
#define HUSK_NOTE_TYPE  1

struct husk_note {
    uint32_t abi;                 /* HUSK_ABI_VERSION */
    uint32_t flags;               /* 0 */
    guest_addr_t entry;           /* the application's _start, or 0 */
    guest_addr_t rt_start;        /* first instruction, ring 3, rsp is 0 */
    guest_addr_t syscall_direct;  /* target of `syscall` where it stays at ring 3 */
    guest_addr_t syscall_stubbed; /* target of the ring 0 stub elsewhere */
    guest_addr_t exception;       /* where exception stubs return to */
    guest_addr_t exception_stack; /* the rsp that they load */
    guest_addr_t interrupt;       /* where an interruption leads */
    guest_addr_t vdso;            /* an ELF header for AT_SYSINFO_EHDR */
};
_Static_assert(sizeof(struct husk_note) == 72, "no padding");

#endif
