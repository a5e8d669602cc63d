#include "support/test.h"
#include "unit/conf/heard.h"

#include "base/err.h"
#include "base/philox.h"
#include "conf/parse.h"

/* The text a function prints, to be freed. */
static char *printed(void (*print)(FILE *))
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    print(out);
    fclose(out);
    return text;
}

static char *printed_conf(void (*print)(const struct conf *, FILE *),
                          const struct conf *c)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    print(c, out);
    fclose(out);
    return text;
}

struct dice {
    struct philox_key key;
    uint32_t count;
};

static uint32_t roll(struct dice *d)
{
    return philox(d->key, (struct philox_block){{d->count++}}).word[0];
}

static double fraction(struct dice *d)
{
    return ((double)roll(d) + roll(d) * 0x1p-32) * 0x1p-32;
}

/* Between the bounds, small ones as likely as large ones. */
static double between(struct dice *d, double min, double max)
{
    const double low = min > 0 ? min : fmin(max, 1) * 1e-6;
    const double x = roll(d) % 8 == 0 ? min : low * pow(max / low, fraction(d));
    return fmin(fmax(x, min), max);
}

static const char *any_string(struct dice *d, char *text, size_t room)
{
    static const char *const letters[] = {"a", "Z", "0",  " ", "\"", "\\", ":", "#", "'",
                                          "-", "é", "七", "😀", "{",  "%",  "~", "&", "/"};
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t left = roll(d) % 20; left && n + 5 < room; left--)
        n += (size_t)snprintf(text + n, room - n, "%s",
                              letters[roll(d) % (sizeof letters / sizeof *letters)]);
    return text;
}

/* Some text that o takes */
static const char *any_text(struct dice *d, const struct conf_option *o, char text[128])
{
    if (option_has_auto(o) && roll(d) % 2)
        return "auto";
    switch (o->type) {
    case TYPE_f64:
        snprintf(text, 128, "%.17g", between(d, o->min, o->max));
        break;
    case TYPE_time:
        snprintf(text, 128, "%.*fs", (int)(roll(d) % 18), between(d, o->min, o->max));
        if (strtod(text, NULL) < o->min || strtod(text, NULL) > o->max)
            snprintf(text, 128, "%.17gs", o->min);
        break;
    case TYPE_steps:
        if (roll(d) % 3 == 0) {
            snprintf(text, 128, "%.17ge", between(d, 1e-3, 1e3));
            break;
        }
        if (roll(d) % 2) {
            snprintf(text, 128, "%.0ft", ceil(between(d, 1e-3, 1e15)));
            break;
        } /* fall through */
    case TYPE_u32:
    case TYPE_u64:
    case TYPE_count:
    case TYPE_size:
        snprintf(text, 128, "%.0f", floor(between(d, o->min, o->max)));
        break;
    case TYPE_bool:
        return roll(d) % 2 ? "yes" : "0";
    case TYPE_str:
        return any_string(d, text, 128);
    case TYPE_choice:
        return option_choices[o->choice].texts[roll(d) % option_choices[o->choice].count];
    }
    return text;
}

static void set(struct conf *c, const struct conf_option *o, const char *text)
{
    char word[256];
    snprintf(word, sizeof word, "%s=%s", o->key, text);
    if (conf_load_word(c, word) != ERR_OK)
        fail_msg("%s was refused", word);
}

/* Bit by bit, but NaN is NaN. */
static void assert_equal_values(const struct conf *a, const struct conf *b)
{
    OPTION_FOR_EACH(o)
    {
        const union value x = value_get(a, o), y = value_get(b, o);
        if (o->type == TYPE_str)
            assert_string_equal(x.str, y.str);
        else if (o->type == TYPE_steps)
            assert_true(x.steps.count == y.steps.count &&
                        x.steps.unit == y.steps.unit);
        else if (memcmp(&x, &y, sizeof x) != 0)
            fail_msg("%s differs", o->key);
    }
}

static void what_is_dumped_loads_again_to_the_same_values(void **state)
{
    (void)state;
    const char *seed_text = getenv("TEST_SEED");
    const uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 1;
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    struct dice d = {.key = philox_key(seed, PHILOX_TEST)};
    for (int i = 0; i < 300; i++) {
        struct conf a, b;
        char text[128];
        conf_init(&a);
        conf_init(&b);
        OPTION_FOR_EACH(o)
        if (i == 0 || roll(&d) % 4)
            set(&a, o, any_text(&d, o, text));
        char *dump = printed_conf(conf_dump, &a);
        if (conf_load_text(&b, dump, strlen(dump), "dump") != ERR_OK)
            fail_msg("refused:\n%s", dump);
        assert_equal_values(&a, &b);
        assert_int_equal(conf_differences(&a, "a", &b, "b"), 0);
        char *again = printed_conf(conf_dump, &b);
        assert_string_equal(dump, again);
        free(dump);
        free(again);
    }
}

