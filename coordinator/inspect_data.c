#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "coordinator/inspect.h"
#include "data/dataset.h"

void inspect_row(const char *what, const char *value)
{
    printf("  %-22s %s\n", what, value);
}

void inspect_number(const char *what, double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", x);
    inspect_row(what, isfinite(x) ? text : "-");
}

void inspect_count(const char *what, uint64_t x)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)x);
    inspect_row(what, text);
}

static int inspect_tokens(const char *path)
{
    struct tokens *t;
    TRY(tokens_open(path, &t));
    const struct tokens_info *info = tokens_info(t);
    printf("%s: token file, checksums are right\n", path);
    inspect_count("tokens", info->count);
    inspect_count("vocabulary", info->vocab);
    inspect_count("bytes per token", info->width);
    inspect_count("documents", info->documents);
    inspect_count("bytes of text", info->source_bytes);
    inspect_number("text bytes per token",
                   (double)info->source_bytes / (double)info->count);
    inspect_row("tokenizer", info->tokenizer);
    tokens_close(t);
    return ERR_OK;
}

enum { SIDES = 2, OCTAVES = 32 };

/* How many sentences of each side have 2^k to 2^(k+1) - 1 tokens. */
struct histogram {
    uint64_t n[OCTAVES][SIDES];
    uint32_t shortest[SIDES];
};

static void count_length(struct histogram *h, int side, uint32_t length)
{
    h->n[31 - __builtin_clz(length)][side]++;
    if (h->shortest[side] == 0 || length < h->shortest[side])
        h->shortest[side] = length;
}

static void print_lengths(const char *what, uint32_t shortest, uint64_t tokens,
                          uint64_t pairs, uint32_t longest)
{
    char text[96];
    snprintf(text, sizeof text, "%u to %u tokens, mean %.4g", shortest, longest,
             (double)tokens / (double)pairs);
    inspect_row(what, text);
}

static void print_histogram(const struct parallel *p)
{
    const struct parallel_info *info = parallel_info(p);
    struct histogram h = {0};
    for (uint64_t i = 0; i < info->count; i++) {
        uint32_t source, target;
        parallel_lengths(p, i, &source, &target);
        count_length(&h, 0, source);
        count_length(&h, 1, target);
    }
    print_lengths("length of sources", h.shortest[0], info->source_tokens, info->count,
                  info->longest_source);
    print_lengths("length of targets", h.shortest[1], info->target_tokens, info->count,
                  info->longest_target);
    printf("  %-22s %12s %12s\n", "tokens", "sources", "targets");
    for (unsigned k = 0; k < OCTAVES; k++) {
        const uint64_t first = 1ull << k;
        char range[32];
        snprintf(range, sizeof range, "%llu to %llu", (unsigned long long)first,
                 (unsigned long long)(2 * first - 1));
        if (h.n[k][0] + h.n[k][1] > 0)
            printf("  %-22s %12llu %12llu\n", k ? range : "1",
                   (unsigned long long)h.n[k][0], (unsigned long long)h.n[k][1]);
    }
}

static int inspect_pairs(const char *path)
{
    struct parallel *p;
    TRY(parallel_open(path, &p));
    const struct parallel_info *info = parallel_info(p);
    printf("%s: pairs file, checksums are right\n", path);
    inspect_count("pairs", info->count);
    inspect_count("source tokens", info->source_tokens);
    inspect_count("target tokens", info->target_tokens);
    inspect_count("vocabulary", info->vocab);
    inspect_count("bytes per token", info->width);
    inspect_count("bytes of target text", info->target_bytes);
    inspect_number("bytes per target token",
                   (double)info->target_bytes / (double)info->target_tokens);
    inspect_row("tokenizer", info->tokenizer);
    if (info->count > 0)
        print_histogram(p);
    parallel_close(p);
    return ERR_OK;
}

int inspect_data_file(const char *path)
{
    static const char end[] = ".pairs";
    const size_t n = strlen(path), m = sizeof end - 1;
    const bool pairs = n >= m && strcmp(path + n - m, end) == 0;
    return pairs ? inspect_pairs(path) : inspect_tokens(path);
}

int inspect_data(const char *dir)
{
    struct dataset d;
    TRY(dataset_open(&d, dir));
    const bool pairs = d.train_pairs != NULL;
    dataset_close(&d);
    const char *const files[] = {pairs ? DATASET_TRAIN_PAIRS : DATASET_TRAIN,
                                 pairs ? DATASET_HELD_OUT_PAIRS : DATASET_HELD_OUT};
    for (int i = 0; i < 2; i++) {
        char *path = file_join(dir, files[i]);
        const int err = inspect_data_file(path);
        mem_free(path);
        TRY(err);
    }
    return ERR_OK;
}
