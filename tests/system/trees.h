/* SPDX-License-Identifier: ISC
 *
 * What programs leave in directories, compared.
 */
#ifndef TREES_H
#define TREES_H

/* All below two directories is the same: names, types, modes, owners, links,
 * contents, and times of long ago. */
void assert_same_trees(const char *native, const char *guest);

#endif
