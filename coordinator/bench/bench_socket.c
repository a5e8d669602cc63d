#include "coordinator/bench/bench_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "net/address.h"

static int listen_at(int fd, const struct sockaddr *at, socklen_t n)
{
    return bind(fd, at, n) != 0 ? -1 : listen(fd, 1);
}

/* A socket for which use(socket, address of @host and @port) succeeded. */
static int socket_at(const char *host, const char *port, const char *what,
                     int (*use)(int fd, const struct sockaddr *at, socklen_t n))
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int fd = -1, why = 0;
    const int rc = getaddrinfo(host, port, &hints, &all);
    for (const struct addrinfo *i = all; i && fd < 0; i = i->ai_next) {
        fd = socket(i->ai_family, i->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd >= 0 && use(fd, i->ai_addr, i->ai_addrlen) == 0)
            break;
        why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    if (all)
        freeaddrinfo(all);
    if (fd < 0)
        log_error("could not %s %s, port %s: %s", what, host, port,
                  rc ? gai_strerror(rc) : strerror(why));
    return fd;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        return 0;
    return at.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&at)->sin6_port)
                                    : ntohs(((const struct sockaddr_in *)&at)->sin_port);
}

int bench_listen(const char *host, char *address, size_t size)
{
    const int fd = socket_at(host, "0", "listen on", listen_at);
    if (fd >= 0)
        snprintf(address, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
                 port_of(fd));
    return fd;
}

int bench_connect(const char *address)
{
    struct address a;
    char port[16];
    if (address_parse(address, &a) != ERR_OK) {
        log_error("%s: expected HOST:PORT", address);
        return -1;
    }
    snprintf(port, sizeof port, "%u", (unsigned)a.port);
    return socket_at(a.host, port, "reach", connect);
}

int bench_accept(int listening, int timeout_ms)
{
    struct pollfd fd = {.fd = listening, .events = POLLIN};
    const int ready = poll(&fd, 1, timeout_ms);
    const int accepted = ready > 0 ? accept(listening, NULL, NULL) : -1;
    if (accepted < 0)
        log_error("nobody connected in %d ms: %s", timeout_ms,
                  ready == 0 ? "is the port closed to it?" : strerror(errno));
    return accepted;
}
