/* SPDX-License-Identifier: ISC
 *
 * The time when the events that are being served came: one look at the clock serves them all.
 */
#ifndef HTTPD_CLOCK_H
#define HTTPD_CLOCK_H

#include <time.h>

extern long long clock_ns;   /* since some time, never back */
extern time_t clock_seconds; /* since 1970 */

void clock_look(void);

#endif
