/* address.h - HOST:PORT, as people write it.
 *
 *      node7:4000   node7   10.0.0.7:4000   [fe80::1]:4000   [::1]   ::1   :4000   ""
 *
 * Without a port it is 0, without a host "".  Two or more colons without brackets are an
 * IPv6 address without a port.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdint.h>

enum { ADDRESS_HOST = 256 };

struct address {
    char host[ADDRESS_HOST];
    uint16_t port;
};

/* ERR_INVALID, not logged. */
int address_parse(const char *text, struct address *a);

#endif
