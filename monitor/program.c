/* SPDX-License-Identifier: ISC */
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "embedded.h"
#include "symbols.h"

#define STACK_SIZE      (8ULL << 20) /* as Linux's default RLIMIT_STACK, at most a quarter of RAM */
#define STACK_GUARD     (1ULL << 20)
#define PIE_LOWEST      (1ULL << 20)
#define MEMORY_UNIT     (2ULL << 20) /* to which --memory is rounded up */
#define HWCAP2_FSGSBASE 2            /* arch/x86/include/uapi/asm/hwcap2.h */
#define CLOCK_TICKS     100
#define SMALL_HEAP      (4ULL << 20)         /* behind the image, before huge pages may begin */
#define MAPPED_MIN      (8 * HUSK_PAGE_SIZE) /* of a file: reading fewer pages costs less */

static uint64_t page_down(uint64_t value)
{
    return value & ~(uint64_t)(HUSK_PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t value)
{
    return page_down(value + HUSK_PAGE_SIZE - 1);
}

int program_open(struct program *program, const char *path, struct husk_error *err)
{
    /* Not open: musl's says O_CLOEXEC a second time, with fcntl(2). */
    cleanup_fd int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct elf_file file = {.name = path};
    struct stat status;

    *program = (struct program){.image.file.fd = -1};
    if (fd < 0)
        return error_set(err, errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND : STATUS_IMAGE,
                         "%s: %s", path,
                         errno == ENOENT ? "no such image on the host" : strerror(errno));
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return error_set(err, STATUS_IMAGE, "%s: not a regular file; name a static ELF program",
                         path);
    file.fd = fd;
    file.size = status.st_size;
    if (elf_parse(&file, &program->image, err) < 0)
        return -1;
    fd_release(&fd);
    return 0;
}

/* The least --memory, in MiB, for an image up to address HIGH with a guard and a stack above it. */
static uint64_t memory_for(uint64_t high)
{
    uint64_t below = high + STACK_GUARD;
    uint64_t stack = below / 3 < STACK_SIZE ? below / 3 + 1 : STACK_SIZE;

    return (below + stack + MEMORY_UNIT - 1) / MEMORY_UNIT * (MEMORY_UNIT >> 20);
}

static int choose_bias(struct program *program, const struct guest_memory *memory,
                       struct husk_error *err)
{
    const struct elf_image *image = &program->image;
    uint64_t top = program->stack_low - STACK_GUARD, size = image->high - image->low, random;

    if (size > top || (!image->pie && image->high > top) || (image->pie && size + PIE_LOWEST > top))
        return error_set(
            err, STATUS_IMAGE,
            "%s: does not fit into %lluM with its stack; give --memory %lluM or more",
            image->file.name, (unsigned long long)memory->ram_size >> 20,
            (unsigned long long)memory_for(image->pie ? PIE_LOWEST + size : image->high));
    if (!image->pie)
        return 0;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return error_set(err, STATUS_HUSK, "getrandom: %s", strerror(errno));
    /* In the lower half, so that the heap behind it can grow. */
    program->bias =
        PIE_LOWEST + page_down(random % ((top - size - PIE_LOWEST) / 2 + 1)) - image->low;
    return 0;
}

static guest_addr_t address_of(const struct elf_segment *segment, uint64_t bias)
{
    return segment->vaddr + (segment->vaddr < HUSK_WINDOW ? bias : 0);
}

/* Does NEXT continue SEGMENT page by page, in memory as in the file? */
static bool continues(const struct elf_segment *segment, const struct elf_segment *next)
{
    return segment->mem_size == segment->file_size &&
           page_up(segment->vaddr + segment->mem_size) == page_down(next->vaddr) &&
           next->vaddr - segment->vaddr == next->file_offset - segment->file_offset;
}

/* A file whose pages an image's pages can be: the image starts in it at OFFSET. FD may be -1. */
struct backing {
    int fd;
    uint64_t offset;
};

/*
 * The contents of segments that continue each other, from FIRST to LAST. Many pages of a file are
 * not read but mapped, as far as they hold nothing that must be zero; as on Linux, the rest of a
 * page behind a segment shows what follows in the file.
 */
static int fill_segments(const struct elf_file *file, const struct backing *backing,
                         const struct elf_segment *first, const struct elf_segment *last,
                         uint64_t bias, struct guest_memory *memory)
{
    guest_addr_t addr = address_of(first, bias), end = address_of(last, bias) + last->file_size;
    guest_addr_t start = page_down(addr), mapped = page_down(end);

    if (last->mem_size == last->file_size)
        mapped = page_up(end);
    if (backing->fd < 0 || mapped < start + MAPPED_MIN)
        return elf_read(file, first->file_offset, memory_host(memory, addr), end - addr);
    if (memory_place_file(memory, start, mapped - start, backing->fd,
                          backing->offset + page_down(first->file_offset)) < 0)
        return -1;
    return mapped >= end ? 0
                         : elf_read(file, first->file_offset + (mapped - addr),
                                    memory_host(memory, mapped), end - mapped);
}

static int load_segments(const struct elf_image *image, const struct backing *backing,
                         uint64_t bias, struct guest_memory *memory, struct husk_error *err)
{
    const struct elf_segment *segments = image->segments;
    unsigned count;

    for (unsigned i = 0; i < image->segment_count; i++) {
        guest_addr_t addr = address_of(&segments[i], bias);
        guest_addr_t start = page_down(addr), end = page_up(addr + segments[i].mem_size);
        int ret = memory_map(memory, start, end - start, segments[i].prot);

        if (ret < 0)
            return error_set(err, ret == -EINVAL ? STATUS_IMAGE : STATUS_HUSK,
                             "%s: segment %u at 0x%llx cannot be mapped: %s", image->file.name, i,
                             (unsigned long long)addr, strerror(-ret));
    }
    for (unsigned i = 0; i < image->segment_count; i += count) {
        for (count = 1; i + count < image->segment_count; count++)
            if (!continues(&segments[i + count - 1], &segments[i + count]))
                break;
        if (fill_segments(&image->file, backing, &segments[i], &segments[i + count - 1], bias,
                          memory) < 0)
            return error_set(err, STATUS_IMAGE,
                             "%s: segment %u cannot be read; is the file being changed?",
                             image->file.name, i);
    }
    return 0;
}

static int load_runtime(struct program *program, struct guest_memory *memory,
                        struct husk_error *err)
{
    const struct elf_file file = {
        .name = "guest-rt", .fd = -1, .data = embedded_guest_rt, .size = embedded_guest_rt_size};
    struct backing husk = {0};
    cleanup_fd int fd = -1;
    struct elf_image rt;

    if (program->image.husk) {
        program->rt = program->image.note;
        return 0;
    }
    fd = embedded_open(file.data, &husk.offset);
    husk.fd = fd;
    if (elf_parse(&file, &rt, err) < 0 || load_segments(&rt, &husk, 0, memory, err) < 0)
        return -1;
    program->rt = rt.note;
    return 0;
}

int program_load(struct program *program, struct guest_memory *memory, struct husk_error *err)
{
    uint64_t stack = memory->ram_size / 4 < STACK_SIZE ? memory->ram_size / 4 : STACK_SIZE;

    program->stack_top = memory->ram_size;
    program->stack_low = program->stack_top - page_down(stack);
    if (choose_bias(program, memory, err) < 0)
        return -1;
    memory_keep_small(memory, program->image.low + program->bias,
                      program->image.high + program->bias + SMALL_HEAP);
    if (memory_map(memory, program->stack_low, program->stack_top - program->stack_low,
                   HUSK_PROT_READ | HUSK_PROT_WRITE) < 0)
        return error_set(err, STATUS_HUSK, "the guest's stack cannot be mapped");
    if (load_segments(&program->image, &(struct backing){program->image.file.fd, 0}, program->bias,
                      memory, err) < 0)
        return -1;
    return load_runtime(program, memory, err);
}

/* The initial stack, filled downwards. */
struct stack {
    const struct guest_memory *memory;
    guest_addr_t at, limit;
    bool full;
};

static guest_addr_t push(struct stack *stack, const void *data, size_t len)
{
    if (len > stack->at - stack->limit) {
        stack->full = true;
        return 0;
    }
    stack->at -= len;
    memcpy(memory_host(stack->memory, stack->at), data, len);
    return stack->at;
}

static guest_addr_t push_string(struct stack *stack, const char *string)
{
    return push(stack, string, strlen(string) + 1);
}

static void push_word(struct stack *stack, uint64_t word)
{
    push(stack, &word, sizeof(word));
}

static void push_auxiliary(struct stack *stack, const struct program *program, guest_addr_t random,
                           guest_addr_t name, guest_addr_t platform)
{
    const struct elf_image *image = &program->image;
    const uint64_t entry = image->husk ? image->note.entry : image->entry;
    const uint64_t auxiliary[][2] = {
        {AT_PHDR, image->phdr_vaddr ? image->phdr_vaddr + program->bias : 0},
        {AT_PHENT, sizeof(Elf64_Phdr)},
        {AT_PHNUM, image->phdr_count},
        {AT_PAGESZ, HUSK_PAGE_SIZE},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, entry + program->bias},
        {AT_UID, getauxval(AT_UID)},
        {AT_EUID, getauxval(AT_EUID)},
        {AT_GID, getauxval(AT_GID)},
        {AT_EGID, getauxval(AT_EGID)},
        {AT_SECURE, 0},
        {AT_SYSINFO_EHDR, program->rt.vdso},
        {AT_CLKTCK, CLOCK_TICKS},
        {AT_HWCAP, getauxval(AT_HWCAP)},
        {AT_HWCAP2, getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE},
        {AT_MINSIGSTKSZ, getauxval(AT_MINSIGSTKSZ)},
        {AT_PLATFORM, platform},
        {AT_RANDOM, random},
        {AT_EXECFN, name},
        {AT_NULL, 0},
    };

    push(stack, auxiliary, sizeof(auxiliary));
}

