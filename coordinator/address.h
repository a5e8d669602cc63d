/* address.h - where the coordinator listens. */
#ifndef COORDINATOR_ADDRESS_H
#define COORDINATOR_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/control.h"

/* @wanted is cluster.listen: "auto" is loopback when all ranks are on @one_host, else the
 * first address of this host that is not loopback and that MPI was not kept from: mpirun
 * hands its setting btl_tcp_if_include, names of interfaces or networks, to the ranks as
 * OMPI_MCA_btl_tcp_if_include.  ERR_IO, logged, when there is none. */
int address_to_listen(const char *wanted, bool one_host, char address[CONTROL_ADDRESS]);

/* Is the interface @name with this address (host order) in @list, "eth0,10.1.0.0/16"? */
bool address_included(const char *list, const char *name, uint32_t address);

/* Does this host have that address, HOST:PORT or HOST with a number for HOST? */
bool address_is_here(const char *address);

#endif
