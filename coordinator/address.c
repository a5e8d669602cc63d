#include "coordinator/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "net/address.h"

enum { WORD = 64 };

/* Is @address in "10.1.0.0/16"?  Cuts the word at its slash. */
static bool in_network(char word[WORD], uint32_t address)
{
    struct in_addr network;
    char *slash = strchr(word, '/');
    if (!slash)
        return false;
    *slash = '\0';
    const long bits = strtol(slash + 1, NULL, 10);
    if (inet_pton(AF_INET, word, &network) != 1 || bits < 1 || bits > 32)
        return false;
    return (ntohl(network.s_addr) ^ address) >> (32 - bits) == 0;
}

bool address_included(const char *list, const char *name, uint32_t address)
{
    for (const char *from = list; *from;) {
        char word[WORD];
        const size_t n = strcspn(from, ",");
        snprintf(word, sizeof word, "%.*s", n < sizeof word ? (int)n : 0, from);
        if (*word && (strcmp(word, name) == 0 || in_network(word, address)))
            return true;
        from += n + (from[n] == ',');
    }
    return false;
}

static const struct sockaddr_in *ipv4_of(const struct ifaddrs *i)
{
    const void *raw = i->ifa_addr;
    return raw && i->ifa_addr->sa_family == AF_INET ? raw : NULL;
}

static bool usable(const struct ifaddrs *i)
{
    const char *included = getenv("OMPI_MCA_btl_tcp_if_include");
    const struct sockaddr_in *in = ipv4_of(i);
    return in && (i->ifa_flags & IFF_UP) && !(i->ifa_flags & IFF_LOOPBACK) &&
           (!included ||
            address_included(included, i->ifa_name, ntohl(in->sin_addr.s_addr)));
}

int address_to_listen(const char *wanted, bool one_host, char address[CONTROL_ADDRESS])
{
    if (strcmp(wanted, "auto") != 0) {
        snprintf(address, CONTROL_ADDRESS, "%s", wanted);
        return ERR_OK;
    }
    snprintf(address, CONTROL_ADDRESS, "127.0.0.1");
    if (one_host)
        return ERR_OK;

    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        all = NULL;
    bool found = false;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
        found = usable(i) &&
                inet_ntop(AF_INET, &ipv4_of(i)->sin_addr, address, CONTROL_ADDRESS);
    freeifaddrs(all);
    if (!found) {
        log_error("this host has no address that other hosts could reach; name one with "
                  "cluster.listen=HOST");
        return ERR_IO;
    }
    return ERR_OK;
}

bool address_is_here(const char *address)
{
    struct address a;
    struct in_addr number;
    if (address_parse(address, &a) != ERR_OK || inet_pton(AF_INET, a.host, &number) != 1)
        return false;
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        return false;
    bool found = false;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
        found = ipv4_of(i) && ipv4_of(i)->sin_addr.s_addr == number.s_addr;
    freeifaddrs(all);
    return found;
}
