#include "support/test.h"

#include "base/mem.h"
#include "score/split.h"
#include "score/tokenize.h"

/* The tokens with one space between them. */
static void tokens(const char *text, char *out)
{
    struct span parted = {0};
    size_t n;
    char *kept = tokenize_13a((struct span){text, strlen(text)}, &parted.bytes);
    parted.text = kept;
    struct span *words = split_words(parted, &n);
    for (size_t i = 0; i < n; i++) {
        if (i)
            *out++ = ' ';
        memcpy(out, words[i].text, words[i].bytes);
        out += words[i].bytes;
    }
    *out = '\0';
    mem_free(words);
    mem_free(kept);
}

static const char *const cases[][2] = {
    {"", ""},
    {"   ", ""},
    {"plain words stay", "plain words stay"},
    /* punctuation stands alone, each mark */
    {"Hello, world!", "Hello , world !"},
    {"(a)[b]{c}", "( a ) [ b ] { c }"},
    {"a/b*c+d=e_f|g~h^i`j", "a / b * c + d = e _ f | g ~ h ^ i ` j"},
    {"\"q\" #1 $5 50% x@y a:b;c?d\\e", "\" q \" # 1 $ 5 50 % x @ y a : b ; c ? d \\ e"},
    {"!!", "! !"},
    /* but not the apostrophe, nor the hyphen in a word */
    {"It's a well-known dogs' life", "It's a well-known dogs' life"},
    /* comma and full stop stay between two digits only */
    {"1,000.5", "1,000.5"},
    {"1.5.", "1.5 ."},
    {".5 5. ,7", ". 5 5 . , 7"},
    {"a.b 1.b a.1", "a . b 1 . b a . 1"},
    {"U.S. e.g.", "U . S . e . g ."},
    {"Wait...", "Wait . . ."},
    {"1..2", "1 . . 2"},
    {"1,,2,,,3", "1 , , 2 , , ,3"}, /* a mark is in one pair only, from the left */
    {"3.,4", "3 . , 4"},
    /* a hyphen behind a digit */
    {"2010-11 4-year top-10 --", "2010 - 11 4 - year top-10 --"},
    {"5--6", "5 - -6"},
    /* entities, before anything is parted; &amp; before &lt; */
    {"&quot;so&quot; &amp; R&amp;D", "\" so \" & R & D"},
    {"&lt;b&gt;", "< b >"},
    {"&amp;lt; &amp;quot;", "< & quot ;"}, /* &quot; was looked for before */
    {"&apos; &AMP;", "& apos ; & AMP ;"},
    /* <skipped>, line ends */
    {"a<skipped>b <skipped>", "ab"},
    {"<skip<skipped>ped>", "< skipped >"},
    {"a hyphen-\nated word\nthere", "a hyphenated word there"},
    {"ends with a hyphen-\n", "ends with a hyphen-"},
    /* beyond ASCII: what is not ASCII punctuation is a letter, and no digit */
    {"caf\xC3\xA9. \xC3\xA9,1", "caf\xC3\xA9 . \xC3\xA9 , 1"},
    {"1,\xC3\xA9 \xE2\x80\x9Eja\xE2\x80\x9C", "1 , \xC3\xA9 \xE2\x80\x9Eja\xE2\x80\x9C"},
    {"\xE6\x97\xA5\xE6\x9C\xAC\xE3\x80\x82", "\xE6\x97\xA5\xE6\x9C\xAC\xE3\x80\x82"},
    {"a\xC2\xA0"
     "b\r",
     "a b"},
    {"\xFF.\xC3", "\xFF . \xC3"},
};

static void tokens_are_those_of_mteval_13a(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[128];
        tokens(cases[i][0], out);
        assert_string_equal(out, cases[i][1]);
    }
}

static void long_lines_are_no_trouble(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20 };
    char *text = mem_alloc(BYTES);
    memset(text, '.', BYTES);
    size_t bytes, n;
    char *parted = tokenize_13a((struct span){text, BYTES}, &bytes);
    struct span *words = split_words((struct span){parted, bytes}, &n);
    assert_int_equal(n, BYTES);
    mem_free(words);
    mem_free(parted);
    mem_free(text);
}

RUN(T(tokens_are_those_of_mteval_13a), T(long_lines_are_no_trouble))
