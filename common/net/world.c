#include "net/world.h"

#include <assert.h>
#include <errno.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/orphan.h"

enum { HANDSHAKE_TAG = 0, FINALIZE_S = 5 };

/* --- the launcher's environment --- */

static bool read_number(const char *name, uint32_t *value)
{
    const char *text = getenv(name);
    char *end;
    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    const unsigned long n = strtoul(text, &end, 10);
    if (errno || *end || n > INT32_MAX)
        return false;
    *value = (uint32_t)n;
    return true;
}

static bool read_first(const char *const *names, uint32_t *value)
{
    for (; *names; names++)
        if (read_number(*names, value))
            return true;
    return false;
}

/* Open MPI's mpirun, then launchers by PMIx or PMI (srun), which do not always say the
 * size: then there is more than one rank until MPI says otherwise. */
void world_peek(struct world *w)
{
    static const char *const rank[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                       NULL},
                             *const size[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
                                              "SLURM_STEP_NUM_TASKS", NULL},
                             *const local[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", NULL};
    *w = (struct world){.rank = 0, .size = 1, .local_size = 1};
    if (read_first(rank, &w->rank) && (!read_first(size, &w->size) || w->size == 0))
        w->size = w->rank + 2;
    if (w->rank >= w->size || w->size == 1)
        *w = (struct world){.rank = 0, .size = 1};
    if (!read_first(local, &w->local_size) || w->local_size == 0 ||
        w->local_size > w->size)
        w->local_size = 1;
    w->one_host = w->local_size == w->size;
}

/* --- start --- */

/* Defaults for those who start plain mpirun; what they set themselves stays. ob1 with the
 * transports that survive the death of a peer, also saving 0.2 s of looking for others,
 * and ranks that share cores give way. */
static void set_defaults(void)
{
#if defined(OMPI_MAJOR_VERSION) && OMPI_MAJOR_VERSION == 4
    setenv("OMPI_MCA_pml", "ob1", 0);
    setenv("OMPI_MCA_btl", "vader,tcp,self", 0);
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
#endif
}

/* THREAD_SINGLE on Open MPI 4, although there are compute threads: they make no MPI call,
 * and with any higher level the library deadlocks in MPI_Test when a peer dies. */
static int init(void)
{
#if defined(OMPI_MAJOR_VERSION) && OMPI_MAJOR_VERSION == 4
    return MPI_Init(NULL, NULL);
#else
    int provided;
    return MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
#endif
}

int world_start(struct world *w)
{
    world_peek(w);
    signal(SIGPIPE, SIG_IGN); /* a dead peer's socket, in our hands or in MPI's */
    if (w->size == 1)
        return ERR_OK;
    set_defaults();
    if (init() != MPI_SUCCESS) {
        log_error("MPI could not be started; is this program built for the MPI whose "
                  "mpirun started it?");
        return ERR_IO;
    }
    int rank, size;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    w->mpi = true;
    w->rank = (uint32_t)rank;
    w->size = (uint32_t)size;
    w->one_host = w->local_size == w->size;
    return ERR_OK;
}

/* --- the handshake: one message of fixed length to each rank -------------------------
 *
 *      magic "LKW1" | exit code, u32 little-endian | address, ends in zeros | token
 */
enum {
    CODE_AT = 4,
    ADDRESS_AT = 8,
    TOKEN_AT = ADDRESS_AT + sizeof(((struct world_verdict *)0)->address),
    VERDICT_BYTES = TOKEN_AT + AUTH_TOKEN
};

struct handshake { /* on the heap: a request that never completes keeps it for ever */
    MPI_Request request;
    uint8_t bytes[VERDICT_BYTES];
};

static void pack_verdict(uint8_t to[VERDICT_BYTES], const struct world_verdict *v)
{
    memset(to, 0, VERDICT_BYTES);
    memcpy(to, "LKW1", CODE_AT);
    for (int i = 0; i < 4; i++)
        to[CODE_AT + i] = (uint8_t)(v->exit_code >> 8 * i);
    snprintf((char *)to + ADDRESS_AT, sizeof v->address, "%s", v->address);
    memcpy(to + TOKEN_AT, v->token, AUTH_TOKEN);
}

static int unpack_verdict(const uint8_t from[VERDICT_BYTES], struct world_verdict *v)
{
    if (memcmp(from, "LKW1", CODE_AT) != 0 || from[TOKEN_AT - 1] != 0) {
        log_error("rank 0 says something else than where it listens: it runs another "
                  "version of the program");
        return ERR_MISMATCH;
    }
    v->exit_code = 0;
    for (int i = 0; i < 4; i++)
        v->exit_code |= (uint32_t)from[CODE_AT + i] << 8 * i;
    memcpy(v->address, from + ADDRESS_AT, sizeof v->address);
    memcpy(v->token, from + TOKEN_AT, AUTH_TOKEN);
    return ERR_OK;
}

/* Tests until all are complete or the time is over; how many are not. */
static size_t wait_for(struct handshake *const *h, size_t n, double timeout_s)
{
    const double end = clock_seconds() + timeout_s;
    for (;;) {
        size_t left = 0;
        for (size_t i = 0; i < n; i++) {
            int complete = 0;
            if (MPI_Test(&h[i]->request, &complete, MPI_STATUS_IGNORE) != MPI_SUCCESS)
                complete = 0;
            left += !complete;
        }
        if (left == 0 || clock_seconds() > end)
            return left;
        nanosleep(&(struct timespec){.tv_nsec = 200 * 1000L}, NULL);
    }
}

int world_announce(const struct world *w, const struct world_verdict *v, double timeout_s)
{
    assert(w->rank == 0);
    const size_t n = w->size - 1;
    struct handshake **h = mem_alloc(n * sizeof *h);
    for (size_t i = 0; i < n; i++) {
        h[i] = mem_zalloc(sizeof *h[i]);
        pack_verdict(h[i]->bytes, v);
        h[i]->request = MPI_REQUEST_NULL;
        MPI_Issend(h[i]->bytes, VERDICT_BYTES, MPI_BYTE, (int)i + 1, HANDSHAKE_TAG,
                   MPI_COMM_WORLD, &h[i]->request); /* complete when it was received */
    }
    const size_t left = wait_for(h, n, timeout_s);
    for (size_t i = 0; i < n; i++)
        if (h[i]->request == MPI_REQUEST_NULL)
            mem_free(h[i]);
    mem_free(h);
    if (left > 0) {
        log_error("%zu of %zu ranks did not ask for the coordinator's address in %g s; "
                  "are they still starting, or gone?",
                  left, n, timeout_s);
        return ERR_TIMEOUT;
    }
    return ERR_OK;
}

int world_await(const struct world *w, struct world_verdict *v, double timeout_s)
{
    assert(w->rank != 0);
    (void)w;
    struct handshake *h = mem_zalloc(sizeof *h);
    h->request = MPI_REQUEST_NULL;
    MPI_Irecv(h->bytes, VERDICT_BYTES, MPI_BYTE, 0, HANDSHAKE_TAG, MPI_COMM_WORLD,
              &h->request);
    if (wait_for(&h, 1, timeout_s) > 0) {
        log_error("rank 0 did not say in %g s where it listens; see its own messages",
                  timeout_s);
        return ERR_TIMEOUT;
    }
    const int err = unpack_verdict(h->bytes, v);
    mem_free(h);
    return err;
}

/* --- exit --- */

static volatile sig_atomic_t exit_code_now;

static void on_finalize_hangs(int signum)
{
    (void)signum;
    _exit(exit_code_now);
}

_Noreturn void world_exit(const struct world *w, int exit_code, bool clean)
{
    if (!w->mpi)
        exit(exit_code);
    fflush(NULL);
    if (!clean) {
        orphan_begin();
        _exit(exit_code); /* MPI_Finalize may wait for the dead for ever */
    }
    exit_code_now = exit_code;
    signal(SIGALRM, on_finalize_hangs);
    alarm(FINALIZE_S);
    MPI_Finalize();
    exit(exit_code);
}
