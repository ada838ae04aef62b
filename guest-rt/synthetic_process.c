/* SPDX-License-Identifier: ISC
 *
 * What /proc/self tells of the process.
 */
#include <asm/auxvec.h>
#include <linux/auxvec.h>
#include <linux/elf.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>

#include "synthetic.h"
#include "synthetic_files.h"
#include "vma.h"

#define SEGMENTS_MAX 16

/* The stack that the application started with, System V ABI figure 3.9. */
static struct {
    uint64_t argc;
    guest_addr_t argv, envp;
    guest_addr_t phdr; /* AT_PHDR, AT_PHNUM */
    uint64_t phnum;
    guest_addr_t name; /* AT_EXECFN */
} process;

static char image[HUSK_PATH_MAX];

static void read_auxv(guest_addr_t addr)
{
    uint64_t pair[2];

    for (; user_read(&pair, addr) == 0 && pair[0] != AT_NULL; addr += sizeof(pair)) {
        if (pair[0] == AT_PHDR)
            process.phdr = pair[1];
        if (pair[0] == AT_PHNUM)
            process.phnum = pair[1];
        if (pair[0] == AT_EXECFN)
            process.name = pair[1];
    }
}

/* How many bytes of NAME say no more than "here". */
static size_t dots(const char *name)
{
    size_t len = 0;

    while (name[len] == '.' && name[len + 1] == '/')
        len += 2;
    return len;
}

/* The image's path, made absolute. The application may overwrite the original. */
static void copy_name(void)
{
    long len = process.name ? user_scan((const char *)process.name, sizeof(image) / 2) : 0;
    size_t before = BOOT->cwd_length, slash, skip;

    if (len <= 0 || user_copy(image, (const char *)process.name, len) < 0 || image[0] == '/')
        return;
    skip = dots(image);
    len -= (long)skip;
    memmove(image, image + skip, len);
    memset(image + len, 0, skip);
    slash = before == 0 || BOOT->cwd[before - 1] != '/';
    if (before + slash + len >= sizeof(image))
        len = sizeof(image) - before - slash - 1;
    memmove(image + before + slash, image, len);
    memcpy(image, (const char *)BOOT->cwd, before);
    if (slash)
        image[before] = '/';
}

/* The absolute path that NAME is from the working directory, in PATH; false: there is none. */
static bool from_here(guest_addr_t name, long len, char path[2 * HUSK_PATH_MAX])
{
    const struct call here = {.arg = {(uint64_t)path, HUSK_PATH_MAX}};
    char *end;

    if (sys_getcwd(&here) < 0)
        return false;
    end = path + strlen(path);
    if (end == path || end[-1] != '/')
        *end++ = '/';
    if (user_copy(end, (const char *)name, len + 1) < 0)
        return false;
    memmove(end, end + dots(end), len + 1 - dots(end));
    return true;
}

bool synthetic_names_image(uint64_t dirfd, guest_addr_t addr)
{
    static char path[2 * HUSK_PATH_MAX];
    long len = user_scan((const char *)addr, HUSK_PATH_MAX);
    const char *name = path, *at = image;

    if (len <= 0 || len == HUSK_PATH_MAX || user_copy(path, (const char *)addr, len + 1) < 0)
        return false;
    if (path[0] != '/' && ((int)dirfd != AT_FDCWD || !from_here(addr, len, path)))
        return false;
    while (*at && *at == *name) {
        at++;
        name++;
    }
    return *image && !*at && !*name;
}

/* As execve(2) does. */
static void name_process(void)
{
    const char *name = image;

    for (const char *at = image; *at; at++)
        if (*at == '/')
            name = at + 1;
    thread_set_name((guest_addr_t)name);
}

void synthetic_init(void)
{
    guest_addr_t at = BOOT->stack_pointer;
    uint64_t pointer;

    if (user_read(&process.argc, at) < 0)
        return;
    process.argv = at + 8;
    process.envp = process.argv + 8 * (process.argc + 1);
    at = process.envp;
    do {
        if (user_read(&pointer, at) < 0)
            return;
        at += sizeof(pointer);
    } while (pointer);
    read_auxv(at);
    copy_name();
    name_process();
}

void synthetic_exe(struct text *text)
{
    text_string(text, image);
}

void synthetic_cwd(struct text *text)
{
    static char path[HUSK_PATH_MAX];
    const struct call call = {.arg = {(uint64_t)path, sizeof(path)}};

    if (sys_getcwd(&call) > 0)
        text_string(text, path);
}

/* Strings by an array of pointers that ends with NULL, each with its zero. */
static void put_strings(struct text *text, guest_addr_t array)
{
    uint64_t string;

    for (; array && user_read(&string, array) == 0 && string; array += sizeof(string)) {
        text_user_string(text, string);
        text_char(text, 0);
    }
}

