#include "support/test.h"

#include <locale.h>
#include <wctype.h>

#include "base/mem.h"
#include "text/lower.h"
#include "text/utf8.h"

static void text_becomes_lower_case(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"Hello, World! @[`{", "hello, world! @[`{"},
        {"\xC3\x84\xC3\x96\xC3\x9C \xC3\x9F", "\xC3\xA4\xC3\xB6\xC3\xBC \xC3\x9F"},
        {"\xC3\x97\xC3\xB7", "\xC3\x97\xC3\xB7"}, /* times, divided by: no letters */
        {"\xD0\x9C\xD0\xB8\xD1\x80", "\xD0\xBC\xD0\xB8\xD1\x80"},
        {"\xC4\xB0x", "i\xCC\x87x"},                      /* U+0130: i and a dot above */
        {"\xC8\xBA\xC8\xBA", "\xE2\xB1\xA5\xE2\xB1\xA5"}, /* longer than its capital */
        {"\xE2\x84\xAA", "k"},                            /* shorter: the Kelvin sign */
        {"\xCE\xA3\xCE\xA3", "\xCF\x83\xCF\x83"},         /* sigma, at the end the same */
        {"\xF0\x90\x90\x80", "\xF0\x90\x90\xA8"},         /* U+10400, Deseret */
        {"A\xFF\xC3"
         "B\x80",
         "a\xFF\xC3"
         "b\x80"}, /* no UTF-8: stays */
        {"\xE6\x97\xA5", "\xE6\x97\xA5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n;
        char *lower = lower_text(cases[i][0], strlen(cases[i][0]), &n);
        assert_int_equal(n, strlen(cases[i][1]));
        assert_memory_equal(lower, cases[i][1], n);
        mem_free(lower);
    }
}

static void lower_case_stays_and_is_a_character(void **state)
{
    (void)state;
    size_t changed = 0;
    for (uint32_t code = 0; code < UTF8_CODES; code++) {
        const uint32_t lower = lower_code(code);
        assert_int_equal(lower_code(lower), lower);
        if (lower == code)
            continue;
        assert_true(lower < UTF8_CODES && (lower < 0xD800 || lower > 0xDFFF));
        changed++;
    }
    /* Unicode 14 has 1433 characters with a simple lower case; U+0130 has two here */
    assert_int_equal(changed, 1432);
}

/* A newer library may know more capitals, but none of ours differently. */
static void the_library_agrees(void **state)
{
    (void)state;
    locale_t l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!l) {
        print_message("no locale C.UTF-8\n");
        skip();
    }
    for (uint32_t code = 0; code < UTF8_CODES; code++) {
        const uint32_t lower = lower_code(code);
        if (code != 0x130 && (code < 0x590 || lower != code))
            assert_int_equal(lower, towlower_l((wint_t)code, l));
    }
    freelocale(l);
}

RUN(T(text_becomes_lower_case), T(lower_case_stays_and_is_a_character),
    T(the_library_agrees))
