/* SPDX-License-Identifier: ISC */
/* Memory is writable or executable, never both. Not to be run natively, where Linux allows it. */
#include "../check.h"
#include "../memory.h"

#include <stdint.h>

enum { ALL = PROT_READ | PROT_WRITE | PROT_EXEC };

static char data[2 * PAGE];

static char *page_of(const void *address)
{
    return (char *)((uintptr_t)address / PAGE * PAGE);
}

int main(void)
{
    char *page = map_pages(1, PROT_READ | PROT_WRITE);

    check_error((long)map_pages(1, ALL), EACCES, "mmap of writable code");
    check_error((long)map_pages(1, PROT_WRITE | PROT_EXEC), EACCES, "mmap of code only written");
    check_error(mprotect(page, PAGE, ALL), EACCES, "mprotect of data to writable code");
    check(is_writable(page), "the data stays writable");
    check(mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0, "mprotect of data to code");
    check_error(mprotect(page, PAGE, ALL), EACCES, "mprotect of code to writable code");
    check(!is_writable(page), "the code stays read-only");
    check_error(mprotect(page_of(data + PAGE), PAGE, ALL), EACCES, "the program's own data");
    check_error(mprotect(page_of((void *)(uintptr_t)page_of), PAGE, ALL), EACCES,
                "the program's own code");
    return exit_status();
}
