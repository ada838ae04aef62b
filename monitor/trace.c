/* SPDX-License-Identifier: ISC */
#include "trace.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "syscalls.h"

#define STRING_SHOWN 200 /* bytes */
#define DATA_SHOWN   32
#define IOV_SHOWN    3    /* elements */
#define RESULT_ROOM  160  /* of the line, kept free for what follows the arguments */
#define ERRNO_MAX    4095 /* results -1 to -4095 are errors: include/linux/err.h */
#define O_CREATES    (O_CREAT | 020000000 /* __O_TMPFILE */)

/* The line being written. Once a piece did not fit, nothing more is written. */
struct line {
    char *text;
    size_t length, limit;
    bool full;
};

struct call {
    const struct guest_memory *memory;
    const struct husk_trace *record;
    struct line line;
};

static void put_bytes(struct line *line, const char *bytes, size_t length)
{
    if (line->full || length > line->limit - line->length) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->length, bytes, length);
    line->length += length;
}

static void put_text(struct line *line, const char *text)
{
    put_bytes(line, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    char piece[128];
    va_list args;

    va_start(args, format);
    vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);
    put_text(line, piece);
}

static bool is_error(int64_t result)
{
    return result < 0 && result >= -ERRNO_MAX;
}

/* Copy what is readable of LENGTH bytes at ADDR, up to the first page that is not. */
static size_t read_prefix(const struct guest_memory *memory, void *bytes, guest_addr_t addr,
                          size_t length)
{
    uint64_t readable = length;

    if (!memory_pointer_prefix(memory, addr, &readable, HUSK_PROT_READ))
        return 0;
    return memory_read(memory, bytes, addr, readable) < 0 ? 0 : readable;
}

static void put_address(struct call *call, guest_addr_t addr)
{
    if (addr == 0)
        put_text(&call->line, "NULL");
    else
        put(&call->line, "0x%" PRIx64, addr);
}

/* One byte of a string constant as C would write it; NEXT is the byte that follows, or 0. */
static void put_escaped(struct line *line, unsigned char byte, unsigned char next)
{
    static const char letters[] = "\aa\bb\tt\nn\vv\ff\rr\"\"\\\\";
    const char *letter = byte ? strchr(letters, byte) : NULL;

    if (byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\')
        put_bytes(line, (const char *)&byte, 1);
    else if (letter)
        put(line, "\\%c", letter[1]);
    else
        put(line, next >= '0' && next <= '7' ? "\\%03o" : "\\%o", byte);
}

static void put_quoted(struct line *line, const unsigned char *bytes, size_t length, bool complete)
{
    put_text(line, "\"");
    for (size_t i = 0; i < length; i++)
        put_escaped(line, bytes[i], i + 1 < length ? bytes[i + 1] : 0);
    put_text(line, complete ? "\"" : "\"...");
}

static void put_string(struct call *call, guest_addr_t addr)
{
    unsigned char bytes[STRING_SHOWN + 1];
    size_t readable = read_prefix(call->memory, bytes, addr, sizeof(bytes));
    size_t length = strnlen((const char *)bytes, readable);
    bool complete = length < readable;

    if (readable == 0) {
        put_address(call, addr);
        return;
    }
    put_quoted(&call->line, bytes, length < STRING_SHOWN ? length : STRING_SHOWN, complete);
}

static void put_data(struct call *call, guest_addr_t addr, uint64_t length)
{
    unsigned char bytes[DATA_SHOWN];
    size_t wanted = length < DATA_SHOWN ? length : DATA_SHOWN;
    size_t readable = read_prefix(call->memory, bytes, addr, wanted);

    if (addr == 0 || (wanted > 0 && readable == 0)) {
        put_address(call, addr);
        return;
    }
    put_quoted(&call->line, bytes, readable, readable == length);
}

/* COUNT elements of which the first AVAILABLE bytes hold data. */
static void put_iov(struct call *call, guest_addr_t addr, uint64_t count, uint64_t available)
{
    struct husk_iovec iov[IOV_SHOWN];
    uint64_t wanted = count < IOV_SHOWN ? count : IOV_SHOWN;
    size_t readable = read_prefix(call->memory, iov, addr, wanted * sizeof(iov[0]));
    uint64_t shown = readable / sizeof(iov[0]);

    if (wanted > 0 && shown == 0) {
        put_address(call, addr);
        return;
    }
    put_text(&call->line, "[");
    for (uint64_t i = 0; i < shown; i++) {
        uint64_t filled = iov[i].len < available ? iov[i].len : available;
        put_text(&call->line, i ? ", {iov_base=" : "{iov_base=");
        put_data(call, iov[i].base, filled);
        put(&call->line, ", iov_len=%" PRIu64 "}", iov[i].len);
        available -= filled;
    }
    put_text(&call->line, shown < count ? ", ...]" : "]");
}

static void put_time(struct call *call, guest_addr_t addr)
{
    struct {
        int64_t sec, nsec;
    } time;

    if (memory_read(call->memory, &time, addr, sizeof(time))) {
        put_address(call, addr);
        return;
    }
    put(&call->line, "{tv_sec=%" PRId64 ", tv_nsec=%" PRId64 "}", time.sec, time.nsec);
}

static void put_signal(struct call *call, int number)
{
    const char *name = signal_name(number);

    if (name)
        put_text(&call->line, name);
    else
        put(&call->line, "%d", number);
}

/* VALUE as the names that its kind has for it, and in hexadecimal what is left of it. */
static void put_names(struct call *call, enum arg_kind kind, uint32_t value)
{
    struct line *line = &call->line;
    const char *separator = "";
    uint32_t rest = value;

    for (size_t i = 0; i < arg_names_count; i++) {
        const struct arg_name *name = &arg_names[i];
        if (name->kind != kind || (rest & name->mask) != name->value)
            continue;
        put(line, "%s%s", separator, name->name);
        separator = "|";
        rest &= ~name->mask;
        if (rest == 0)
            return;
    }
    if (rest)
        put(line, "%s0x%" PRIx32, separator, rest);
    else
        put_text(line, "0");
}

static void put_fcntl_arg(struct call *call, int command, uint64_t value)
{
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_SETFD:
        put(&call->line, "%d", (int)value);
        return;
    case F_SETFL:
        put_names(call, ARG_OPEN, (uint32_t)value);
        return;
    default:
        put(&call->line, "0x%" PRIx64, value);
    }
}

