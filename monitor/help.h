/* SPDX-License-Identifier: ISC
 *
 * The texts of `husk help`. docs/husk.1 is the manual.
 */
#ifndef HUSK_HELP_H
#define HUSK_HELP_H

/*
 * The text for `husk help COMMAND` and `husk COMMAND --help`, ending in a newline; the overview for
 * NULL; NULL if there is no such command.
 */
const char *help_text(const char *command);

/*
 * What was asked for goes to standard output. Return the exit status: a text that cannot be
 * written, on a full disk, is an error like any other.
 */
int help_print(const char *command);
int help_version(void);

#endif
