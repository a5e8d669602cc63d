#include "coordinator/trial_conf.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/units.h"
#include "checkpoint/run_dir.h"

enum { WORD = 4200 };

void trial_conf_init(struct trial_conf *t, const struct command_conf *asked)
{
    *t = (struct trial_conf){.conf = *asked, .borrowed = asked->n};
    t->conf.words = mem_alloc((asked->n + 1) * sizeof *t->conf.words);
    if (asked->n > 0)
        memcpy(t->conf.words, asked->words, asked->n * sizeof *t->conf.words);
}

void trial_conf_fini(struct trial_conf *t)
{
    for (size_t i = t->borrowed; i < t->conf.n; i++)
        mem_free((char *)t->conf.words[i]);
    mem_free(t->conf.words);
    *t = (struct trial_conf){0};
}

void trial_conf_word(struct trial_conf *t, const char *key, const char *value)
{
    char word[WORD];
    snprintf(word, sizeof word, "%s=%s", key, value);
    t->conf.words = mem_resize(t->conf.words, (t->conf.n + 1) * sizeof *t->conf.words);
    t->conf.words[t->conf.n++] = mem_strdup(word);
}

void trial_conf_number(struct trial_conf *t, const char *key, double value)
{
    char text[UNITS_TEXT];
    trial_conf_word(t, key, units_print_number(text, value));
}

void trial_conf_quiet(struct trial_conf *t, const char *run_dir)
{
    static const char *const words[][2] = {
        {"run.resume", "auto"},     {"train.eval_every", "0"},
        {"train.ramp", "0"},        {"train.not_finite", "skip"},
        {"train.skip_loss_z", "0"}, {"train.skip_norm_z", "0"},
        {"train.divergence", "0"},  {"train.on_divergence", "warn"}};
    trial_conf_word(t, "run.dir", run_dir);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        trial_conf_word(t, words[i][0], words[i][1]);
}

int trial_conf_load(struct trial_conf *t, struct conf *conf)
{
    TRY(command_conf_load(&t->conf, conf));
    TRY(command_train_check(conf));
    if (conf->run.log_level == LEVEL_INFO)
        trial_conf_word(t, "run.log_level", "warn");
    return ERR_OK;
}

int trial_scratch_clear(const char *out, const char *scratch)
{
    struct run_dir r;
    if (!file_exists(scratch))
        return file_make_dirs(out);
    TRY(run_dir_open(&r, scratch));
    run_dir_close(&r);
    return file_remove_tree(scratch);
}
