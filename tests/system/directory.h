/* SPDX-License-Identifier: ISC
 *
 * The directory of a group of tests, or of one test: its set-up makes it, its clean-up removes it.
 */
#ifndef HUSK_TESTS_DIRECTORY_H
#define HUSK_TESTS_DIRECTORY_H

extern const char *directory;

/* A path in it; the last 32 stay valid. */
const char *in_directory(const char *name);

/* cmocka's set-up and clean-up. */
int make_directory(void **state);
int remove_directory(void **state);

#endif
