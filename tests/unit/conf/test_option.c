#include "support/test.h"

#include "base/err.h"
#include "conf/option.h"
#include "conf/parse.h"
#include "conf/plain.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void every_row_is_sound_and_its_default_parses(void **state)
{
    (void)state;
    OPTION_FOR_EACH(o)
    {
        union value v;
        char expected[PARSE_EXPECTED];
        print_message("%s\n", o->key);
        assert_int_equal(parse_value(o, o->initial, &v), ERR_OK);
        assert_true(o->type == TYPE_choice || o->min < o->max);
        assert_true(o->type != TYPE_u32 || o->max <= UINT32_MAX);
        assert_true(strlen(parse_expected(o, expected)) > 0);
        assert_true(strlen(o->help) > 0);
        assert_true(strlen(o->key) < 48);
        assert_true(plain_check(o->help));
        assert_ptr_equal(option_find(o->key), o);
        assert_true(o->offset < offsetof(struct conf, rank));
        if (option_has_auto(o)) { /* 0 stands for auto and must mean nothing else */
            assert_true(o->type == TYPE_f64 || o->type == TYPE_u32 ||
                        o->type == TYPE_count);
            assert_true(o->type == TYPE_f64 || o->min > 0);
        }
    }
}

/* The values that a type must take and those it must refuse, in an option of its own. */
static void a_type_takes_what_it_says_and_refuses_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text, *canonical; /* NULL: refused */
        int err;
    } cases[] = {
        {"model.layers", "", NULL, ERR_INVALID},
        {"model.layers", "0", NULL, ERR_RANGE},
        {"model.layers", "1025", NULL, ERR_RANGE},
        {"model.layers", "-1", NULL, ERR_RANGE},
        {"model.layers", "1e30", NULL, ERR_RANGE},
        {"model.layers", "6.5", NULL, ERR_INVALID},
        {"model.layers", "auto", NULL, ERR_INVALID},
        {"model.layers", "0x6", NULL, ERR_INVALID},
        {"model.layers", "6 ", NULL, ERR_INVALID},
        {"model.layers", "1k", "1000", ERR_OK},
        {"model.kv_heads", "auto", "auto", ERR_OK},
        {"model.kv_heads", "0", NULL, ERR_RANGE},
        {"train.batch", "10k", "10000", ERR_OK},
        {"train.seed", "17999999999999999999", "17999999999999999999", ERR_OK},
        {"train.seed", "9007199254740993", "9007199254740993", ERR_OK},
        {"train.seed", "18446744073709551615", NULL, ERR_RANGE},
        {"train.seed", "99999999999999999999", NULL, ERR_RANGE},
        {"train.seed", "10k", "10000", ERR_OK},
        {"train.seed", "1KiB", NULL, ERR_INVALID},
        {"run.log_every", "2M", "2000000", ERR_OK},
        {"run.log_every", "2G", NULL, ERR_RANGE},
        {"optim.lr", "1e-3", "0.001", ERR_OK},
        {"optim.lr", "10.1", NULL, ERR_RANGE},
        {"optim.lr", "-0", "0", ERR_OK},
        {"optim.lr", "nan", NULL, ERR_INVALID},
        {"optim.lr", "inf", NULL, ERR_INVALID},
        {"optim.lr", "1k", NULL, ERR_INVALID},
        {"model.dropout_embed", "auto", "auto", ERR_OK},
        {"model.dropout_embed", "0", "0", ERR_OK},
        {"train.steps", "10k", "10000", ERR_OK},
        {"train.steps", "5e", "5e", ERR_OK},
        {"train.steps", "0.5e", "0.5e", ERR_OK},
        {"train.steps", "5e3", "5000", ERR_OK},
        {"train.steps", "5e0e", "5e", ERR_OK},
        {"train.steps", "0", NULL, ERR_RANGE},
        {"train.steps", "0e", NULL, ERR_RANGE},
        {"train.steps", "-1e", NULL, ERR_RANGE},
        {"train.steps", "1e13e", NULL, ERR_RANGE},
        {"train.steps", "e", NULL, ERR_INVALID},
        {"train.steps", "5E", NULL, ERR_INVALID},
        {"train.steps", "5 e", NULL, ERR_INVALID},
        {"train.steps", "00000000000000000000000000000000000005e", NULL, ERR_INVALID},
        {"train.keep_every", "0e", "0", ERR_OK},
        {"train.keep_every", "0t", "0", ERR_OK},
        {"train.steps", "10Mt", "10000000t", ERR_OK},
        {"train.steps", "1.5kt", "1500t", ERR_OK},
        {"train.steps", "1e6t", "1000000t", ERR_OK},
        {"train.steps", "2T", NULL, ERR_RANGE}, /* tera */
        {"train.steps", "0t", NULL, ERR_RANGE},
        {"train.steps", "0.5t", NULL, ERR_INVALID},
        {"train.steps", "-1t", NULL, ERR_RANGE},
        {"train.steps", "t", NULL, ERR_INVALID},
        {"train.steps", "5et", NULL, ERR_INVALID},
        {"train.checkpoint_every", "0", NULL, ERR_RANGE},
        {"train.checkpoint_every", "0e", NULL, ERR_RANGE},
        {"train.keep_best", "yes", "true", ERR_OK},
        {"train.keep_best", "ON", "true", ERR_OK},
        {"train.keep_best", "1", "true", ERR_OK},
        {"train.keep_best", "true", "true", ERR_OK},
        {"train.keep_best", "no", "false", ERR_OK},
        {"train.keep_best", "off", "false", ERR_OK},
        {"train.keep_best", "0", "false", ERR_OK},
        {"train.keep_best", "False", "false", ERR_OK},
        {"train.keep_best", "2", NULL, ERR_INVALID},
        {"train.keep_best", "", NULL, ERR_INVALID},
        {"cluster.heartbeat", "250ms", "250ms", ERR_OK},
        {"cluster.heartbeat", "0.3", "300ms", ERR_OK},
        {"cluster.heartbeat", "60s", "1m", ERR_OK},
        {"cluster.heartbeat", "1m", "1m", ERR_OK},
        {"cluster.heartbeat", "1.2345678s", "1.2345678s", ERR_OK},
        {"cluster.heartbeat", "2m", NULL, ERR_RANGE},
        {"cluster.heartbeat", "1ms", NULL, ERR_RANGE},
        {"cluster.lease", "90s", "90s", ERR_OK},
        {"cluster.lease", "3600", "1h", ERR_OK},
        {"model.norm", "rmsnorm", "rmsnorm", ERR_OK},
        {"model.norm", "RMSNorm", NULL, ERR_UNKNOWN},
        {"model.norm", "", NULL, ERR_UNKNOWN},
        {"run.dir", "", "", ERR_OK},
        {"run.dir", " a \"b\" \\ ", " a \"b\" \\ ", ERR_OK},
        {"run.dir", "läufe/七", "läufe/七", ERR_OK},
        {"run.dir", "a\nb", NULL, ERR_INVALID},
        {"run.dir", "caf\xe9", NULL, ERR_INVALID},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct conf_option *o = option_find(cases[i].key);
        union value v, again;
        char text[VALUE_TEXT];
        print_message("%s=%s\n", cases[i].key, cases[i].text);
        assert_non_null(o);
        assert_int_equal(parse_value(o, cases[i].text, &v), cases[i].err);
        if (!cases[i].canonical)
            continue;
        assert_string_equal(value_print(o, v, text), cases[i].canonical);
        assert_int_equal(parse_value(o, cases[i].canonical, &again), ERR_OK);
        assert_string_equal(value_print(o, again, text), cases[i].canonical);
    }
}

