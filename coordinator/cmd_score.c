/* cmd_score.c - `lockstep score`: BLEU and chrF of translations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/command.h"
#include "data/lines.h"
#include "score/bleu.h"
#include "score/chrf.h"

enum metric { METRIC_BLEU, METRIC_CHRF, METRIC_CHRF_WORDS, METRICS };

static const char *const metric_names[] = {"bleu", "chrf", "chrf++"};
static const size_t text_limit = (size_t)1 << 30; /* bytes a file, unpacked */

struct scoring {
    const char **references;
    size_t references_n;
    const char *hypotheses;
    bool wanted[METRICS];
    struct bleu_options bleu;
    bool json;
    /* what was read: hypotheses, then the references */
    struct lines *files;
    size_t files_n;
};

static const struct argp_option options[] = {
    {"reference", 'r', "FILE", 0,
     "the right translations, one a line; again for a second one of each (required)", 0},
    {"metric", 'm', "NAME", 0,
     "bleu, chrf or chrf++; again for another one (default: bleu)", 0},
    {"tokenize", 't', "HOW", 0,
     "for BLEU: 13a, or none for text that is in tokens already (default: 13a)", 0},
    {"lowercase", 'l', 0, 0, "upper and lower case are the same", 0},
    {"smooth", 's', "HOW", 0,
     "BLEU, when of some length nothing matches: exp, floor or none (default: exp)", 0},
    {"json", 'j', 0, 0, "as JSON, with all digits and counts", 0},
    {0}};

/* The number of @word among @known. */
static int choose(struct argp_state *state, const char *option, const char *word,
                  const char *const *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, known[i]) == 0)
            return (int)i;
    char all[64] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "",
                 known[i]);
    argp_error(state, "--%s %s: expected one of %s", option, word, all);
    return 0;
}

static int choose_tokens(struct argp_state *state, const char *word)
{
    const char *const known[] = {bleu_tokens_name(0), bleu_tokens_name(1)};
    return choose(state, "tokenize", word, known, 2);
}