/* Push the strings of argv and envp, then what points to them. Returns argc's address. */
static guest_addr_t build_stack(struct stack *stack, const struct program *program, char **argv,
                                size_t argc, const char **env, size_t env_count,
                                const uint8_t seed[16], guest_addr_t *pointers)
{
    guest_addr_t name = push_string(stack, argv[0]), platform = push_string(stack, "x86_64");
    guest_addr_t random = push(stack, seed, 16);

    for (size_t i = env_count; i-- > 0;)
        pointers[argc + 1 + i] = push_string(stack, env[i]);
    pointers[argc + 1 + env_count] = 0;
    for (size_t i = argc; i-- > 0;)
        pointers[i] = push_string(stack, argv[i]);
    pointers[argc] = 0;

    /* The stack pointer is a multiple of 16 at argc; the auxiliary vector is one in size. */
    stack->at &= ~15ULL;
    if ((argc + env_count + 3) % 2)
        push_word(stack, 0);
    push_auxiliary(stack, program, random, name, platform);
    push(stack, pointers, (argc + env_count + 2) * sizeof(*pointers));
    push_word(stack, argc);
    return stack->at;
}

static void fill_boot(struct husk_boot *boot, const struct program *program,
                      const struct guest_memory *memory, const struct boot_request *request)
{
    const struct elf_image *image = &program->image;
    const uint64_t entry = image->husk ? image->note.entry : image->entry;

    boot->abi = HUSK_ABI_VERSION;
    boot->flags = request->flags;
    boot->ram_size = memory->ram_size;
    boot->far_start = memory->far_start;
    boot->far_end = memory->far_end;
    boot->image_start = image->low + program->bias;
    boot->image_end = image->high + program->bias;
    boot->stack_low = program->stack_low;
    boot->stack_top = program->stack_top;
    boot->entry = entry + program->bias;
    boot->uid = getauxval(AT_UID);
    boot->euid = getauxval(AT_EUID);
    boot->gid = getauxval(AT_GID);
    boot->egid = getauxval(AT_EGID);
    boot->umask = request->umask;
    boot->ignored = request->ignored;
    memcpy(boot->stdio_kind, request->stdio_kind, sizeof(boot->stdio_kind));
    memcpy(boot->stdio_flags, request->stdio_flags, sizeof(boot->stdio_flags));
    boot->cwd_length = strlen(request->cwd);
    memcpy(boot->cwd, request->cwd, boot->cwd_length);
    boot->cwd_handle = request->cwd_handle;
    boot->local_count = request->local_count;
    memcpy(boot->locals, request->locals, sizeof(boot->locals));
    if (request->main_break) {
        uint8_t *first = memory_host(memory, request->main_break);

        boot->main_break = request->main_break;
        boot->main_byte = *first;
        *first = 0xcc; /* int3 */
    }
}

