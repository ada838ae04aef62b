/* SPDX-License-Identifier: ISC */
#include "image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "husk/abi.h"
#include "husk/calls.h"

#define SPAN_MAX (1ULL << 30)

/* A table in the file, or NULL if it is not there in whole. */
static const void *table(const struct image *image, uint64_t offset, uint64_t count, size_t size)
{
    if (offset > image->size || count > (image->size - offset) / size || offset % 8)
        return NULL;
    return image->data + offset;
}

static const Elf64_Ehdr *header(const struct image *image)
{
    return (const Elf64_Ehdr *)image->data;
}

static const Elf64_Shdr *sections(const struct image *image)
{
    return table(image, header(image)->e_shoff, header(image)->e_shnum, sizeof(Elf64_Shdr));
}

static bool is_husk_image(const struct image *image)
{
    const Elf64_Ehdr *elf = header(image);

    return image->size >= sizeof(*elf) && memcmp(elf->e_ident, ELFMAG, SELFMAG) == 0 &&
           elf->e_ident[EI_CLASS] == ELFCLASS64 && elf->e_machine == EM_X86_64 &&
           elf->e_type == ET_EXEC && elf->e_entry >= HUSK_WINDOW &&
           elf->e_phentsize == sizeof(Elf64_Phdr) && elf->e_shentsize == sizeof(Elf64_Shdr) &&
           sections(image) && elf->e_shstrndx < elf->e_shnum;
}

/* A string of table SECTION, or "". */
static const char *string_in(const struct image *image, const Elf64_Shdr *section, uint32_t offset)
{
    const char *strings = (const char *)image->data + section->sh_offset;

    if (section->sh_offset > image->size || section->sh_size > image->size - section->sh_offset ||
        offset >= section->sh_size || !memchr(strings + offset, 0, section->sh_size - offset))
        return "";
    return strings + offset;
}

static const Elf64_Shdr *section_named(const struct image *image, const char *name)
{
    const Elf64_Shdr *all = sections(image), *names = &all[header(image)->e_shstrndx];

    for (unsigned i = 0; i < header(image)->e_shnum; i++)
        if (strcmp(string_in(image, names, all[i].sh_name), name) == 0)
            return &all[i];
    return NULL;
}

static const Elf64_Shdr *section_of_type(const struct image *image, uint32_t type)
{
    const Elf64_Shdr *all = sections(image);

    for (unsigned i = 0; i < header(image)->e_shnum; i++)
        if (all[i].sh_type == type)
            return &all[i];
    return NULL;
}

static bool contains(const struct span *span, uint64_t start, uint64_t size)
{
    return start >= span->start && start <= span->end && size <= span->end - start;
}

/* The application's executable segment; with more than one jumps from the others would be missed.
 */
static const char *find_segment(struct image *image)
{
    const Elf64_Phdr *all =
        table(image, header(image)->e_phoff, header(image)->e_phnum, sizeof(*all));
    const Elf64_Phdr *found = NULL;

    for (unsigned i = 0; all && i < header(image)->e_phnum; i++) {
        if (all[i].p_type != PT_LOAD || !(all[i].p_flags & PF_X) || all[i].p_vaddr >= HUSK_WINDOW)
            continue;
        if (found)
            return "it has several executable segments";
        found = &all[i];
    }
    if (!found || found->p_filesz >= SPAN_MAX || found->p_filesz != found->p_memsz ||
        found->p_offset > image->size || found->p_filesz > image->size - found->p_offset)
        return "it has no usual executable segment";
    image->text_offset = found->p_offset;
    image->text.bytes = image->data + found->p_offset;
    image->text.span = (struct span){found->p_vaddr, found->p_vaddr + found->p_filesz};
    return NULL;
}

static const char *find_room(struct image *image)
{
    const Elf64_Shdr *section = section_named(image, HUSK_CALLS_SECTION);
    const struct husk_calls *calls;

    if (!section || section->sh_size < sizeof(*calls) || section->sh_addr % 8 ||
        !contains(&image->text.span, section->sh_addr, section->sh_size))
        return "it has no room for trampolines";
    image->text.room = (struct span){section->sh_addr, section->sh_addr + section->sh_size};
    calls = (const void *)(image->text.bytes + (section->sh_addr - image->text.span.start));
    return calls->sites ? "it has its trampolines already" : NULL;
}

