/* SPDX-License-Identifier: ISC
 *
 * The commands of husk. Each takes its arguments after the command's name, NULL-terminated, and
 * returns the exit status.
 */
#ifndef HUSK_COMMANDS_H
#define HUSK_COMMANDS_H

int cmd_run(char **argv);
int cmd_inspect(char **argv);
int cmd_doctor(char **argv);

#endif
