/* serve.h - the coordinator in the world: moves events and actions between its core
 * (coordinator.h), the control channel, the data lane, the store, the data, the disk and
 * the terminal.
 *
 *      TRY(serve_open(&options, &s));       everything that can be wrong is found here
 *      serve_listen / serve_adopt           where workers come from
 *      serve_start(s);  ... loop_run() ...  on_finish() says how it ended
 *      serve_close(s);
 *
 * Loop thread only.
 */
#ifndef COORDINATOR_SERVE_H
#define COORDINATOR_SERVE_H

#include <stdbool.h>

#include "conf/conf.h"
#include "net/control.h"
#include "net/loop.h"
#include "net/transport.h"

struct document;

struct serve_options {
    const struct conf *conf;   /* checked; borrowed */
    bool eval_only;            /* evaluate @checkpoint; then, too: */
    struct document *document; /* translate it instead, which is ended then; or NULL */
    const char *checkpoint;    /* a good one; borrowed */
    bool ema;                  /* the average of its parameters */
    uint32_t workers;          /* to wait for */
    bool one_process;          /* the worker is in this process, nobody else will come */
    uint32_t compute_threads;  /* of all workers together, for reports */
    unsigned threads;          /* of the coordinator, to add and to update with */
    const char *kernels;       /* borrowed */
    void (*on_finish)(void *ctx, int err, bool clean); /* once; clean: nobody was lost */
    void *ctx;
};

struct serve;

int serve_open(const struct serve_options *o, struct serve **s);
void serve_close(struct serve *s);

/* Already complete: nothing is to be computed (said on the terminal). */
bool serve_nothing_to_do(const struct serve *s);

const uint8_t *serve_token(const struct serve *s); /* [AUTH_TOKEN] */

/* Then workers come by TCP, or are one in this process. */
int serve_listen(struct serve *s, struct loop *l, struct transport *lane,
                 const char *address, char bound[CONTROL_ADDRESS]);
extern const struct channel_events serve_events; /* their ctx is the struct serve */
int serve_adopt(struct serve *s, struct loop *l, struct transport *lane,
                struct channel *c);

void serve_start(struct serve *s);

#endif
