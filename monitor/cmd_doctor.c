/* SPDX-License-Identifier: ISC
 *
 * husk doctor: what this host offers, and what is missing.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "commands.h"
#include "isolate.h"
#include "jail.h"
#include "kvm.h"

/* One line of the report: what, how it is, and what to do about it. */
static void line(bool good, const char *what, const char *text)
{
    printf("%-7s %-10s %s\n", good ? "ok" : "missing", what, text);
}

static bool check_kvm(void)
{
    struct husk_error err = {0};
    struct vm vm;
    bool works = vm_create(&vm, 0, NULL, NULL, &err) == 0;

    line(works, "kvm", works ? "/dev/kvm creates VMs, API version 12" : err.text);
    if (works)
        line(true, "kind",
             vm.kind == KVM_KIND_PVM
                 ? "kvm-pvm: page tables only; an exit costs more than on VT-x or AMD-V"
                 : "hardware virtualization (VT-x or AMD-V)");
    vm_destroy(&vm);
    return works;
}

static bool check_kernel(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;
    bool good;

    uname(&name);
    sscanf(name.release, "%u.%u", &major, &minor);
    good = major > 5 || (major == 5 && minor >= 15);
    line(good, "kernel", name.release);
    return good;
}

static bool check_openat2(void)
{
    bool works = syscall(SYS_openat2, -1, NULL, NULL, 0) < 0 && errno != ENOSYS;

    line(works, "openat2",
         works ? "paths can be confined to mounts" : "not there; -v needs Linux 5.6 or later");
    return works;
}

/* Likewise by going there, and nothing else needs it. */
static void check_isolation(void)
{
    struct husk_error err;
    bool works = isolate_begin(false, &err) == 0 && isolate_end(&err) == 0;

    line(works, "isolate", works ? "--isolate hides all files but the volumes" : err.text);
}

/*
 * The layers of the jail, by going there: a container may refuse what the kernel has. Their lack
 * does not keep husk from running. The last thing that doctor does, but for printing.
 */
static void check_jail(void)
{
    struct jail_report report;

    jail_enter(NULL, &report);
    for (enum jail_layer layer = 0; layer < JAIL_LAYERS; layer++) {
        char text[160];

        if (report.error[layer])
            snprintf(text, sizeof(text), "%s: %s; %s", jail_layer_name(layer),
                     strerror(report.error[layer]), jail_layer_advice(layer));
        else if (layer == JAIL_LANDLOCK)
            snprintf(text, sizeof(text), "%s confines files, ABI %d", jail_layer_name(layer),
                     report.landlock_abi);
        else
            snprintf(text, sizeof(text), "%s holds", jail_layer_name(layer));
        line(!report.error[layer], "jail", text);
    }
}

int cmd_doctor(char **argv)
{
    struct husk_error err = {0};
    bool good;

    if (argv[0]) {
        error_set(&err, STATUS_HUSK, "doctor takes no arguments; see `husk help doctor`");
        return error_print(&err);
    }
    good = check_kernel();
    good &= check_kvm();
    good &= check_openat2();
    check_isolation();
    check_jail();
    printf("%s\n", good ? "husk can run programs here" : "husk cannot run programs here");
    return good && fflush(stdout) == 0 ? 0 : STATUS_HUSK;
}
