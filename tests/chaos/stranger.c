/* stranger.c - what comes to an open port: `stranger HOST:PORT KIND [ARGUMENT...]`
 *
 *      wrong-token N                   handshakes with a token that is not the job's
 *      relay SECONDS                   prints an address; what comes there is passed on to the coordinator and written
 *                                      down; when it has ended it is said again, word by word
 *      oversized N                     a frame of 64 MiB instead of a handshake
 *      oversized N TOKEN               64 MiB and one byte after a right one
 *      nested|empty BYTES N TOKEN      after a right one a message of at most so many bytes: submessages within
 *                                      submessages; submessages of no bytes
 *      idle N SECONDS                  so many that say nothing; each that is closed comes again
 *      trickle N SECONDS               so many that say a hello, a byte every 100 ms; each that is closed comes again
 *
 * Prints what it did.  Exit code 0: the coordinator ended every connection.  1: it did not, or let somebody in.
 * TOKEN: a file (coordinator/access.h).  All sockets are the kernel's; none outlives the program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/access.h"
#include "net/address.h"
#include "net/auth.h"
#include "net/frame.h"

enum { END_MS = 12000, ANSWER_MS = 10000, PACE_MS = 100, KEPT = 16 << 10, RELAYED = 16 };

static struct sockaddr_in coordinator = {.sin_family = AF_INET};

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static void nap(long ms)
{
    poll(NULL, 0, (int)ms);
}

/* --- a connection --- */

static int dial(int flags)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0)
        die("socket");
    if (connect(fd, (struct sockaddr *)&coordinator, sizeof coordinator) != 0 &&
        errno != EINPROGRESS)
        die("connect");
    return fd;
}

