/* SPDX-License-Identifier: ISC
 *
 * What /etc tells of the user, the network and the names of services.
 */
#include <linux/utsname.h>

#include "synthetic_files.h"

/*
 * No name server: what is not in /etc/hosts has no address. A C library asks 127.0.0.1 all the
 * same; that is refused, and musl would wait 5 s for an answer.
 */
const char synthetic_resolv_conf[] = "# husk gives no name server\noptions timeout:0 attempts:1\n";

const char synthetic_nsswitch_conf[] =
    "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n";

/* IANA's protocol numbers, */
const char synthetic_protocols[] =
    "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6 41 IPv6\nipv6-icmp 58 IPv6-ICMP\n";

/* and ports of what programs call by name. */
const char synthetic_services[] =
    "echo 7/tcp\necho 7/udp\ndiscard 9/tcp sink null\ndiscard 9/udp sink null\n"
    "daytime 13/tcp\ndaytime 13/udp\nftp-data 20/tcp\nftp 21/tcp\nssh 22/tcp\ntelnet 23/tcp\n"
    "smtp 25/tcp mail\ntime 37/tcp\ntime 37/udp\ndomain 53/tcp\ndomain 53/udp\ntftp 69/udp\n"
    "http 80/tcp www\npop3 110/tcp\nsunrpc 111/tcp\nsunrpc 111/udp\nntp 123/udp\n"
    "imap2 143/tcp imap\nsnmp 161/udp\nldap 389/tcp\nhttps 443/tcp\nhttps 443/udp\n"
    "syslog 514/udp\nsubmission 587/tcp\nldaps 636/tcp\nimaps 993/tcp\npop3s 995/tcp\n"
    "mysql 3306/tcp\npostgresql 5432/tcp\nredis 6379/tcp\nhttp-alt 8080/tcp\n";

void synthetic_hosts(struct text *text)
{
    static char named[HUSK_HOSTS_MAX]; /* by --connect */
    struct new_utsname name = {0};
    const struct call call = {.arg = {(uint64_t)&name}};
    int64_t length;

    sys_uname(&call);
    text_line(text, "127.0.0.1\tlocalhost");
    text_line(text, "::1\tlocalhost ip6-localhost ip6-loopback");
    text_string(text, "127.0.1.1\t");
    text_line(text, name.nodename);
    length = HYPERCALL(HUSK_OP_HOSTS, named, sizeof(named));
    if (length > 0)
        text_bytes(text, named, length);
}

static const char *user_name(uint32_t id)
{
    return id == 0 ? "root" : "husk";
}

void synthetic_passwd(struct text *text)
{
    text_string(text, user_name(BOOT->uid));
    text_string(text, ":x:");
    text_decimal(text, BOOT->uid, 0);
    text_char(text, ':');
    text_decimal(text, BOOT->gid, 0);
    text_char(text, ':');
    text_string(text, user_name(BOOT->uid));
    text_line(text, ":/:/bin/sh");
}

void synthetic_group(struct text *text)
{
    text_string(text, user_name(BOOT->gid));
    text_string(text, ":x:");
    text_decimal(text, BOOT->gid, 0);
    text_line(text, ":");
}
