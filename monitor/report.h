/* SPDX-License-Identifier: ISC
 *
 * Reports of how a guest ended, on standard error: cause in words, registers, backtrace.
 */
#ifndef HUSK_REPORT_H
#define HUSK_REPORT_H

#include "run.h"

/* An exception that nobody handled. Everything in FAULT is the guest's and untrusted. */
void report_fault(const struct run *run, const struct husk_fault *fault);

/* The program ended itself by a signal, such as abort's. */
void report_signal(const struct run *run, int signal);

/* An exit of KVM's that is the guest's fault, with the vCPU's registers: WHAT is printed first. */
void report_exit(const struct run *run, const char *what, ...)
    __attribute__((format(printf, 2, 3)));

#endif
