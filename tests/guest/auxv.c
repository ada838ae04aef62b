/* SPDX-License-Identifier: ISC */
/* The auxiliary vector, and what it says about the program against where the program finds itself.
 */
#include "check.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static int initialised = 1;

struct search {
    uintptr_t address;
    ElfW(Word) flags;
    bool headers_match;
    bool found;
};

/* Whether a loaded segment with exactly these rights holds the address. */
static int look_in_segments(struct dl_phdr_info *info, size_t size, void *data)
{
    struct search *search = data;
    (void)size;

    search->headers_match =
        (uintptr_t)info->dlpi_phdr == getauxval(AT_PHDR) && info->dlpi_phnum == getauxval(AT_PHNUM);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && search->address >= start &&
            search->address - start < segment->p_memsz && segment->p_flags == search->flags)
            search->found = true;
    }
    return 1;
}

static struct search search_segments(uintptr_t address, ElfW(Word) flags)
{
    struct search search = {.address = address, .flags = flags};

    dl_iterate_phdr(look_in_segments, &search);
    return search;
}

static bool differ(const unsigned char *bytes, size_t size)
{
    for (size_t i = 1; i < size; i++)
        if (bytes[i] != bytes[0])
            return true;
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void check_program_headers(void)
{
    check(getauxval(AT_PHENT) == sizeof(ElfW(Phdr)), "AT_PHENT is the size of a program header");
    check(search_segments(0, 0).headers_match, "AT_PHDR and AT_PHNUM are what libc uses");
    check(search_segments((uintptr_t)base_name, PF_R | PF_X).found, "code is in an R-X segment");
    check(search_segments((uintptr_t)&initialised, PF_R | PF_W).found, "data is in an RW- segment");
    check(getauxval(AT_ENTRY) != 0, "AT_ENTRY is not zero");
    check(search_segments(getauxval(AT_ENTRY), PF_R | PF_X).found, "AT_ENTRY is in an R-X segment");
}

int main(int argc, char **argv)
{
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    const char *file = (const char *)getauxval(AT_EXECFN);
    (void)argc;

    printf("AT_PAGESZ is %lu\n", getauxval(AT_PAGESZ));
    check_program_headers();
    check(random != NULL && differ(random, 16), "AT_RANDOM points to 16 random bytes");
    check(file != NULL && strcmp(base_name(file), base_name(argv[0])) == 0,
          "AT_EXECFN ends like argv[0]");
    printf("AT_SECURE is %lu\n", getauxval(AT_SECURE));
    check(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid(),
          "AT_UID and AT_EUID agree with getuid and geteuid");
    check(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid(),
          "AT_GID and AT_EGID agree with getgid and getegid");
    check_error(getauxval(0x7fffffff) == 0 ? -1 : 0, ENOENT, "an entry that is not there");
    return exit_status();
}
