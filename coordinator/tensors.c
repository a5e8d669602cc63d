#include "coordinator/tensors.h"

#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

static struct tensors with_room(size_t room)
{
    return (struct tensors){.list = mem_alloc(room * sizeof(struct safetensor)),
                            .names = mem_alloc(room * (PARAM_NAME + 16))};
}

static void add(struct tensors *all, const struct transformer *t, const char *prefix,
                float *vector)
{
    for (size_t i = 0; i < t->tensors; i++) {
        const struct param_info *p = &t->info[i];
        char *name = all->names[all->n];
        snprintf(name, sizeof all->names[0], "%s%s", prefix, p->name);
        all->list[all->n++] = (struct safetensor){.name = name,
                                                  .rank = p->cols ? 2 : 1,
                                                  .dims = {p->rows, p->cols},
                                                  .data = vector + p->first};
    }
}

struct tensors tensors_of_model(const struct transformer *t, float *vector)
{
    struct tensors all = with_room(t->tensors);
    if (vector)
        add(&all, t, "", vector);
    return all;
}

struct tensors tensors_of_moments(const struct transformer *t, enum optimizer_kind kind,
                                  float *const moment[OPTIMIZER_MOMENTS_MAX])
{
    struct tensors all = with_room(t->tensors * OPTIMIZER_MOMENTS_MAX);
    for (int i = 0; i < optimizer_moments(kind); i++) {
        char prefix[16];
        snprintf(prefix, sizeof prefix, "%s.", optimizer_moment_name(kind, i));
        add(&all, t, prefix, moment[i]);
    }
    return all;
}

void tensors_free(struct tensors *all)
{
    mem_free(all->list);
    mem_free(all->names);
    *all = (struct tensors){0};
}

int tensors_load_model(const char *dir, const struct transformer *model, bool ema,
                       float *theta)
{
    char *path = file_join(dir, ema ? "ema.safetensors" : "model.safetensors");
    int err = ERR_OK;
    if (ema && !file_exists(path)) {
        log_error("%s: it has no average of the parameters; train with optim.ema, for "
                  "example 0.999, or leave --ema out",
                  dir);
        err = ERR_NO_FILE;
    }
    struct tensors all = tensors_of_model(model, theta);
    if (!err)
        err = safetensors_read(path, all.list, all.n);
    tensors_free(&all);
    mem_free(path);
    return err;
}
