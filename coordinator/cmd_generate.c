/* cmd_generate.c - `lockstep generate`: text from a checkpoint, as it is made. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/command.h"
#include "coordinator/sampler.h"
#include "coordinator/trained.h"
#include "nn/decode.h"

struct generating {
    const char *prompt;
    double tokens;
    uint32_t samples;
    struct sampler sampler;
    struct trained_from from;
    struct trained with;
};

enum { TOP_K = 256, TOP_P, AVERAGE };

static const struct argp_option options[] = {
    {"run", 'r', "DIR", 0, "the run directory, or a checkpoint in it (required)", 0},
    {"step", 's', "N", 0, "the checkpoint of this step (default: the newest)", 0},
    {"ema", AVERAGE, 0, 0, "speak with the average of the parameters (optim.ema)", 0},
    {"prompt", 'p', "TEXT", 0, "what the text begins with; - reads standard input", 0},
    {"tokens", 'n', "N", 0, "tokens to make (default: 200)", 0},
    {"samples", 'm', "N", 0, "texts to make (default: 1)", 0},
    {"temperature", 't', "T", 0,
     "above 1 bolder, below 1 safer, 0 the likeliest (default: 0.8)", 0},
    {"top-k", TOP_K, "K", 0, "draw from the K likeliest tokens (default: 0, all)", 0},
    {"top-p", TOP_P, "P", 0, "draw from the likeliest that make up P (default: 1, all)",
     0},
    {"seed", 'S', "N", 0, "the same seed gives the same text (default: 1)", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct generating *g = state->input;
    switch (key) {
    case 'r':
        g->from.path = argument;
        return 0;
    case 's':
        g->from.step = (uint64_t)command_number(state, "step", argument, 0, 1e15);
        return 0;
    case AVERAGE:
        g->from.ema = true;
        return 0;
    case 'p':
        g->prompt = argument;
        return 0;
    case 'n':
        g->tokens = command_number(state, "tokens", argument, 1, 1e9);
        return 0;
    case 'm':
        g->samples = (uint32_t)command_number(state, "samples", argument, 1, 1e6);
        return 0;
    case 't':
        g->sampler.temperature = command_number(state, "temperature", argument, 0, 100);
        return 0;
    case TOP_K:
        g->sampler.top_k = (uint32_t)command_number(state, "top-k", argument, 0, 1e9);
        return 0;
    case TOP_P:
        g->sampler.top_p = command_number(state, "top-p", argument, 0, 1);
        return 0;
    case 'S':
        g->sampler.seed = (uint64_t)command_number(state, "seed", argument, 0, 1e15);
        return 0;
    case ARGP_KEY_END:
        if (!g->from.path)
            argp_error(state, "--run DIR is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "",
    "Samples text from a checkpoint and prints it as it is made.\v"
    "Examples:\n"
    "  lockstep generate --run run --prompt \"In the beginning\"\n"
    "  lockstep generate --run run --tokens 1k --temperature 0.7 --top-p 0.95\n"
    "  echo -n \"ROMEO:\" | lockstep generate --run run --prompt - --samples 3\n",
    0,
    0,
    0};

/* --- the text --------------------------------------------------------------------------
 */

/* What the model has read: when the context is full, the newer half of it is read again.
 */
struct reader {
    const struct generating *g;
    struct decoder *decoder;
    uint32_t *tokens;
    size_t n, room;
};

static const float *read_token(struct reader *r, uint32_t token)
{
    const size_t T = r->g->with.model.shape.T;
    if (r->n == r->room)
        r->tokens =
            mem_resize(r->tokens, (r->room = 2 * r->room + 64) * sizeof *r->tokens);
    r->tokens[r->n++] = token;
    if (decoder_length(r->decoder) < T)
        return decoder_step(r->decoder, r->g->with.theta, &token);
    decoder_begin(r->decoder, r->g->with.theta, 1, NULL, NULL);
    const float *logits = NULL;
    for (size_t i = r->n - (T + 1) / 2; i < r->n; i++)
        logits = decoder_step(r->decoder, r->g->with.theta, &r->tokens[i]);
    return logits;
}

static void print_token(const struct generating *g, uint32_t token)
{
    const char *bytes;
    size_t n;
    tokenizer_piece(g->with.tokenizer, token, &bytes, &n);
    fwrite(bytes, 1, n, stdout);
    fflush(stdout);
}

/* A text begins with the prompt, or with what ends one, or with the first token. */
static const float *read_prompt(struct reader *r, const uint32_t *prompt, size_t n)
{
    uint32_t start = 0;
    if (n == 0) {
        tokenizer_end_of_text(r->g->with.tokenizer, &start);
        return read_token(r, start);
    }
    const float *logits = NULL;
    for (size_t i = 0; i < n; i++)
        logits = read_token(r, prompt[i]);
    return logits;
}

static void one_text(struct generating *g, uint32_t sample, const uint32_t *prompt,
                     size_t n)
{
    struct reader r = {.g = g, .decoder = decoder_new(&g->with.model, 1, 0)};
    const size_t V = g->with.model.shape.V;
    decoder_begin(r.decoder, g->with.theta, 1, NULL, NULL);
    uint32_t end = UINT32_MAX;
    tokenizer_end_of_text(g->with.tokenizer, &end);
    for (size_t i = 0; i < n; i++)
        print_token(g, prompt[i]);
    const float *logits = read_prompt(&r, prompt, n);
    for (uint64_t i = 0; i < (uint64_t)g->tokens; i++) {
        const uint32_t token = sampler_draw(&g->sampler, logits, V, sample, i);
        if (token == end)
            break;
        print_token(g, token);
        if (i + 1 < (uint64_t)g->tokens)
            logits = read_token(&r, token);
    }
    putchar('\n');
    decoder_free(r.decoder);
    mem_free(r.tokens);
}

static int read_input(char **text, size_t *bytes)
{
    enum { LIMIT = 16 << 20 };
    return file_read("/dev/stdin", LIMIT, text, bytes);
}

static int generate(struct generating *g)
{
    char *text = NULL;
    size_t bytes = 0;
    if (g->prompt && strcmp(g->prompt, "-") == 0)
        TRY(read_input(&text, &bytes));
    else if (g->prompt) {
        text = mem_strdup(g->prompt);
        bytes = strlen(text);
    }
    uint32_t *prompt = NULL;
    size_t n = 0;
    int err = bytes ? tokenizer_encode(g->with.tokenizer, text, bytes, &prompt, &n) : ERR_OK;
    if (!err) {
        sampler_init(&g->sampler, g->with.model.shape.V);
        for (uint32_t sample = 0; sample < g->samples; sample++) {
            if (sample > 0)
                puts("---");
            one_text(g, sample, prompt, n);
        }
        sampler_fini(&g->sampler);
    }
    mem_free(prompt);
    mem_free(text);
    return err;
}

int command_generate(int argc, char **argv)
{
    static struct generating g = {.from = {.step = UINT64_MAX},
                                  .tokens = 200,
                                  .samples = 1,
                                  .sampler = {.temperature = 0.8, .top_p = 1, .seed = 1}};
    const int usage = command_parse(&argp, argc, argv, 0, &g);
    if (usage)
        return usage;
    int err = trained_open(&g.with, &g.from);
    if (err)
        return err_exit_code(err);
    err = generate(&g);
    trained_close(&g.with);
    return err_exit_code(err);
}