static int compare_spans(const void *one, const void *other)
{
    const struct span *a = one, *b = other;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* The sections with instructions. */
static const char *find_code(struct image *image)
{
    const Elf64_Shdr *all = sections(image);
    size_t count = 0;

    image->code = calloc(header(image)->e_shnum, sizeof(*image->code));
    if (!image->code)
        return "there is no memory";
    for (unsigned i = 0; i < header(image)->e_shnum; i++)
        if (all[i].sh_type == SHT_PROGBITS && all[i].sh_flags & SHF_EXECINSTR &&
            all[i].sh_addr != image->text.room.start &&
            contains(&image->text.span, all[i].sh_addr, all[i].sh_size))
            image->code[count++] = (struct span){all[i].sh_addr, all[i].sh_addr + all[i].sh_size};
    qsort(image->code, count, sizeof(*image->code), compare_spans);
    for (size_t i = 1; i < count; i++)
        if (image->code[i].start < image->code[i - 1].end)
            return "its sections overlap";
    image->text.code = image->code;
    image->text.code_count = count;
    return NULL;
}

static bool in_code(const struct image *image, const struct span *span)
{
    for (size_t i = 0; i < image->text.code_count; i++)
        if (contains(&image->text.code[i], span->start, span->end - span->start))
            return true;
    return false;
}

/* ".cold" of gcc and clang, ".__part." of clang's basic block sections. */
static bool is_part(const char *name)
{
    return strstr(name, ".cold") || strstr(name, ".__part.");
}

static void add_function(struct image *image, uint64_t start, uint64_t size,
                         struct function function)
{
    function.span = (struct span){start, start + size};
    if (size && size < SPAN_MAX && in_code(image, &function.span))
        image->functions[image->text.function_count++] = function;
}

/* Names for the same bytes become one function; what overlaps as well. */
static void merge_functions(struct image *image)
{
    struct function *functions = image->functions;
    size_t count = 0;

    qsort(functions, image->text.function_count, sizeof(*functions), compare_spans);
    for (size_t i = 0; i < image->text.function_count; i++) {
        struct function *last = count ? &functions[count - 1] : NULL;

        if (!last || functions[i].span.start >= last->span.end) {
            functions[count++] = functions[i];
            continue;
        }
        if (functions[i].span.end > last->span.end)
            last->span.end = functions[i].span.end;
        last->compares |= functions[i].compares;
        last->split |= functions[i].split;
    }
    image->text.functions = functions;
    image->text.function_count = count;
}

/*
 * musl compares the RIP of a thread that is to be cancelled with __cp_begin and __cp_end. guest-rt
 * tells it where it would be without a trampoline, but for places between moved instructions.
 */
static const char *find_functions(struct image *image)
{
    const Elf64_Shdr *section = section_of_type(image, SHT_SYMTAB);
    size_t count = section ? section->sh_size / sizeof(Elf64_Sym) : 0;
    const Elf64_Sym *symbols =
        section ? table(image, section->sh_offset, count, sizeof(*symbols)) : NULL;
    uint64_t begin = 0, end = 0;

    if (!symbols || section->sh_link >= header(image)->e_shnum)
        return "it has no symbols; link with -s instead of other ways to strip";
    image->functions = calloc(count + 1, sizeof(*image->functions));
    image->labels = calloc(count, sizeof(*image->labels));
    if (!image->functions || !image->labels)
        return "there is no memory";
    for (size_t i = 0; i < count; i++) {
        const Elf64_Sym *symbol = &symbols[i];
        const char *name = string_in(image, &sections(image)[section->sh_link], symbol->st_name);

        if (strcmp(name, "__cp_begin") == 0)
            begin = symbol->st_value;
        if (strcmp(name, "__cp_end") == 0)
            end = symbol->st_value;
        if (strncmp(name, "__x86_indirect_thunk", strlen("__x86_indirect_thunk")) == 0)
            image->text.hidden_jumps = true;
        image->labels[image->text.label_count++] = symbol->st_value;
        if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC)
            add_function(image, symbol->st_value, symbol->st_size,
                         (struct function){.split = is_part(name)});
    }
    if (begin < end)
        add_function(image, begin, end - begin, (struct function){.compares = true});
    image->text.labels = image->labels;
    merge_functions(image);
    return NULL;
}

/* The numbers in SEGMENT's data that may be addresses in the text, into LABELS unless it is NULL.
 */
static size_t take_pointers(const struct image *image, const Elf64_Phdr *segment, uint64_t *labels)
{
    const uint8_t *data = image->data + segment->p_offset;
    size_t count = 0;

    if (segment->p_type != PT_LOAD || segment->p_flags & PF_X || segment->p_offset > image->size ||
        segment->p_filesz > image->size - segment->p_offset)
        return 0;
    for (uint64_t at = -segment->p_vaddr % 8; at + 8 <= segment->p_filesz; at += 8) {
        uint64_t number;

        memcpy(&number, data + at, sizeof(number));
        if (!contains(&image->text.span, number, 1))
            continue;
        if (labels)
            labels[count] = number;
        count++;
    }
    return count;
}

/* Whoever reads a table of labels may jump there, also assembly in another function. */
static const char *find_pointers(struct image *image)
{
    const Elf64_Phdr *all =
        table(image, header(image)->e_phoff, header(image)->e_phnum, sizeof(*all));
    size_t count = image->text.label_count;
    uint64_t *grown;

    for (unsigned i = 0; i < header(image)->e_phnum; i++)
        count += take_pointers(image, &all[i], NULL);
    grown = realloc(image->labels, (count + 1) * sizeof(*grown));
    if (!grown)
        return "there is no memory";
    image->labels = grown;
    for (unsigned i = 0; i < header(image)->e_phnum; i++)
        image->text.label_count += take_pointers(image, &all[i], grown + image->text.label_count);
    image->text.labels = grown;
    return NULL;
}

const char *image_read(struct image *image)
{
    const char *why;

    if (!is_husk_image(image))
        return "it is no husk image";
    image->text.hidden_jumps = section_named(image, ".gcc_except_table") != NULL;
    if ((why = find_segment(image)) || (why = find_room(image)) || (why = find_code(image)))
        return why;
    why = find_functions(image);
    return why ? why : find_pointers(image);
}

void image_free(struct image *image)
{
    free(image->code);
    free(image->functions);
    free(image->labels);
}
