#include "support/test.h"

#include <float.h>

#include "base/err.h"
#include "base/philox.h"
#include "base/units.h"

enum { BAD = ERR_INVALID, FAR = ERR_RANGE };

#define FOR_EACH(cases) for (size_t i = 0; i < sizeof(cases) / sizeof *(cases); i++)

static void other_text_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",      " ",   "k",    "-",     "+",    ".",       "e",   "1 k",
        " 1",    "1 ",  "1kk",  "1x",    "0x10", "inf",     "nan", "1..2",
        "1.2.3", "--1", "1,5",  "1_000", "1e",   "1e+",     "1K",  "10ki",
        "1e5e",  "٣",   "1k\n", "1 KiB", "1min", "Infinity"};
    FOR_EACH (texts) {
        double x = 42;
        uint64_t bytes = 42;
        assert_int_equal(units_parse_number(texts[i], &x), BAD);
        assert_int_equal(units_parse_count(texts[i], &x), BAD);
        assert_int_equal(units_parse_duration(texts[i], &x), BAD);
        assert_int_equal(units_parse_size(texts[i], &bytes), BAD);
        assert_true(x == 42);
        assert_int_equal(bytes, 42);
    }
}

static void a_number_of_too_many_digits_is_refused(void **state)
{
    (void)state;
    char text[80];
    memset(text, '1', sizeof text);
    text[sizeof text - 1] = '\0';
    double x;
    uint64_t bytes;
    assert_int_equal(units_parse_number(text, &x), BAD);
    assert_int_equal(units_parse_size(text, &bytes), FAR);
    text[10] = '.';
    assert_int_equal(units_parse_number(text, &x), BAD);
    text[64] = '\0';
    assert_int_equal(units_parse_number(text, &x), ERR_OK);
}

static void numbers_are_decimal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        double value;
    } cases[] = {
        {"0", 0, 0},        {"-3", 0, -3},     {"+3", 0, 3},    {"1e-3", 0, 1e-3},
        {"1E+2", 0, 100},   {".5", 0, 0.5},    {"5.", 0, 5},    {"0.1", 0, 0.1},
        {"1e400", FAR, 0},  {"1e-400", 0, 0},  {"10k", BAD, 0}, {"1e99999999999", FAR, 0},
        {"-1e999", FAR, 0}, {"1e-5", 0, 1e-5}, {"007", 0, 7},
    };
    FOR_EACH (cases) {
        double x = 0;
        assert_int_equal(units_parse_number(cases[i].text, &x), cases[i].err);
        assert_true(x == cases[i].value);
    }
}

static void counts_are_whole_after_their_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        double value;
    } cases[] = {
        {"0", 0, 0},       {"200", 0, 200},
        {"10k", 0, 1e4},   {"1.5M", 0, 1.5e6},
        {"2G", 0, 2e9},    {"1T", 0, 1e12},
        {"2.3k", 0, 2300}, {"1.001k", 0, 1001},
        {"1e6", 0, 1e6},   {"1e3k", 0, 1e6},
        {"1.5", BAD, 0},   {"1.2345k", BAD, 0},
        {"-1", FAR, 0},    {"-0", 0, 0},
        {"1e17", FAR, 0},  {"9007199254740992", 0, 9007199254740992.0},
        {"10KiB", BAD, 0}, {"1e400", FAR, 0},
        {"5e", BAD, 0},    {"1m", BAD, 0},
    };
    FOR_EACH (cases) {
        double x = 0;
        assert_int_equal(units_parse_count(cases[i].text, &x), cases[i].err);
        assert_true(x == cases[i].value);
        assert_false(signbit(x));
    }
}

static void sizes_know_both_families_of_units_and_all_of_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        uint64_t value;
    } cases[] = {
        {"4096", 0, 4096},
        {"64KiB", 0, 65536},
        {"2GiB", 0, 2ull << 30},
        {"100MB", 0, 100000000},
        {"1.5KiB", 0, 1536},
        {"7B", 0, 7},
        {"1TiB", 0, 1ull << 40},
        {"3kB", 0, 3000},
        {"0.1KiB", BAD, 0},
        {"-1", FAR, 0},
        {"10k", BAD, 0},
        {"10 MiB", BAD, 0},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", FAR, 0},
        {"99999999TiB", FAR, 0},
        {"99999999999999999999999", FAR, 0},
    };
    FOR_EACH (cases) {
        uint64_t x = 0;
        assert_int_equal(units_parse_size(cases[i].text, &x), cases[i].err);
        assert_true(x == cases[i].value);
    }
}

