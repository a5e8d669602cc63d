/* log.jsonl of a run.  True of every file: points have ascending steps; what is in memory
 * is bounded by the file; written out as a log it reads the same. */
#include "fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>

#include "base/err.h"
#include "metrics/history.h"

static const struct history_metric *metric(void)
{
    return history_metric("loss");
}

static void check(const struct history *h, size_t bytes)
{
    const size_t shortest = sizeof "{\"time\":1,\"event\":\"\",\"step\":1,\"loss\":1}";
    CHECK(h->n * shortest <= bytes + 1 && h->bad <= bytes);
    for (size_t i = 1; i < h->n; i++)
        CHECK(h->step[i - 1] < h->step[i]);
    CHECK(h->seconds >= 0 && (h->bad == 0 || h->first_bad >= 1));
    CHECK(isnan(h->tokens_per_second) || h->tokens_per_second >= 0);
    const size_t best = history_best(h, metric());
    CHECK(best <= h->n && (best == h->n || isfinite(h->value[best])));
}

/* As jsonl.c writes. */
static void write_out(const struct history *h, FILE *out)
{
    for (size_t i = 0; i < h->n; i++) {
        fprintf(out, "{\"time\":1,\"event\":\"step\",\"step\":%llu,\"loss\":",
                (unsigned long long)h->step[i]);
        if (isfinite(h->value[i]))
            fprintf(out, "%.17g}\n", h->value[i]);
        else
            fputs("null}\n", out);
    }
}

static void check_again(const struct history *h)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    CHECK(out != NULL);
    write_out(h, out);
    fclose(out);
    struct history again;
    CHECK(history_read(&again, fuzz_file(text, bytes), metric()) == ERR_OK);
    CHECK(again.n == h->n && again.bad == 0);
    for (size_t i = 0; i < h->n; i++) {
        CHECK(again.step[i] == h->step[i]);
        CHECK(isnan(h->value[i]) ? isnan(again.value[i]) : again.value[i] == h->value[i]);
    }
    history_fini(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct history h;
    CHECK(history_read(&h, fuzz_file(data, bytes), metric()) == ERR_OK);
    check(&h, bytes);
    check_again(&h);
    history_fini(&h);
    return 0;
}
