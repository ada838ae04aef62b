/* SPDX-License-Identifier: ISC
 *
 * husk: run one program in a virtual machine of its own.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "commands.h"
#include "error.h"
#include "help.h"

static const struct {
    const char *name;
    int (*run)(char **argv);
} commands[] = {
    {"run", cmd_run},
    {"inspect", cmd_inspect},
    {"doctor", cmd_doctor},
};

static bool asks_for_help(const char *argument)
{
    return argument && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0);
}

int main(int argc, char **argv)
{
    if (getauxval(AT_SECURE)) {
        /* Files would be opened with rights that its caller does not have. */
        fputs("husk: set-user-ID, set-group-ID or with file capabilities, which it is not made "
              "for; give users access to /dev/kvm instead\n",
              stderr);
        return STATUS_HUSK;
    }
    if (argc < 2) {
        fputs(help_text(NULL), stderr);
        return STATUS_HUSK;
    }
    if (strcmp(argv[1], "--version") == 0)
        return help_version();
    if (asks_for_help(argv[1]))
        return help_print(NULL);
    if (strcmp(argv[1], "help") == 0)
        return help_print(argv[2]);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return asks_for_help(argv[2]) ? help_print(argv[1]) : commands[i].run(argv + 2);
    fprintf(stderr, "husk: no command `%s`; see `husk help`\n", argv[1]);
    return STATUS_HUSK;
}
