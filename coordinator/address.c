#include "coordinator/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"

static bool usable(const struct ifaddrs *i)
{
    return i->ifa_addr && i->ifa_addr->sa_family == AF_INET && (i->ifa_flags & IFF_UP) &&
           !(i->ifa_flags & IFF_LOOPBACK);
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
        if (usable(i)) {
            const void *raw = i->ifa_addr;
            const struct sockaddr_in *in = raw;
            found = inet_ntop(AF_INET, &in->sin_addr, address, CONTROL_ADDRESS) != NULL;
        }
    freeifaddrs(all);
    if (!found) {
        log_error("this host has no address that other hosts could reach; name one with "
                  "cluster.listen=HOST");
        return ERR_IO;
    }
    return ERR_OK;
}