/* false: the other end does not want them */
static bool say(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n > 0) {
        const ssize_t k = send(fd, at, n, MSG_NOSIGNAL);
        if (k < 0)
            return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

/* Exactly @n bytes; false: the connection ended, or they did not come. */
static bool hear(int fd, void *bytes, size_t n)
{
    char *at = bytes;
    const long end = now_ms() + ANSWER_MS;
    while (n > 0) {
        struct pollfd p = {fd, POLLIN, 0};
        if (now_ms() >= end || poll(&p, 1, ANSWER_MS) <= 0)
            return false;
        const ssize_t k = recv(fd, at, n, 0);
        if (k <= 0)
            return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

/* What it says is thrown away. */
static bool ended(int fd)
{
    char bytes[4096];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        ;
    return n == 0 || (errno != EAGAIN && errno != EINTR);
}

/* The connection ends within END_MS; it is closed here, too. */
static bool ends(int fd)
{
    const long end = now_ms() + END_MS;
    bool gone;
    while (!(gone = ended(fd)) && now_ms() < end)
        nap(5);
    close(fd);
    return gone;
}

/* --- handshakes --- */

static bool say_framed(int fd, const struct auth_message *m)
{
    uint8_t bytes[FRAME_HEADER + AUTH_BYTES_MAX];
    frame_header(bytes, m->bytes, m->n);
    memcpy(bytes + FRAME_HEADER, m->bytes, m->n);
    return say(fd, bytes, FRAME_HEADER + m->n);
}

static bool hear_framed(int fd, struct auth_message *m, size_t n)
{
    uint8_t header[FRAME_HEADER];
    m->n = n;
    return hear(fd, header, sizeof header) && hear(fd, m->bytes, n);
}

/* As one who does not mind who listens: a wrong token is found out by the coordinator, not here.  true: it let us in. */
static bool shake_hands(int fd, const uint8_t token[AUTH_TOKEN])
{
    struct auth a;
    struct auth_message m, proof;
    auth_call(&a, token, AUTH_CONTROL, auth_draw(), &m);
    if (!say_framed(fd, &m) || !hear_framed(fd, &m, AUTH_BYTES_MAX))
        return false;
    if (auth_take(&a, m.bytes, m.n, &proof) != ERR_OK)
        proof = (struct auth_message){.bytes = {3, AUTH_CONTROL}, .n = 4 + AUTH_PROOF};
    return say_framed(fd, &proof) && hear_framed(fd, &m, 4);
}

static int come_in(const uint8_t token[AUTH_TOKEN])
{
    const int fd = dial(0);
    if (!shake_hands(fd, token)) {
        printf("the right token was refused\n");
        exit(1);
    }
    return fd;
}

static int wrong_token(int n)
{
    int refused = 0;
    for (int i = 0; i < n; i++) {
        uint8_t token[AUTH_TOKEN];
        auth_token_draw(token);
        const int fd = dial(0);
        const bool in = shake_hands(fd, token);
        refused += ends(fd) && !in;
    }
    printf("wrong token: %d of %d refused\n", refused, n);
    return refused == n ? 0 : 1;
}

/* --- what was overheard --- */

struct relayed {
    int caller, onward; /* -1: none */
    uint8_t said[KEPT]; /* by the caller */
    size_t n, passed;
};

static int listen_here(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) != 0 ||
        listen(fd, RELAYED) != 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        die("listen");
    printf("127.0.0.1:%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

/* What has come at one end goes out at the other; false: the end. */
static bool pass_on(struct relayed *r, int from, int to)
{
    static uint8_t bytes[1 << 16];
    const ssize_t n = recv(from, bytes, sizeof bytes, 0);
    if (n <= 0)
        return false;
    if (from == r->caller) {
        const size_t keep = (size_t)n < KEPT - r->n ? (size_t)n : KEPT - r->n;
        memcpy(r->said + r->n, bytes, keep);
        r->n += keep;
    } else {
        r->passed += (size_t)n;
    }
    return say(to, bytes, (size_t)n);
}

/* Until somebody came and all have ended; the number of them. */
static int overhear(struct relayed r[RELAYED], int seconds)
{
    const int door = listen_here();
    const long end = now_ms() + seconds * 1000L;
    int n = 0, alive = 0;
    while (now_ms() < end && (n == 0 || alive > 0)) {
        struct pollfd p[1 + 2 * RELAYED] = {{n < RELAYED ? door : -1, POLLIN, 0}};
        for (int i = 0; i < n; i++) {
            p[1 + 2 * i] = (struct pollfd){r[i].caller, POLLIN, 0};
            p[2 + 2 * i] = (struct pollfd){r[i].onward, POLLIN, 0};
        }
        const int had = n;
        if (poll(p, (nfds_t)(1 + 2 * n), 100) <= 0)
            continue;
        if (p[0].revents) {
            r[n] = (struct relayed){.caller = accept(door, NULL, NULL), .onward = dial(0)};
            n++;
            alive++;
        }
        for (int i = 0; i < had; i++) {
            if ((p[1 + 2 * i].revents && !pass_on(&r[i], r[i].caller, r[i].onward)) ||
                (p[2 + 2 * i].revents && !pass_on(&r[i], r[i].onward, r[i].caller))) {
                close(r[i].caller);
                close(r[i].onward);
                r[i].caller = r[i].onward = -1;
                alive--;
            }
        }
    }
    close(door);
    return alive == 0 ? n : -1;
}

/* Word by word: the hello, and when it was answered the rest; or all at once.  true: refused. */
static bool say_again(const struct relayed *r, bool at_once)
{
    enum { HELLO = FRAME_HEADER + 48, CHALLENGE = FRAME_HEADER + AUTH_BYTES_MAX };
    uint8_t answer[CHALLENGE + 1];
    const int fd = dial(0);
    const size_t first = at_once ? r->n : HELLO;
    say(fd, r->said, first);
    const bool challenged = hear(fd, answer, CHALLENGE);
    if (!at_once)
        say(fd, r->said + HELLO, r->n - HELLO);
    const bool more = hear(fd, answer, 1); /* "accepted" would be more than the challenge */
    return ends(fd) && challenged && !more;
}

static int relay(int seconds)
{
    static struct relayed r[RELAYED];
    const int n = overhear(r, seconds);
    int again = 0, refused = 0, genuine = 0;
    for (int i = 0; i < n; i++) {
        if (r[i].n < FRAME_HEADER + 48 + FRAME_HEADER + 36)
            continue; /* it did not say all of a handshake */
        genuine += r[i].passed > FRAME_HEADER + AUTH_BYTES_MAX; /* it was let in then */
        again += 2;
        refused += say_again(&r[i], false) + say_again(&r[i], true);
    }
    printf("replay: %d connections overheard, %d were let in; said again %d times, %d refused\n", n, genuine, again,
           refused);
    return genuine > 0 && refused == again ? 0 : 1;
}

/* --- frames and messages that are too much --- */

static uint8_t *oversized(size_t *n)
{
    *n = (size_t)FRAME_MAX + 1;
    return mem_zalloc(FRAME_HEADER + *n);
}

static void put_length(uint8_t header[FRAME_HEADER], size_t n)
{
    for (int i = 0; i < 4; i++)
        header[4 + i] = (uint8_t)(n >> (8 * i));
}

static size_t put_varint(uint8_t *to, size_t x)
{
    size_t n = 0;
    for (; x >= 0x80; x >>= 7)
        to[n++] = (uint8_t)(x | 0x80);
    to[n++] = (uint8_t)x;
    return n;
}

/* Field 6 of Control is a Lease, whose field 6 is a Slice: one tag for all levels. */
enum { TAG = 6 << 3 | 2, WRAPPED = 6 };

/* From the inside out. */
static uint8_t *nested(size_t *n)
{
    uint8_t *bytes = mem_zalloc(FRAME_HEADER + *n), length[WRAPPED];
    size_t at = FRAME_HEADER + *n;
    while (at >= FRAME_HEADER + WRAPPED) {
        const size_t k = put_varint(length, FRAME_HEADER + *n - at);
        at -= k + 1;
        bytes[at] = TAG;
        memcpy(bytes + at + 1, length, k);
    }
    *n = FRAME_HEADER + *n - at;
    memmove(bytes + FRAME_HEADER, bytes + at, *n);
    return bytes;
}

static uint8_t *empty(size_t *n)
{
    const size_t inside = (*n - WRAPPED) / 2 * 2;
    uint8_t *bytes = mem_zalloc(FRAME_HEADER + *n), *at = bytes + FRAME_HEADER;
    *at++ = TAG;
    at += put_varint(at, inside);
    for (size_t i = 0; i < inside; i += 2)
        at[i] = TAG;
    *n = (size_t)(at - bytes) - FRAME_HEADER + inside;
    return bytes;
}

static int too_much(const char *kind, uint8_t *bytes, size_t n, int times,
                    const uint8_t *token)
{
    int refused = 0;
    frame_header(bytes, bytes + FRAME_HEADER, n < FRAME_MAX ? n : FRAME_MAX);
    put_length(bytes, n);
    for (int i = 0; i < times; i++) {
        const int fd = token ? come_in(token) : dial(0);
        say(fd, bytes, FRAME_HEADER + n);
        refused += ends(fd);
    }
    printf("%s, %zu bytes%s: %d of %d refused\n", kind, n,
           token ? " after a right handshake" : "", refused, times);
    mem_free(bytes);
    return refused == times ? 0 : 1;
}

/* --- many --- */

/* @hello: what each says, a byte every PACE_MS; NULL: nothing */
static int many(const char *kind, int n, int seconds, const uint8_t *hello, size_t bytes)
{
    int *fd = mem_alloc((size_t)n * sizeof *fd), left = n;
    size_t *at = mem_zalloc((size_t)n * sizeof *at);
    unsigned long opened = 0, closed = 0;
    for (int i = 0; i < n; i++)
        fd[i] = -1;
    const long end = now_ms() + seconds * 1000L;
    while (left > 0 && now_ms() < end + END_MS) {
        left = 0;
        for (int i = 0; i < n; i++) {
            if (fd[i] >= 0 && ended(fd[i])) {
                close(fd[i]);
                fd[i] = -1;
                closed++;
            }
            if (fd[i] < 0 && now_ms() < end) {
                fd[i] = dial(SOCK_NONBLOCK);
                at[i] = 0;
                opened++;
            } else if (fd[i] >= 0 && at[i] < bytes) {
                at[i] += send(fd[i], hello + at[i], 1, MSG_NOSIGNAL) == 1;
            }
            left += fd[i] >= 0;
        }
        nap(PACE_MS);
    }
    printf("%s: %d at a time for %d s: %lu connections, %lu ended\n", kind, n, seconds, opened, closed);
    return left == 0 && opened == closed ? 0 : 1;
}

static int trickle(int n, int seconds)
{
    static const uint8_t nobody[AUTH_TOKEN];
    uint8_t bytes[FRAME_HEADER + AUTH_BYTES_MAX];
    struct auth a;
    struct auth_message m;
    auth_call(&a, nobody, AUTH_CONTROL, auth_draw(), &m);
    frame_header(bytes, m.bytes, m.n);
    memcpy(bytes + FRAME_HEADER, m.bytes, m.n);
    return many("trickle", n, seconds, bytes, FRAME_HEADER + m.n);
}

static void enough_descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int be(const char *kind, int n, char **more)
{
    uint8_t token[AUTH_TOKEN];
    size_t bytes;
    uint8_t *frame;
    if (strcmp(kind, "wrong-token") == 0)
        return wrong_token(n);
    if (strcmp(kind, "relay") == 0)
        return relay(n);
    if (strcmp(kind, "oversized") == 0) {
        if (more[0] && access_read_token(more[0], token) != ERR_OK)
            return 2;
        frame = oversized(&bytes);
        return too_much(kind, frame, bytes, n, more[0] ? token : NULL);
    }
    if (!more[0])
        return 2;
    if (strcmp(kind, "idle") == 0)
        return many(kind, n, atoi(more[0]), NULL, 0);
    if (strcmp(kind, "trickle") == 0)
        return trickle(n, atoi(more[0]));
    if (!more[1] || n < 64 || n > FRAME_MAX || access_read_token(more[1], token) != ERR_OK)
        return 2;
    bytes = (size_t)n;
    frame = strcmp(kind, "nested") == 0 ? nested(&bytes) : empty(&bytes);
    return too_much(kind, frame, bytes, atoi(more[0]), token);
}

int main(int argc, char **argv)
{
    struct address a;
    log_init("stranger", LOG_WARN);
    if (argc < 4 || address_parse(argv[1], &a) != 0 ||
        inet_pton(AF_INET, a.host, &coordinator.sin_addr) != 1) {
        fprintf(stderr, "usage: stranger HOST:PORT KIND N [ARGUMENT...], see the head of its source\n");
        return 2;
    }
    coordinator.sin_port = htons(a.port);
    signal(SIGPIPE, SIG_IGN);
    enough_descriptors();
    return be(argv[2], atoi(argv[3]), argv + 4);
}
