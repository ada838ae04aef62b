/* SPDX-License-Identifier: ISC
 *
 * libFuzzer: an image, parsed from memory; where that succeeds it is loaded with guest-rt, stack
 * and boot page as a run begins, then its symbols, and a backtrace with registers and a stack of
 * the fuzzer's choice. Seeds: any small static programs and husk images.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"
#include "guest.h"
#include "program.h"
#include "symbols.h"

#define STACK      (GUEST_RAM - STACK_SIZE) /* what the backtrace reads: above all that is there */
#define STACK_SIZE 0x1000
#define RT_STACK   (HUSK_RT_BASE + 0x10000)

static struct guest_memory memory;

/* In the place of the real one, which nobody can change and which takes long to load: headers
 * and note, and a page for the stack of exceptions. */
const struct {
    Elf64_Ehdr header;
    Elf64_Phdr phdrs[3];
    struct {
        Elf64_Nhdr header;
        char owner[8];
    } note_start;
    struct husk_note note;
} guest_rt = {
#define AT(member) offsetof(typeof(guest_rt), member)
    .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_phoff = AT(phdrs),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 3,
               .e_entry = HUSK_RT_BASE},
    .phdrs = {{.p_type = PT_LOAD,
               .p_flags = PF_R | PF_X,
               .p_vaddr = HUSK_RT_BASE,
               .p_filesz = sizeof(guest_rt),
               .p_memsz = sizeof(guest_rt)},
              {.p_type = PT_LOAD,
               .p_flags = PF_R | PF_W,
               .p_vaddr = RT_STACK,
               .p_memsz = HUSK_PAGE_SIZE},
              {.p_type = PT_NOTE,
               .p_offset = AT(note_start),
               .p_filesz = sizeof(guest_rt) - AT(note_start),
               .p_align = 8}},
    .note_start = {{sizeof(HUSK_NOTE_OWNER), sizeof(struct husk_note), HUSK_NOTE_TYPE},
                   HUSK_NOTE_OWNER},
    .note = {.abi = HUSK_ABI_VERSION,
             .rt_start = HUSK_RT_BASE,
             .syscall_direct = HUSK_RT_BASE,
             .syscall_stubbed = HUSK_RT_BASE,
             .exception = HUSK_RT_BASE,
             .exception_stack = RT_STACK + HUSK_PAGE_SIZE,
             .interrupt = HUSK_RT_BASE,
             .vdso = HUSK_RT_BASE},
};
__asm__(".globl embedded_guest_rt\n.set embedded_guest_rt, guest_rt");
const size_t embedded_guest_rt_size = sizeof(guest_rt);

int embedded_open(const uint8_t *data, uint64_t *offset)
{
    (void)data, (void)offset;
    return -1;
}

/* False: it does not fit, or is refused. */
static bool load(struct program *program)
{
    char *argv[] = {"fuzz", "argument", NULL};
    const char *env[] = {"NAME=value"};
    struct boot_request request = {.cwd = "/", .cwd_handle = HUSK_DIR_ROOT};
    struct husk_error err = {0};

    if (program_load(program, &memory, &err) < 0) {
        require(err.status == STATUS_IMAGE && strncmp(err.text, "guest-rt", 8) != 0, err.text);
        return false;
    }
    request.main_break = program_find_main(program);
    require(program_start(program, &memory, argv, env, 1, &request, &err) == 0, err.text);
    return true;
}

static void check_boot(const struct program *program)
{
    struct husk_boot *boot = memory_host(&memory, HUSK_BOOT_PAGE);
    uint64_t argc;

    require(boot->abi == HUSK_ABI_VERSION && boot->ram_size == GUEST_RAM, "boot page");
    require(boot->image_start <= boot->image_end && boot->image_end <= boot->stack_low,
            "the image reaches into the stack");
    require(boot->stack_pointer % 16 == 0 && boot->stack_pointer >= boot->stack_low,
            "stack pointer");
    require(memory_read(&memory, &argc, boot->stack_pointer, 8) == 0 && argc == 2, "argc");
    require(program->image.husk || program->rt.rt_start - HUSK_RT_BASE < HUSK_WINDOW_SIZE,
            "guest-rt is not in the window");
    program_restore_main(&memory, boot);
}