void synthetic_cmdline(struct text *text)
{
    put_strings(text, process.argv);
}

void synthetic_environ(struct text *text)
{
    put_strings(text, process.envp);
}

static void put_comm(struct text *text)
{
    char name[16] = {0};
    const struct call call = {.arg = {PR_GET_NAME, (uint64_t)name}};

    sys_prctl(&call);
    text_string(text, name);
}

void synthetic_comm(struct text *text)
{
    put_comm(text);
    text_char(text, '\n');
}

/* A loaded part of the image. */
struct segment {
    uint64_t start, end, offset;
    uint8_t prot;
};

struct segments {
    struct segment list[SEGMENTS_MAX];
    size_t count;
};

static uint8_t prot_of(uint32_t flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

/* From the program headers, which are the application's: nothing is believed but addresses. */
static void find_segments(struct segments *segments)
{
    uint64_t bias = 0;
    struct elf64_phdr header;

    segments->count = 0;
    for (uint64_t i = 0; i < process.phnum && segments->count < SEGMENTS_MAX; i++) {
        if (user_read(&header, process.phdr + i * sizeof(header)) < 0)
            return;
        if (header.p_type != PT_LOAD || header.p_memsz == 0)
            continue;
        if (segments->count == 0)
            bias = BOOT->image_start - page_down(header.p_vaddr);
        segments->list[segments->count++] = (struct segment){
            .start = page_down(header.p_vaddr + bias),
            .end = page_up(header.p_vaddr + bias + header.p_memsz),
            .offset = page_down(header.p_offset),
            .prot = prot_of(header.p_flags),
        };
    }
}

static const struct segment *segment_at(const struct segments *segments, uint64_t addr)
{
    for (size_t i = 0; i < segments->count; i++)
        if (addr >= segments->list[i].start && addr < segments->list[i].end)
            return &segments->list[i];
    return NULL;
}

static uint64_t nearer(uint64_t after, uint64_t limit, uint64_t boundary)
{
    return boundary > after && boundary < limit ? boundary : limit;
}

/* guest-rt joins mappings that Linux keeps apart: the end of the piece that starts at START. */
static uint64_t piece_end(const struct segments *segments, uint64_t start, uint64_t end)
{
    end = nearer(start, end, BOOT->image_end);
    end = nearer(start, end, BOOT->stack_low);
    for (size_t i = 0; i < segments->count; i++) {
        end = nearer(start, end, segments->list[i].start);
        end = nearer(start, end, segments->list[i].end);
    }
    return end;
}

static const char *piece_name(uint64_t start)
{
    if (start >= BOOT->image_start && start < BOOT->image_end)
        return image;
    if (start == BOOT->image_end)
        return "[heap]";
    return start >= BOOT->stack_low && start < BOOT->stack_top ? "[stack]" : "";
}

/* A line as fs/proc/task_mmu.c of Linux writes it: the name starts at column 73. */
static void put_piece(struct text *text, const struct vma *vma, uint64_t start, uint64_t end,
                      const struct segment *segment)
{
    uint64_t offset = vma->file ? vma->offset + (start - vma->start) : 0, line = text->len;
    uint8_t prot = vma->prot;
    const char *name = piece_name(start);

    if (segment) {
        offset = segment->offset + (start - segment->start);
        if (prot == (PROT_READ | PROT_WRITE)) /* as it was loaded */
            prot = segment->prot;
    }
    text_hex(text, start, 8);
    text_char(text, '-');
    text_hex(text, end, 8);
    text_char(text, ' ');
    text_char(text, prot & PROT_READ ? 'r' : '-');
    text_char(text, prot & PROT_WRITE ? 'w' : '-');
    text_char(text, prot & PROT_EXEC ? 'x' : '-');
    text_char(text, vma->shared ? 's' : 'p');
    text_char(text, ' ');
    text_hex(text, offset, 8);
    text_string(text, " 00:00 0 ");
    if (*name) {
        text_pad(text, line + 73);
        text_string(text, name);
    }
    text_char(text, '\n');
}

/* The table changes while text goes to memory that the monitor does not know yet. */
void synthetic_maps(struct text *text)
{
    struct segments segments;
    const struct vma *found;
    struct vma vma = {0};
    uint64_t start, end;

    find_segments(&segments);
    while ((found = vma_after(vma.end))) {
        start = vma.end;
        vma = *found;
        start = start > vma.start ? start : vma.start;
        for (; start < vma.end; start = end) {
            end = piece_end(&segments, start, vma.end);
            put_piece(text, &vma, start, end, segment_at(&segments, start));
        }
    }
}

static void put_number(struct text *text, const char *name, uint64_t value)
{
    text_string(text, name);
    text_decimal(text, value, 0);
    text_char(text, '\n');
}

static void put_size(struct text *text, const char *name, uint64_t bytes)
{
    text_string(text, name);
    text_char(text, '\t');
    text_decimal(text, bytes / 1024, 8);
    text_string(text, " kB\n");
}

static void put_ids(struct text *text, const char *name, uint32_t real, uint32_t effective)
{
    const uint32_t ids[] = {real, effective, effective, effective};

    text_string(text, name);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        text_char(text, '\t');
        text_decimal(text, ids[i], 0);
    }
    text_char(text, '\n');
}

