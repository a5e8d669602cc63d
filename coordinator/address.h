/* address.h - where the coordinator listens. */
#ifndef COORDINATOR_ADDRESS_H
#define COORDINATOR_ADDRESS_H

#include <stdbool.h>

#include "net/control.h"

/* @wanted is cluster.listen: "auto" is loopback when all ranks are on @one_host, else the
 * first address of this host that is not loopback.  ERR_IO, logged, when it has none. */
int address_to_listen(const char *wanted, bool one_host, char address[CONTROL_ADDRESS]);

#endif
