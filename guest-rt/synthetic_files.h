/* SPDX-License-Identifier: ISC
 *
 * What the texts and links of synthetic.c's table say.
 */
#ifndef HUSK_SYNTHETIC_FILES_H
#define HUSK_SYNTHETIC_FILES_H

#include "synthetic_text.h"

/* The process, synthetic_process.c. */
void synthetic_exe(struct text *text);
void synthetic_cwd(struct text *text);
void synthetic_maps(struct text *text);
void synthetic_status(struct text *text);
void synthetic_process_stat(struct text *text);
void synthetic_statm(struct text *text);
void synthetic_cmdline(struct text *text);
void synthetic_environ(struct text *text);
void synthetic_comm(struct text *text);

void synthetic_mounts(struct text *text); /* synthetic_mounts.c */

/* The machine, synthetic_system.c. */
void synthetic_meminfo(struct text *text);
void synthetic_cpuinfo(struct text *text);
void synthetic_stat_text(struct text *text);
void synthetic_uptime(struct text *text);
void synthetic_loadavg(struct text *text);
void synthetic_version(struct text *text);
void synthetic_hostname(struct text *text);
void synthetic_osrelease(struct text *text);

/* /etc, synthetic_etc.c. */
extern const char synthetic_resolv_conf[], synthetic_nsswitch_conf[], synthetic_protocols[],
    synthetic_services[];
void synthetic_hosts(struct text *text);
void synthetic_passwd(struct text *text);
void synthetic_group(struct text *text);

/* CPU time of the process in clock ticks. */
uint64_t synthetic_cpu_ticks(void);

#endif