static void put_argument(struct call *call, enum arg_kind kind, size_t index)
{
    struct line *line = &call->line;
    const uint64_t *arg = call->record->arg;
    uint64_t value = arg[index];
    uint64_t next = index + 1 < 6 ? arg[index + 1] : 0;
    int64_t result = call->record->result;

    /* What the call should have filled in holds nothing to show after an error. */
    if ((kind == ARG_STRING_FILLED || kind == ARG_FILLED || kind == ARG_IOV_FILLED ||
         kind == ARG_TIME_FILLED) &&
        result < 0)
        kind = ARG_ADDR;

    switch (kind) {
    case ARG_INT:
    case ARG_FD:
        put(line, "%d", (int)value);
        return;
    case ARG_DIR:
        if ((int)value == AT_FDCWD)
            put_text(line, "AT_FDCWD");
        else
            put(line, "%d", (int)value);
        return;
    case ARG_LONG:
        put(line, "%" PRId64, (int64_t)value);
        return;
    case ARG_SIZE:
        put(line, "%" PRIu64, value);
        return;
    case ARG_ADDR:
        put_address(call, value);
        return;
    case ARG_STRING:
    case ARG_STRING_FILLED:
        put_string(call, value);
        return;
    case ARG_DATA:
        put_data(call, value, next);
        return;
    case ARG_FILLED:
        put_data(call, value, (uint64_t)result);
        return;
    case ARG_IOV:
        put_iov(call, value, next, UINT64_MAX);
        return;
    case ARG_IOV_FILLED:
        put_iov(call, value, next, (uint64_t)result);
        return;
    case ARG_TIME:
    case ARG_TIME_FILLED:
        put_time(call, value);
        return;
    case ARG_SIGNAL:
        put_signal(call, (int)value);
        return;
    case ARG_MODE:
    case ARG_CREATE_MODE:
        put(line, "%#o", (unsigned)value);
        return;
    case ARG_FCNTL_ARG:
        put_fcntl_arg(call, (int)arg[index - 1], value);
        return;
    case ARG_NONE:
    case ARG_HEX:
        put(line, "0x%" PRIx64, value);
        return;
    default:
        put_names(call, kind, (uint32_t)value);
    }
}

/* Whether the call does not read argument INDEX, so that the register holds anything. */
static bool is_unused(enum arg_kind kind, const uint64_t *arg, size_t index)
{
    if (kind == ARG_CREATE_MODE)
        return (arg[index - 1] & O_CREATES) == 0;
    if (kind == ARG_FCNTL_ARG)
        return (int)arg[index - 1] == F_GETFD || (int)arg[index - 1] == F_GETFL;
    return kind == ARG_NONE;
}

static void put_arguments(struct call *call, const struct syscall_info *info)
{
    for (size_t i = 0; i < 6; i++) {
        enum arg_kind kind = info ? (enum arg_kind)info->args[i] : ARG_HEX;
        if (is_unused(kind, call->record->arg, i))
            return;
        if (i > 0)
            put_text(&call->line, ", ");
        put_argument(call, kind, i);
    }
}