static void check_symbols(const struct elf_image *image, uint64_t address)
{
    struct symbols *symbols = symbols_load(&image->file);
    uint64_t offset, start, end;
    const char *name = symbols_find(symbols, address, &offset);

    if (name && (offset > address || strlen(name) > image->file.size))
        abort();
    if (symbols_bounds(symbols, address, &start, &end) && (address < start || address >= end))
        abort();
    symbols_address(symbols, "main");
    symbols_free(symbols);
}

static void check_image(const struct elf_image *image)
{
    if (image->segment_count == 0 || image->segment_count > ELF_SEGMENTS_MAX)
        abort();
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        uint64_t end = segment->vaddr + segment->mem_size;

        if (end <= segment->vaddr || end > HUSK_WINDOW + HUSK_WINDOW_SIZE ||
            segment->file_size > segment->mem_size || segment->prot == 6 || segment->prot == 7 ||
            segment->file_offset > image->file.size ||
            segment->file_size > image->file.size - segment->file_offset)
            abort();
        if (i > 0 && ((segment[-1].vaddr + segment[-1].mem_size - 1) >> 12) >= segment->vaddr >> 12)
            abort();
    }
}

/* The input's end doubles as registers and stack. */
static void choose_registers(const struct program *program, const uint8_t *data, size_t size,
                             struct husk_regs *regs)
{
    size_t stack = size < STACK_SIZE ? size : STACK_SIZE;

    memcpy(memory_host(&memory, STACK), data + size - stack, stack);
    if (size > sizeof(*regs))
        memcpy(regs, data + size - sizeof(*regs), sizeof(*regs));
    if (regs->cs & 1)
        regs->rsp = STACK + (regs->rsp & 0xff8);
    if (regs->cs & 2)
        regs->rbp = STACK + (regs->rbp & 0xff8);
    if (regs->cs & 4)
        regs->rip = program->image.entry + program->bias + (regs->rip & 0xfff);
}

/* All that was written: segments, guest-rt, the stack's ends, the boot page. */
static void forget(const struct program *program)
{
    struct husk_boot *boot = memory_host(&memory, HUSK_BOOT_PAGE);

    for (unsigned i = 0; i < program->image.segment_count; i++) {
        const struct elf_segment *segment = &program->image.segments[i];
        guest_addr_t addr = segment->vaddr + (segment->vaddr < HUSK_WINDOW ? program->bias : 0);

        /* With what follows in the file, to the page's end. */
        guest_zero(&memory, addr & ~(HUSK_PAGE_SIZE - 1ULL),
                   (segment->file_size + 2 * HUSK_PAGE_SIZE - 1) & ~(HUSK_PAGE_SIZE - 1ULL));
    }
    guest_zero(&memory, HUSK_RT_BASE, sizeof(guest_rt));
    require(!boot->stack_pointer || boot->stack_pointer < STACK, "the stacks overlap");
    if (boot->stack_pointer)
        guest_zero(&memory, boot->stack_pointer, boot->stack_top - boot->stack_pointer);
    guest_zero(&memory, STACK, STACK_SIZE);
    guest_zero(&memory, HUSK_BOOT_PAGE, sizeof(*boot));
    guest_forget(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_file file = {"fuzz", -1, data, size};
    struct program program = {0};
    guest_addr_t frames[BACKTRACE_MAX];
    struct husk_regs regs = {0};
    struct husk_error err;

    if (!memory.host)
        guest_create(&memory);
    if (elf_parse(&file, &program.image, &err) < 0)
        return 0;
    check_image(&program.image);
    if (load(&program)) {
        check_boot(&program);
        choose_registers(&program, data, size, &regs);
        check_symbols(&program.image, regs.rip - program.bias);
        require(backtrace_walk(&program.image, program.bias, &memory, &regs, frames) > 0,
                "no frame");
    }
    forget(&program);
    return 0;
}