static int choose_smooth(struct argp_state *state, const char *word)
{
    const char *const known[] = {bleu_smooth_name(0), bleu_smooth_name(1),
                                 bleu_smooth_name(2)};
    return choose(state, "smooth", word, known, 3);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct scoring *s = state->input;
    switch (key) {
    case 'r':
        s->references =
            mem_resize(s->references, (s->references_n + 1) * sizeof *s->references);
        s->references[s->references_n++] = argument;
        return 0;
    case 'm':
        s->wanted[choose(state, "metric", argument, metric_names, METRICS)] = true;
        return 0;
    case 't':
        s->bleu.tokens = (enum bleu_tokens)choose_tokens(state, argument);
        return 0;
    case 's':
        s->bleu.smooth = (enum bleu_smooth)choose_smooth(state, argument);
        return 0;
    case 'l':
        s->bleu.lowercase = true;
        return 0;
    case 'j':
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "two files of hypotheses, %s and %s; expected one",
                       s->hypotheses, argument);
        s->hypotheses = argument;
        return 0;
    case ARGP_KEY_END:
        if (s->references_n == 0)
            argp_error(state, "--reference FILE is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "[HYPOTHESES]",
    "Scores translations, one a line, against references: corpus BLEU and chrF, with the "
    "numbers of sacreBLEU.\v"
    "HYPOTHESES and references are text, plain or gzip; - or nothing is standard input.  "
    "Each score comes with the signature of what it depends on; scores with different "
    "signatures cannot be compared.\n\n"
    "Examples:\n"
    "  lockstep score --reference test.de out.de\n"
    "  lockstep score -r test.de -m bleu -m chrf++ --json <out.de\n"
    "  lockstep score -r test.tok.de --tokenize none --smooth none out.tok.de\n",
    0,
    0,
    0};

/* --- reading ------------------------------------------------------------------------ */

static int read_next(struct scoring *s, const char *path)
{
    TRY(lines_read(&s->files[s->files_n], path, text_limit));
    s->files_n++;
    return lines_pair(&s->files[0], &s->files[s->files_n - 1]);
}

static int read_all(struct scoring *s)
{
    s->files = mem_zalloc(mem_mul(s->references_n + 1, sizeof *s->files));
    TRY(read_next(s, s->hypotheses));
    for (size_t i = 0; i < s->references_n; i++)
        TRY(read_next(s, s->references[i]));
    return ERR_OK;
}

/* A hundred full stops of their own, as sacreBLEU counts them. */
static void warn_of_tokens(const struct scoring *s)
{
    size_t parted = 0;
    for (size_t i = 0; i < s->files[0].n; i++) {
        const struct span line = s->files[0].line[i];
        parted += line.bytes >= 2 && memcmp(line.text + line.bytes - 2, " .", 2) == 0;
    }
    if (s->wanted[METRIC_BLEU] && s->bleu.tokens == BLEU_TOKENS_13A && parted >= 100)
        log_warn("%s: %zu lines end in ' .', as if they were in tokens already; BLEU is "
                 "comparable for text as people write it, or with --tokenize none",
                 s->files[0].path, parted);
}

/* The sentences of line @i: the hypothesis and, behind it, the references. */
static void line(const struct scoring *s, size_t i, struct span *all)
{
    for (size_t f = 0; f < s->files_n; f++)
        all[f] = s->files[f].line[i];
}

/* --- printing ----------------------------------------------------------------------- */

static void print_bleu_json(const struct bleu_sums *sums, const struct bleu *b)
{
    printf(",\n  \"precisions\": [");
    for (size_t k = 0; k < BLEU_ORDERS; k++)
        printf("%s%.15g", k ? ", " : "", b->precision[k]);
    printf("],\n  \"matches\": [");
    for (size_t k = 0; k < BLEU_ORDERS; k++)
        printf("%s%llu", k ? ", " : "", (unsigned long long)sums->match[k]);
    printf("],\n  \"totals\": [");
    for (size_t k = 0; k < BLEU_ORDERS; k++)
        printf("%s%llu", k ? ", " : "", (unsigned long long)sums->total[k]);
    printf("],\n  \"bp\": %.15g,\n  \"ratio\": %.15g,\n  \"hyp_len\": %llu,\n"
           "  \"ref_len\": %llu",
           b->brevity, b->ratio, (unsigned long long)sums->hypothesis,
           (unsigned long long)sums->reference);
}

static void print_bleu_text(const struct bleu_sums *sums, const struct bleu *b)
{
    for (size_t k = 0; k < BLEU_ORDERS; k++)
        printf("%c%.1f", k ? '/' : ' ', b->precision[k]);
    printf(" (BP = %.3f ratio = %.3f hyp_len = %llu ref_len = %llu)", b->brevity,
           b->ratio, (unsigned long long)sums->hypothesis,
           (unsigned long long)sums->reference);
}

static void print_head(const struct scoring *s, const char *name, const char *signature,
                       double score)
{
    if (s->json)
        printf("{\n  \"name\": \"%s\",\n  \"score\": %.15g,\n  \"signature\": \"%s\",\n"
               "  \"sentences\": %zu",
               name, score, signature, s->files[0].n);
    else
        printf("%s|%s = %.2f", name, signature, score);
}

static void score_bleu(const struct scoring *s, struct span *all)
{
    char signature[SCORE_SIGNATURE];
    struct bleu_sums sums = {0};
    for (size_t i = 0; i < s->files[0].n; i++) {
        line(s, i, all);
        bleu_add(&sums, &s->bleu, all[0], all + 1, s->references_n);
    }
    const struct bleu b = bleu_score(&sums, s->bleu.smooth);
    print_head(s, "BLEU", bleu_signature(signature, &s->bleu, s->references_n), b.score);
    (s->json ? print_bleu_json : print_bleu_text)(&sums, &b);
}

static void score_chrf(const struct scoring *s, struct span *all, bool words)
{
    const struct chrf_options o = {.words = words, .lowercase = s->bleu.lowercase};
    char signature[SCORE_SIGNATURE];
    struct chrf_sums sums = {0};
    for (size_t i = 0; i < s->files[0].n; i++) {
        line(s, i, all);
        chrf_add(&sums, &o, all[0], all + 1, s->references_n);
    }
    print_head(s, chrf_name(&o), chrf_signature(signature, &o, s->references_n),
               chrf_score(&sums));
}

/* JSON of one metric is an object, of several a list of them. */
static void score(const struct scoring *s)
{
    struct span *all = mem_alloc(mem_mul(s->files_n, sizeof *all));
    size_t wanted = 0, done = 0;
    for (int m = 0; m < METRICS; m++)
        wanted += s->wanted[m];
    const bool list = s->json && wanted > 1;
    for (int m = 0; m < METRICS; m++) {
        if (!s->wanted[m])
            continue;
        if (list)
            fputs(done == 0 ? "[\n" : ",\n", stdout);
        if (m == METRIC_BLEU)
            score_bleu(s, all);
        else
            score_chrf(s, all, m == METRIC_CHRF_WORDS);
        fputs(s->json ? "\n}" : "\n", stdout);
        done++;
    }
    fputs(list ? "\n]\n" : s->json ? "\n" : "", stdout);
    mem_free(all);
}

int command_score(int argc, char **argv)
{
    struct scoring s = {.hypotheses = "-"};
    const int usage = command_parse(&argp, argc, argv, 0, &s);
    if (usage)
        return usage;
    if (!s.wanted[METRIC_CHRF] && !s.wanted[METRIC_CHRF_WORDS])
        s.wanted[METRIC_BLEU] = true;
    const int err = read_all(&s);
    if (!err) {
        warn_of_tokens(&s);
        score(&s);
    }
    for (size_t i = 0; i < s.files_n; i++)
        lines_fini(&s.files[i]);
    mem_free(s.files);
    mem_free(s.references);
    return err_exit_code(err);
}
