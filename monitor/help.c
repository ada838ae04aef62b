/* SPDX-License-Identifier: ISC */
#include "help.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

static const char overview[] =
    "husk runs one static Linux program in a virtual machine of its own.\n"
    "\n"
    "usage: husk COMMAND [options]\n"
    "\n"
    "  husk run [options] [--] IMAGE [ARG...]   run a program\n"
    "  husk inspect IMAGE                       what an image is and needs\n"
    "  husk doctor                              what this host offers and lacks\n"
    "  husk help [COMMAND]                      this text, or a command's options\n"
    "  husk --version                           the version\n"
    "\n"
    "The program sees nothing of the host but its standard input, output and error,\n"
    "and what an option makes visible:\n"
    "\n"
    "  husk run -v ./data:/data /bin/busybox sha256sum /data/big.bin\n"
    "\n"
    "exit status: the program's own, or\n"
    "  124  time limit        125  husk failed     126  image cannot be run\n"
    "  127  image not found   128+N  ended by signal N\n";

static const char run[] =
    "usage: husk run [options] [--] IMAGE [ARG...]\n"
    "\n"
    "Run IMAGE, a static x86-64 Linux ELF file, in a virtual machine of its own.\n"
    "Options end at IMAGE or --; what follows IMAGE is the program's.\n"
    "\n"
    "  -v, --volume HOST:GUEST[:ro|:rw|:dev|:rw,dev]\n"
    "                                make a directory or file of the host visible at\n"
    "                                the absolute path GUEST, read-only or writable\n"
    "                                (default ro); with dev its device nodes and FIFOs\n"
    "                                can be opened, too\n"
    "      --tmpfs GUEST[:SIZE]      an empty directory in the guest's memory that holds\n"
    "                                at most SIZE (default: half of the memory); /tmp and\n"
    "                                /dev/shm are such unless -v provides them\n"
    "  -p, --publish [ADDR:]HOST:GUEST[/udp]\n"
    "                                let the program serve its port GUEST, seen by others\n"
    "                                as port HOST of ADDR (default 127.0.0.1); HOST 0\n"
    "                                takes one that is free and prints it\n"
    "      --connect HOST:PORT       let the program reach PORT (* is any) of a host:\n"
    "                                a name, an address, 10.0.0.0/8, or * for all that\n"
    "                                is public\n"
    "  -e, --env NAME=VALUE          set a variable of the program's environment\n"
    "  -e, --env NAME                the same with husk's own value, if it has one\n"
    "  -w, --workdir DIR             start in the guest directory DIR (default /)\n"
    "  -m, --memory SIZE             the guest's memory: 8M to 510G (default 256M)\n"
    "      --timeout DURATION        end the program after 500ms, 1.5s, 10m, 2h, ...\n"
    "      --cpu-time DURATION       the same by processor time, the guest's and husk's\n"
    "      --max-output SIZE         end the program when it writes more than SIZE to its\n"
    "                                standard output and error and to files\n"
    "      --max-files NUMBER        host files that may be open at a time\n"
    "      --max-sockets NUMBER      sockets that may be open at a time\n"
    "      --nice NUMBER             stand back for other programs, 0 to 19\n"
    "      --cgroup PATH             run in this cgroup (v2; below /sys/fs/cgroup)\n"
    "      --trace[=FILE]            one line a system call or signal, to FILE or\n"
    "                                standard error\n"
    "      --stats[=FILE]            counts and times of the run as JSON, likewise\n"
    "      --isolate                 hide the host's files, but for the volumes, from husk\n"
    "                                itself: namespaces of its own, 1 to 2 ms more\n"
    "      --require-jail            do not run where the host lacks a layer of husk's own\n"
    "                                confinement (husk doctor tells)\n"
    "  -h, --help                    this text\n"
    "\n"
    "example: sort a file of the host\n"
    "\n"
    "  husk run -v ./words.txt:/words -m 64M --timeout 10s /bin/busybox sort /words\n"
    "\n"
    "example: a web server at http://127.0.0.1:8080/\n"
    "\n"
    "  husk run -p 8080:80 -v ./site:/srv build/apps/httpd /srv\n"
    "\n"
    "exit status: the program's own, or\n"
    "  124  time limit        125  husk failed     126  image cannot be run\n"
    "  127  image not found   128+N  ended by signal N (139: invalid memory access)\n";

static const char inspect[] =
    "usage: husk inspect IMAGE\n"
    "\n"
    "Print what IMAGE is (a husk image or an unmodified static program), its segments\n"
    "with their rights, its entry point, the memory that it needs, how many of its\n"
    "system calls are jumps into guest-rt, and whether this husk can run it. Nothing\n"
    "of it is executed.\n"
    "\n"
    "example:\n"
    "\n"
    "  husk inspect /bin/busybox\n"
    "\n"
    "exit status: 0; 125 husk failed, 126 image cannot be run, 127 image not found\n";

static const char doctor[] =
    "usage: husk doctor\n"
    "\n"
    "Print what this host offers: /dev/kvm and its kind, the KVM features that husk\n"
    "needs, whether --isolate works, and the layers of the jail that husk runs\n"
    "programs in: Landlock (files, TCP) and seccomp; and for what is missing, what to\n"
    "do about it.\n"
    "\n"
    "example: is this machine ready?\n"
    "\n"
    "  husk doctor && echo ready\n"
    "\n"
    "exit status: 0 if husk can run programs here, else 125\n";

static const char help[] =
    "usage: husk help [run | inspect | doctor]\n"
    "\n"
    "Print an overview, or a command's options; `husk COMMAND --help` is the same.\n"
    "\n"
    "example:\n"
    "\n"
    "  husk help run\n"
    "\n"
    "exit status: 0; 125 if there is no such command\n";

const char *help_text(const char *command)
{
    static const struct {
        const char *command, *text;
    } texts[] = {
        {"run", run},
        {"inspect", inspect},
        {"doctor", doctor},
        {"help", help},
    };

    if (!command)
        return overview;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(command, texts[i].command) == 0)
            return texts[i].text;
    return NULL;
}

static int print(const char *text)
{
    if (fputs(text, stdout) == EOF || fflush(stdout) == EOF) {
        perror("husk: standard output");
        return STATUS_HUSK;
    }
    return 0;
}

int help_print(const char *command)
{
    const char *text = help_text(command);

    if (text)
        return print(text);
    fprintf(stderr, "husk: no command `%s`; see `husk help`\n", command);
    return STATUS_HUSK;
}

int help_version(void)
{
    return print("husk " HUSK_VERSION "\n");
}