/* No row has this type at present. */
static void sizes_are_printed_in_the_largest_unit_that_divides_them(void **state)
{
    (void)state;
    const struct conf_option o = {
        .type = TYPE_size, .initial = "1MiB", .min = 1024, .max = 0x1p40};
    static const struct {
        const char *text, *canonical;
        int err;
    } cases[] = {
        {"1000", NULL, ERR_RANGE},  {"2TiB", NULL, ERR_RANGE},
        {"1.5", NULL, ERR_INVALID}, {"64KiB", "64KiB", ERR_OK},
        {"65536", "64KiB", ERR_OK}, {"100001kB", "100001000", ERR_OK},
        {"1025", "1025", ERR_OK},   {"1TiB", "1TiB", ERR_OK},
    };
    char text[VALUE_TEXT], expected[PARSE_EXPECTED];
    assert_string_equal(parse_expected(&o, expected),
                        "a whole number of bytes, 1KiB to 1TiB");
    for (size_t i = 0; i < COUNT(cases); i++) {
        union value v;
        assert_int_equal(parse_value(&o, cases[i].text, &v), cases[i].err);
        if (cases[i].canonical)
            assert_string_equal(value_print(&o, v, text), cases[i].canonical);
    }
}

static void a_string_has_a_longest_length(void **state)
{
    (void)state;
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    union value v;
    assert_int_equal(parse_value(option_find("run.dir"), text, &v), ERR_RANGE);
    text[4096] = '\0';
    assert_int_equal(parse_value(option_find("run.dir"), text, &v), ERR_OK);
    assert_int_equal(parse_value(option_find("cluster.listen"), text, &v), ERR_RANGE);
}