static void durations_are_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        double value;
    } cases[] = {
        {"250ms", 0, 0.25}, {"30s", 0, 30},    {"30m", 0, 1800},  {"2h", 0, 7200},
        {"1d", 0, 86400},   {"1.5h", 0, 5400}, {"5", 0, 5},       {"0.3s", 0, 0.3},
        {"300ms", 0, 0.3},  {"10us", 0, 1e-5}, {"-1s", FAR, 0},   {"1e400d", FAR, 0},
        {"1e307d", FAR, 0}, {"1hour", BAD, 0}, {"1h30m", BAD, 0},
    };
    FOR_EACH (cases) {
        double x = 0;
        assert_int_equal(units_parse_duration(cases[i].text, &x), cases[i].err);
        assert_true(x == cases[i].value);
    }
}

static void quantities_are_printed_for_people(void **state)
{
    (void)state;
    static const struct {
        char *(*print)(char *, double);
        double value;
        const char *text;
    } cases[] = {
        {units_print_count, 0, "0"},
        {units_print_count, 999, "999"},
        {units_print_count, 999.7, "1.0k"},
        {units_print_count, 3.14159, "3.14"},
        {units_print_count, 12345, "12.3k"},
        {units_print_count, -12345, "-12.3k"},
        {units_print_count, 999960, "1.0M"},
        {units_print_count, 2e9, "2.0G"},
        {units_print_count, 1e12, "1.0T"},
        {units_print_count, 1e300, "1e+288T"},
        {units_print_count, INFINITY, "infT"},
        {units_print_count, NAN, "nan"},
        {units_print_size, 512, "512 B"},
        {units_print_size, 1023, "1023 B"},
        {units_print_size, 1024, "1.0 KiB"},
        {units_print_size, 1.2 * (1 << 30), "1.2 GiB"},
        {units_print_size, 1048570, "1.0 MiB"},
        {units_print_duration, 0, "0 s"},
        {units_print_duration, 12.34e-6, "12.3 us"},
        {units_print_duration, 4.1e-3, "4.1 ms"},
        {units_print_duration, 0.99999, "1.0 s"},
        {units_print_duration, 12.34, "12.3 s"},
        {units_print_duration, 59.97, "1 min 00 s"},
        {units_print_duration, 303, "5 min 03 s"},
        {units_print_duration, 119.9, "2 min 00 s"},
        {units_print_duration, 7500, "2 h 05 min"},
        {units_print_duration, 3599.9, "1 h 00 min"},
        {units_print_duration, 86399, "1 d 00 h"},
        {units_print_duration, 100 * 86400.0, "100 d 00 h"},
        {units_print_duration, -303, "-5 min 03 s"},
        {units_print_duration, INFINITY, "inf s"},
        {units_print_duration, 1e300, "1e+300 s"},
        {units_print_duration, 9e14, "10416666666 d 16 h"},
    };
    FOR_EACH (cases) {
        char text[UNITS_TEXT];
        assert_string_equal(cases[i].print(text, cases[i].value), cases[i].text);
    }
}

static void a_printed_number_is_short_and_reads_back_as_the_same(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {20, "20"},
        {10000, "10000"},
        {0.1, "0.1"},
        {1e-5, "1e-5"},
        {1e20, "1e20"},
        {0.99, "0.99"},
        {3e-4, "0.0003"},
        {-2.5, "-2.5"},
        {1e-30, "1e-30"},
        {1.0 / 3, "0.3333333333333333"},
        {-DBL_MIN, "-2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {123456789, "123456789"},
    };
    char text[UNITS_TEXT];
    FOR_EACH (cases)
        assert_string_equal(units_print_number(text, cases[i].value), cases[i].text);

    const struct philox_key key = philox_key(3, PHILOX_TEST);
    for (uint32_t i = 0; i < 20000; i++) {
        const struct philox_block x = philox(key, (struct philox_block){{i}});
        double value, back;
        memcpy(&value, x.word, sizeof value);
        if (!isfinite(value))
            continue;
        assert_int_equal(units_parse_number(units_print_number(text, value), &back), 0);
        assert_true(back == value);
    }
}

RUN(T(other_text_is_refused_and_leaves_the_result_alone),
    T(a_number_of_too_many_digits_is_refused), T(numbers_are_decimal),
    T(counts_are_whole_after_their_unit),
    T(sizes_know_both_families_of_units_and_all_of_64_bits), T(durations_are_seconds),
    T(quantities_are_printed_for_people),
    T(a_printed_number_is_short_and_reads_back_as_the_same))
