/* SPDX-License-Identifier: ISC
 *
 * What the guest's CPUID says.
 */
#ifndef HUSK_CPUID_H
#define HUSK_CPUID_H

#include <linux/kvm.h>

/* Take away what a guest at ring 3 has no use for and should not try: virtualization, enclaves,
 * MPX, tracing and performance counters. */
void cpuid_hide(struct kvm_cpuid_entry2 *entries, unsigned count);

#endif