static void the_nearest_option_is_found_by_key_or_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *key, *expected;
    } cases[] = {
        {"model.layer", "model.layers"},
        {"modle.layers", "model.layers"},
        {"layers", "model.layers"},
        {"optim.layers", "model.layers"},
        {"train.checkpoint", "train.checkpoint_every"},
        {"optim.warm-up", "optim.warmup"},
        {"zzzzzz", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *found = option_nearest(cases[i].key);
        if (cases[i].expected)
            assert_string_equal(found ? found : "nothing", cases[i].expected);
        else
            assert_null(found);
    }
    assert_string_equal(option_nearest_group("clutser"), "cluster");
    assert_null(option_nearest_group("parameters"));
}

static void choices_have_their_texts(void **state)
{
    (void)state;
    assert_string_equal(conf_choice_text(CHOICE_norm, NORM_RMS), "rmsnorm");
    assert_string_equal(conf_choice_text(CHOICE_schedule, SCHEDULE_WSD), "wsd");
    assert_string_equal(conf_choice_text(CHOICE_resume, RESUME_AUTO), "auto");
    for (int i = 0; i < CHOICE_COUNT; i++)
        assert_true(option_choices[i].count >= 2);
}

static void text_is_plain_when_terminal_and_yaml_can_carry_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool plain;
        const char *shown;
    } cases[] = {
        {"", true, ""},
        {"a b~", true, "a b~"},
        {"tab\t", false, "tab?"},
        {"\x1b[31m", false, "?[31m"},
        {"\x7f", false, "?"},
        {"é七😀", true, "é七😀"},
        {"\xc2\x80", false, "??"},           /* a control character */
        {"\xc2\xa0", true, "\xc2\xa0"},      /* the first beyond them */
        {"\xc0\xaf", false, "??"},           /* '/' in too long a form */
        {"\xe0\x9f\xbf", false, "???"},      /* too long a form */
        {"\xf0\x8f\xbf\xbf", false, "????"}, /* too long a form */
        {"\xed\xa0\x80", false, "???"},      /* a surrogate */
        {"\xe2\x80\xa8", false, "???"},      /* line separator */
        {"\xef\xbb\xbf", false, "???"},      /* byte order mark */
        {"\xef\xbf\xbd", true, "\xef\xbf\xbd"},
        {"\xef\xbf\xbe", false, "???"},
        {"\xf4\x8f\xbf\xbf", true, "\xf4\x8f\xbf\xbf"},
        {"\xf4\x90\x80\x80", false, "????"}, /* beyond Unicode */
        {"\xf8\x88\x80\x80\x80", false, "?????"},
        {"\x80", false, "?"},
        {"a\xe4\xb8", false, "a??"}, /* cut short */
        {"a\xf0\x9f", false, "a??"},
    };
    char shown[PLAIN_SHOWN];
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(plain_check(cases[i].text), cases[i].plain);
        assert_string_equal(plain_shown(shown, cases[i].text), cases[i].shown);
    }
}

static void a_long_text_is_shown_in_part(void **state)
{
    (void)state;
    char text[200], shown[PLAIN_SHOWN];
    for (size_t lead = 0; lead < 4; lead++) { /* a character never falls apart */
        memset(text, 'x', lead);
        for (size_t n = lead; n + 3 < sizeof text; n += 3)
            memcpy(text + n, "七", 4);
        plain_shown(shown, text);
        assert_true(strlen(shown) < PLAIN_SHOWN);
        assert_true(plain_check(shown));
        assert_string_equal(shown + strlen(shown) - 3, "...");
    }
}

RUN(T(every_row_is_sound_and_its_default_parses),
    T(a_type_takes_what_it_says_and_refuses_the_rest),
    T(sizes_are_printed_in_the_largest_unit_that_divides_them),
    T(a_string_has_a_longest_length), T(the_nearest_option_is_found_by_key_or_by_name),
    T(choices_have_their_texts), T(text_is_plain_when_terminal_and_yaml_can_carry_it),
    T(a_long_text_is_shown_in_part))