int program_start(const struct program *program, struct guest_memory *memory, char **argv,
                  const char **env, size_t env_count, const struct boot_request *request,
                  struct husk_error *err)
{
    struct stack stack = {.memory = memory, .at = program->stack_top};
    struct {
        uint8_t seed[16];
        uint16_t offset;
    } random;
    struct husk_boot *boot = memory_host(memory, HUSK_BOOT_PAGE);
    cleanup_free guest_addr_t *pointers = NULL;
    size_t argc = 0;

    if (strlen(request->cwd) >= sizeof(boot->cwd))
        return error_set(err, STATUS_HUSK, "--workdir: the path is longer than %zu bytes",
                         sizeof(boot->cwd) - 1);
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return error_set(err, STATUS_HUSK, "getrandom: %s", strerror(errno));
    while (argv[argc])
        argc++;
    pointers = malloc((argc + env_count + 2) * sizeof(*pointers));
    if (!pointers)
        return error_set(err, STATUS_HUSK, "out of memory");
    stack.limit = stack.at - (program->stack_top - program->stack_low) / 4;
    stack.at -= random.offset & ~15U;
    fill_boot(boot, program, memory, request);
    boot->stack_pointer =
        build_stack(&stack, program, argv, argc, env, env_count, random.seed, pointers);
    if (stack.full)
        return error_set(err, STATUS_HUSK, "arguments and environment take more than %llu KiB",
                         (unsigned long long)(program->stack_top - program->stack_low) / 4 / 1024);
    return 0;
}

guest_addr_t program_find_main(const struct program *program)
{
    struct symbols *symbols = symbols_load(&program->image.file);
    uint64_t address = symbols_address(symbols, "main");

    symbols_free(symbols);
    for (unsigned i = 0; address && i < program->image.segment_count; i++) {
        const struct elf_segment *segment = &program->image.segments[i];

        if (segment->prot & HUSK_PROT_EXEC && address >= segment->vaddr &&
            address - segment->vaddr < segment->file_size && address < HUSK_WINDOW)
            return address + program->bias;
    }
    return 0;
}

void program_restore_main(const struct guest_memory *memory, struct husk_boot *boot)
{
    if (!boot->main_break)
        return;
    memory_poke(memory, boot->main_break, (uint8_t)boot->main_byte);
    boot->main_break = 0;
}
