/* scaled RUN OUT PREFIX FACTOR - the newest checkpoint of RUN as the new one OUT, whose
 * matrices with names that begin with PREFIX are FACTOR times as large. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "checkpoint/checkpoint.h"
#include "coordinator/tensors.h"
#include "coordinator/trained.h"

static int scale(const struct trained *t, struct tensors *all, const char *prefix,
                 float factor)
{
    size_t found = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct safetensor *s = &all->list[i];
        if (strncmp(s->name, prefix, strlen(prefix)) != 0 || s->rank < 2)
            continue;
        found++;
        for (size_t k = 0; k < s->dims[0] * s->dims[1]; k++)
            s->data[k] *= factor;
    }
    if (found > 0)
        return ERR_OK;
    fprintf(stderr, "%s has no matrix %s...\n", t->dir, prefix);
    return ERR_DATA;
}

static char *text_of(const struct trained *t, const char *name)
{
    enum { MOST = 64 << 20 };
    char *path = file_join(t->dir, name), *text;
    size_t bytes;
    if (file_read(path, MOST, &text, &bytes) != ERR_OK)
        exit(EXIT_FAILURE);
    mem_free(path);
    return text;
}

static int export(const struct trained *t, const struct tensors *all, const char *out)
{
    struct checkpoint_content content = {.model = all->list,
                                         .models = all->n,
                                         .tokenizer = text_of(t, "tokenizer.json"),
                                         .run_yaml = text_of(t, "run.yaml")};
    TRY(checkpoint_read_state(t->dir, &content.state));
    return checkpoint_export(&disk_real, out, &content);
}

int main(int argc, char **argv)
{
    struct trained t;
    if (argc != 5)
        return 64;
    const struct trained_from from = {.path = argv[1], .step = UINT64_MAX};
    if (trained_open(&t, &from) != ERR_OK)
        return EXIT_FAILURE;
    struct tensors all = tensors_of_model(&t.model, t.theta);
    int err = scale(&t, &all, argv[3], strtof(argv[4], NULL));
    if (!err)
        err = export(&t, &all, argv[2]);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
