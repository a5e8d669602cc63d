/* watch.h - inside nn: the caller is told how far a pass has come (transformer.h). */
#ifndef NN_WATCH_H
#define NN_WATCH_H

#include "nn/pass.h"
#include "nn/transformer.h"

/* A layer that has no parameters is not spoken of. */
static inline struct param_range watch_range(const struct pass *p, enum section section,
                                             size_t block)
{
    return params_range(p->conf, &p->s, (struct layer){section, block});
}

/* Its parameters are read from here on. */
static inline void watch_needed(const struct pass *p, enum section section, size_t block)
{
    const struct param_range r = watch_range(p, section, block);
    if (p->watch && p->watch->needed && r.count)
        p->watch->needed(p->watch->ctx, r.first, r.count);
}

/* Its gradient is there. */
static inline void watch_done(const struct pass *p, enum section section, size_t block)
{
    const struct param_range r = watch_range(p, section, block);
    if (p->watch && p->watch->done && r.count)
        p->watch->done(p->watch->ctx, r.first, r.count);
}

#endif