/* A call that a signal ended: as strace shows it. False: RESULT is another. */
static bool put_restart(struct line *line, int64_t result)
{
    if (result == -HUSK_RESTART_IF_ASKED)
        put_text(line, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
    else if (result == -HUSK_RESTART_ALWAYS)
        put_text(line, "? ERESTARTNOINTR (To be restarted)");
    return result == -HUSK_RESTART_IF_ASKED || result == -HUSK_RESTART_ALWAYS;
}

static void put_result(struct call *call)
{
    struct line *line = &call->line;
    int64_t result = call->record->result;

    if (put_restart(line, result))
        return;
    if (is_error(result)) {
        const char *name = errno_name((int)-result);
        if (name)
            put(line, "-1 %s (%.60s)", name, strerror((int)-result));
        else
            put(line, "-1 errno %d", (int)-result);
        return;
    }
    switch (call->record->number) {
    case SYS_exit:
    case SYS_exit_group:
    case SYS_rt_sigreturn:
        put_text(line, "?");
        return;
    case SYS_brk:
    case SYS_mmap:
    case SYS_mremap:
    case SYS_shmat:
        put(line, "0x%" PRIx64, (uint64_t)result);
        return;
    default:
        put(line, "%" PRId64, result);
    }
}

/* si_code of siginfo.h: those that any signal may have, and those of faults. */
static const char *code_name(int signal, int code)
{
    static const struct {
        int signal, code; /* SIGNAL 0: any */
        char name[12];
    } names[] = {
        {0, SI_USER, "SI_USER"},
        {0, SI_KERNEL, "SI_KERNEL"},
        {0, SI_QUEUE, "SI_QUEUE"},
        {0, SI_TIMER, "SI_TIMER"},
        {0, SI_TKILL, "SI_TKILL"},
        {SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR"},
        {SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR"},
        {SIGBUS, BUS_ADRALN, "BUS_ADRALN"},
        {SIGBUS, BUS_ADRERR, "BUS_ADRERR"},
        {SIGFPE, FPE_INTDIV, "FPE_INTDIV"},
        {SIGFPE, FPE_FLTDIV, "FPE_FLTDIV"},
        {SIGFPE, FPE_FLTOVF, "FPE_FLTOVF"},
        {SIGFPE, FPE_FLTUND, "FPE_FLTUND"},
        {SIGFPE, FPE_FLTRES, "FPE_FLTRES"},
        {SIGFPE, FPE_FLTINV, "FPE_FLTINV"},
        {SIGILL, ILL_ILLOPN, "ILL_ILLOPN"},
        {SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT"},
        {SIGTRAP, TRAP_TRACE, "TRAP_TRACE"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].code == code && (!names[i].signal || names[i].signal == signal))
            return names[i].name;
    return NULL;
}

/* What of siginfo_t holds something depends on si_code. */
static void put_delivery(struct call *call)
{
    const uint64_t *arg = call->record->arg;
    struct line *line = &call->line;
    int signal = (int)arg[0], code = (int)arg[1];
    const char *name = code_name(signal, code);

    put_text(line, "--- ");
    put_signal(call, signal);
    put_text(line, " {si_signo=");
    put_signal(call, signal);
    put_text(line, ", si_code=");
    if (name)
        put_text(line, name);
    else
        put(line, "%d", code);
    if (code == SI_USER || code == SI_TKILL || code == SI_QUEUE)
        put(line, ", si_pid=%d, si_uid=%u", (int)arg[2], (unsigned)arg[3]);
    else if (code > 0 && code < SI_KERNEL) {
        put_text(line, ", si_addr=");
        put_address(call, arg[4]);
    }
    put_text(line, "} ---\n");
}

static size_t end_line(struct line *line)
{
    line->text[line->length] = '\0';
    return line->length;
}

size_t trace_format(const struct guest_memory *memory, const struct husk_trace *record,
                    char text[TRACE_LINE_MAX])
{
    const struct syscall_info *info = syscall_info(record->number);
    struct call call = {
        .memory = memory,
        .record = record,
        .line = {.text = text, .limit = TRACE_LINE_MAX - RESULT_ROOM},
    };
    struct line *line = &call.line;

    if (record->thread)
        put(line, "[pid %" PRIu32 "] ", record->thread);
    if (record->signal) {
        put_delivery(&call);
        return end_line(line);
    }
    if (info)
        put(line, "%s(", info->name);
    else
        put(line, "syscall_%" PRIu64 "(", record->number);
    put_arguments(&call, info);

    line->limit = TRACE_LINE_MAX - 1;
    if (line->full) {
        line->full = false;
        put_text(line, "...");
    }
    put_text(line, ") = ");
    put_result(&call);
    if (record->exits == 1)
        put_text(line, " <1 exit>");
    else if (record->exits > 1)
        put(line, " <%" PRIu64 " exits>", record->exits);
    put_text(line, "\n");
    return end_line(line);
}