/* A text for o that differs from its value in c */
static const char *other_text(const struct conf *c, const struct conf_option *o,
                              char text[VALUE_TEXT])
{
    static const char *const some[] = {"0.5", "2",    "3",     "1s",
                                       "12s", "true", "false", "x"};
    char now[VALUE_TEXT];
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const char *candidate = some[i];
        if (o->type == TYPE_choice)
            candidate = option_choices[o->choice].texts[i % 2];
        union value v;
        if (parse_value(o, candidate, &v) == ERR_OK &&
            strcmp(value_print(o, v, text), value_text(c, o, now)) != 0)
            return candidate;
    }
    fail_msg("no other value for %s", o->key);
    return NULL;
}

static void the_fingerprint_depends_on_every_SAME_option_and_on_no_other(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    const uint64_t initial = conf_fingerprint(&c);
    size_t same = 0, others = 0;
    OPTION_FOR_EACH(o)
    {
        struct conf changed;
        char text[VALUE_TEXT];
        conf_init(&changed);
        set(&changed, o, other_text(&c, o, text));
        print_message("%s\n", o->key);
        assert_int_equal(conf_fingerprint(&changed) != initial, o->flag == OPTION_SAME);
        hear();
        const size_t n = conf_differences(&c, "here", &changed, "there");
        const char *words = said();
        assert_int_equal(n, o->flag == OPTION_SAME ? 1 : 0);
        assert_said(words, o->key);
        assert_said(words, o->flag == OPTION_SAME ? "error" : "info");
        (*(o->flag == OPTION_SAME ? &same : &others))++;
    }
    assert_true(same > 10 && others > 10);
}

static void differences_name_both_values(void **state)
{
    (void)state;
    struct conf a, b;
    conf_init(&a);
    conf_init(&b);
    assert_int_equal(conf_load_word(&b, "model.layers=12"), ERR_OK);
    assert_int_equal(conf_load_word(&b, "optim.lr=0.5"), ERR_OK);
    assert_int_equal(conf_load_word(&b, "train.steps=5e"), ERR_OK);
    hear();
    const size_t n = conf_differences(&a, "run.yaml", &b, "the checkpoint");
    const char *text = said();
    assert_int_equal(n, 2);
    assert_said(text, "error model.layers: run.yaml has '6', the checkpoint has '12'");
    assert_said(text, "error optim.lr: run.yaml has '0.001', the checkpoint has '0.5'");
    assert_said(text, "info  train.steps: run.yaml has '2000', the checkpoint has '5e'");
}

/* An option written out equals one that was worked out. */
static void the_fingerprint_of_a_checked_configuration_knows_no_auto(void **state)
{
    (void)state;
    struct conf a, b;
    conf_init(&a);
    conf_init(&b);
    assert_int_equal(conf_load_word(&b, "model.kv_heads=6"), ERR_OK);
    assert_int_equal(conf_load_word(&b, "model.ffn=1536"), ERR_OK);
    assert_int_equal(conf_check(&a) | conf_check(&b), ERR_OK);
    assert_true(conf_fingerprint(&a) == conf_fingerprint(&b));
}

static size_t longest_line(const char *text)
{
    size_t longest = 0;
    while (*text) {
        const size_t n = strcspn(text, "\n");
        longest = n > longest ? n : longest;
        text += n + (text[n] == '\n');
    }
    return longest;
}

static void help_page_and_completion_mention_every_option(void **state)
{
    (void)state;
    char *help = printed(conf_help), *doc = printed(conf_doc);
    char *words = printed(conf_complete);
    OPTION_FOR_EACH(o)
    {
        char text[256], expected[PARSE_EXPECTED];
        snprintf(text, sizeof text, "\n  %s=%s", o->key, o->initial);
        assert_said(help, text);
        snprintf(text, sizeof text, "\n| `%s` |", o->key);
        assert_said(doc, text);
        assert_said(doc, parse_expected(o, expected));
        assert_said(doc, o->help);
        snprintf(text, sizeof text, "%s=\n", o->key);
        assert_said(words, text);
    }
    assert_said(words, "model.norm=rmsnorm\n");
    assert_said(words, "model.tied=false\n");
    assert_true(longest_line(help) <= 80);
    assert_null(strstr(help, " \n"));
    free(help);
    free(doc);
    free(words);
}

static void printed_values_stand_in_columns_with_their_sources(void **state)
{
    (void)state;
    struct conf c;
    conf_init(&c);
    assert_int_equal(conf_load_text(&c, "# x\nmodel.layers: 12", 20, "run.yaml"), ERR_OK);
    assert_int_equal(conf_load_word(&c, "train.steps=5e"), ERR_OK);
    char *text = printed_conf(conf_print, &c);
    assert_int_equal(lines(text), OPTION_COUNT);
    assert_said(text, "\nmodel.layers             12                (run.yaml:2)\n");
    assert_said(text, "\ntrain.steps              5e                (command line)\n");
    assert_said(text, "run.dir                  ''                (default)\n");
    free(text);
}

RUN(T(what_is_dumped_loads_again_to_the_same_values),
    T(the_fingerprint_depends_on_every_SAME_option_and_on_no_other),
    T(differences_name_both_values),
    T(the_fingerprint_of_a_checked_configuration_knows_no_auto),
    T(help_page_and_completion_mention_every_option),
    T(printed_values_stand_in_columns_with_their_sources))
