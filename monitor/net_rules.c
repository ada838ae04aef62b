/* SPDX-License-Identifier: ISC */
#include "net_rules.h"

#include <string.h>

const char *net_protocol_name(enum net_protocol protocol)
{
    return protocol == NET_TCP ? "tcp" : "udp";
}

/* A piece of the option's text. */
struct part {
    const char *text;
    size_t length;
};

static struct part part_until(const char *text, const char *end)
{
    return (struct part){text, (size_t)(end - text)};
}

/* 0..65535 in at most five digits. Returns 0 or -1. */
static int parse_port(struct part part, uint16_t *port)
{
    unsigned value = 0;

    if (part.length == 0 || part.length > 5)
        return -1;
    for (size_t i = 0; i < part.length; i++) {
        if (part.text[i] < '0' || part.text[i] > '9')
            return -1;
        value = value * 10 + (unsigned)(part.text[i] - '0');
    }
    *port = (uint16_t)value;
    return value > UINT16_MAX ? -1 : 0;
}

/*
 * Split TEXT at its last colon outside brackets: HEAD, perhaps with brackets, and what follows.
 * Returns false if there is no colon or a bracket is not closed.
 */
static bool split_last(const char *text, size_t length, struct part *head, struct part *tail)
{
    const char *end = text + length, *colon = NULL;

    for (const char *at = text; at < end; at++) {
        if (*at == '[') {
            at = memchr(at, ']', (size_t)(end - at));
            if (!at)
                return false;
        } else if (*at == ':') {
            colon = at;
        }
    }
    if (!colon)
        return false;
    *head = part_until(text, colon);
    *tail = part_until(colon + 1, end);
    return true;
}

/* "[IPv6]" or "IPv4". */
static int parse_ip(struct part part, struct net_address *address)
{
    bool bracketed = part.length >= 2 && part.text[0] == '[';

    if (bracketed) {
        if (part.text[part.length - 1] != ']')
            return -1;
        part.text++;
        part.length -= 2;
    }
    if (net_address_parse(part.text, part.length, address) < 0)
        return -1;
    return memchr(part.text, ':', part.length) && !bracketed ? -1 : 0;
}

/* Take "/tcp" or "/udp" from the end of *LENGTH bytes. */
static bool take_protocol(const char *text, size_t *length, uint8_t *protocol)
{
    const char *slash = memchr(text, '/', *length);

    *protocol = NET_TCP;
    if (!slash)
        return true;
    *length = (size_t)(slash - text);
    if (strcmp(slash, "/udp") == 0)
        *protocol = NET_UDP;
    return *protocol == NET_UDP || strcmp(slash, "/tcp") == 0;
}

const char *net_parse_publish(const char *text, struct net_publish_rule *rule)
{
    struct part ports, address, host, guest;
    size_t length = strlen(text);
    uint16_t host_port;

    *rule = (struct net_publish_rule){0};
    if (!take_protocol(text, &length, &rule->protocol))
        return "only /tcp or /udp may follow GUEST, e.g. 5353:53/udp";
    if (!split_last(text, length, &ports, &guest))
        return "give HOST:GUEST, two ports, e.g. 8080:80";
    rule->host = net_address_loopback(true, 0);
    host = ports;
    if (split_last(ports.text, ports.length, &address, &host) && parse_ip(address, &rule->host) < 0)
        return "ADDR must be a numeric address of this host, e.g. 0.0.0.0:8080:80 or "
               "[::1]:8080:80";
    if (parse_port(host, &host_port) < 0)
        return "HOST must be a port, 1 to 65535, or 0 for any that is free";
    if (parse_port(guest, &rule->guest_port) < 0)
        return "GUEST must be a port, 1 to 65535, or 0 for a program that binds to any";
    rule->host.port = host_port;
    return NULL;
}

static bool is_name(struct part part)
{
    if (part.length == 0 || part.length > NET_NAME_MAX || part.text[0] == '-' ||
        part.text[0] == '.')
        return false;
    for (size_t i = 0; i < part.length; i++) {
        char c = part.text[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

/* Nothing but digits and dots: a damaged address, which is not to be asked of a name server. */
static bool looks_numeric(struct part part)
{
    return strspn(part.text, "0123456789.") >= part.length;
}

/* The "/LEN" of a CIDR: bits of the family's own address. */
static bool take_prefix_length(struct part *host, unsigned *bits)
{
    const char *slash = memchr(host->text, '/', host->length);
    uint16_t value;

    *bits = 128;
    if (!slash)
        return true;
    if (parse_port(part_until(slash + 1, host->text + host->length), &value) < 0 || value > 128)
        return false;
    *bits = value;
    host->length = (size_t)(slash - host->text);
    return true;
}

static bool has_bits_below(const uint8_t ip[16], unsigned bits)
{
    for (unsigned bit = bits; bit < 128; bit++)
        if (ip[bit / 8] & 0x80 >> bit % 8)
            return true;
    return false;
}

static const char *parse_prefix(struct part host, struct net_connect_rule *rule)
{
    bool inside = host.length >= 2 && host.text[0] == '[' && host.text[host.length - 1] == ']' &&
                  memchr(host.text, '/', host.length);
    struct net_address address;
    unsigned bits;

    /* Both [fc00::]/7 and [fc00::/7] are in use. */
    if (inside)
        host = (struct part){host.text + 1, host.length - 2};
    bool has_length = memchr(host.text, '/', host.length);
    if (!take_prefix_length(&host, &bits))
        return "the prefix after '/' must be 0 to 32, or 0 to 128 for IPv6";
    if (inside ? net_address_parse(host.text, host.length, &address) < 0
               : parse_ip(host, &address) < 0)
        return "HOST is no address; give e.g. 192.0.2.1:80, [2001:db8::1]:80 or 10.0.0.0/8:80";
    if (net_address_is_ipv4(&address) && has_length) {
        if (bits > 32)
            return "the prefix after '/' must be 0 to 32, or 0 to 128 for IPv6";
        bits += 96;
    }
    if (bits == 128 && net_address_is_wildcard(&address))
        return "this is no address to connect to; give that of a host, or '*'";
    if (has_bits_below(address.ip, bits))
        return "the address has bits behind its prefix; write the network's, e.g. 10.0.0.0/8";
    rule->kind = NET_CONNECT_PREFIX;
    rule->bits = (uint8_t)bits;
    memcpy(rule->prefix, address.ip, sizeof(rule->prefix));
    return NULL;
}

const char *net_parse_connect(const char *text, struct net_connect_rule *rule)
{
    struct part host, port;

    *rule = (struct net_connect_rule){0};
    if (!split_last(text, strlen(text), &host, &port) || host.length == 0)
        return "give HOST:PORT, e.g. example.org:443, 10.0.0.0/8:5432, [::1]:80 or '*:443'";
    if (!(port.length == 1 && *port.text == '*') &&
        (parse_port(port, &rule->port) < 0 || rule->port == 0))
        return "PORT must be 1 to 65535, or * for any";
    if (host.length == 1 && *host.text == '*') {
        rule->kind = NET_CONNECT_PUBLIC;
        return NULL;
    }
    if (memchr(host.text, '[', host.length) || memchr(host.text, '/', host.length) ||
        looks_numeric(host))
        return parse_prefix(host, rule);
    if (memchr(host.text, ':', host.length))
        return "put an IPv6 address in brackets, e.g. [2001:db8::1]:443";
    if (!is_name(host))
        return "HOST is no name; give e.g. example.org:443";
    rule->kind = NET_CONNECT_NAME;
    rule->name = host.text;
    rule->name_length = host.length;
    return NULL;
}