static void put_sizes(struct text *text)
{
    uint64_t total = vma_total(), held = vma_held(), stack = BOOT->stack_top - BOOT->stack_low;
    uint64_t loaded = BOOT->image_end - BOOT->image_start;
    uint64_t data = total > stack + loaded ? total - stack - loaded : 0;

    put_size(text, "VmPeak:", total);
    put_size(text, "VmSize:", total);
    put_size(text, "VmLck:", 0);
    put_size(text, "VmPin:", 0);
    put_size(text, "VmHWM:", held);
    put_size(text, "VmRSS:", held);
    put_size(text, "RssAnon:", held);
    put_size(text, "RssFile:", 0);
    put_size(text, "RssShmem:", 0);
    put_size(text, "VmData:", data);
    put_size(text, "VmStk:", stack);
    put_size(text, "VmExe:", loaded);
    put_size(text, "VmLib:", 0);
    put_size(text, "VmPTE:", 0);
    put_size(text, "VmSwap:", 0);
}

void synthetic_status(struct text *text)
{
    uint32_t mask = 0777 & ~file_mode(0777);

    text_string(text, "Name:\t");
    put_comm(text);
    text_string(text, "\nUmask:\t0");
    text_char(text, '0' + (mask >> 6 & 7));
    text_char(text, '0' + (mask >> 3 & 7));
    text_char(text, '0' + (mask & 7));
    text_string(text, "\nState:\tR (running)\n");
    put_number(text, "Tgid:\t", PID);
    put_number(text, "Ngid:\t", 0);
    put_number(text, "Pid:\t", PID);
    put_number(text, "PPid:\t", PARENT_PID);
    put_number(text, "TracerPid:\t", 0);
    put_ids(text, "Uid:", BOOT->uid, BOOT->euid);
    put_ids(text, "Gid:", BOOT->gid, BOOT->egid);
    put_number(text, "FDSize:\t", FILES_MAX);
    text_string(text, "Groups:\t \n");
    put_sizes(text);
    put_number(text, "Threads:\t", 1);
    text_string(text, "NoNewPrivs:\t1\nSeccomp:\t0\n"
                      "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n"
                      "Mems_allowed:\t1\nMems_allowed_list:\t0\n"
                      "voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
}

/* The 52 fields of proc_pid_stat(5). */
void synthetic_process_stat(struct text *text)
{
    enum { PPID = 4, PGRP, SESSION, UTIME = 14, PRIORITY = 18, THREADS = 20, VSIZE = 23, RSS };
    uint64_t fields[53] = {
        [PPID] = PARENT_PID,
        [PGRP] = PID,
        [SESSION] = PID,
        [UTIME] = synthetic_cpu_ticks(),
        [PRIORITY] = 20,
        [THREADS] = 1,
        [VSIZE] = vma_total(),
        [RSS] = vma_held() / HUSK_PAGE_SIZE,
        [25] = UINT64_MAX, /* limit of the resident set */
        [26] = BOOT->image_start,
        [27] = BOOT->image_end,
        [28] = BOOT->stack_pointer,
    };

    text_decimal(text, PID, 0);
    text_string(text, " (");
    put_comm(text);
    text_string(text, ") R");
    for (size_t i = PPID; i < ARRAY_SIZE(fields); i++) {
        text_char(text, ' ');
        text_decimal(text, fields[i], 0);
    }
    text_char(text, '\n');
}

/* proc_pid_statm(5), in pages. */
void synthetic_statm(struct text *text)
{
    uint64_t pages = vma_total() / HUSK_PAGE_SIZE;
    const uint64_t fields[] = {pages, vma_held() / HUSK_PAGE_SIZE,
                               0,     (BOOT->image_end - BOOT->image_start) / HUSK_PAGE_SIZE,
                               0,     pages,
                               0};

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (i > 0)
            text_char(text, ' ');
        text_decimal(text, fields[i], 0);
    }
    text_char(text, '\n');
}
