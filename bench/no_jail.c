/* SPDX-License-Identifier: ISC
 *
 * Takes the place of monitor/jail.c in build/bench/husk-no-jail, which shows what the jail costs.
 * There is no way to switch it off in husk itself.
 */
#include "jail.h"

void jail_enter(const struct run *run, struct jail_report *report)
{
    (void)run;
    *report = (struct jail_report){0};
}

const char *jail_layer_name(enum jail_layer layer)
{
    (void)layer;
    return "";
}

const char *jail_layer_advice(enum jail_layer layer)
{
    (void)layer;
    return "";
}
