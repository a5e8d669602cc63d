#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/words.h"

#include <assert.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#define SPACE "\\p{Z}\\t-\\r\\x{85}"

static const char pattern[] = "'s|'t|'re|'ve|'m|'ll|'d"
                              "| ?\\p{L}+"
                              "| ?\\p{N}+"
                              "| ?[^" SPACE "\\p{L}\\p{N}]+"
                              "|[" SPACE "]+(?![^" SPACE "])"
                              "|[" SPACE "]+";

struct words {
    pcre2_code *code;
    pcre2_match_data *match;
};

struct words *words_new(void)
{
    int err;
    PCRE2_SIZE offset;
    struct words *w = mem_alloc(sizeof *w);
    w->code = pcre2_compile((PCRE2_SPTR)pattern, sizeof pattern - 1,
                            PCRE2_UTF | PCRE2_ANCHORED, &err, &offset, NULL);
    if (!w->code)
        abort(); /* the pattern is constant: only exhausted memory is left */
    pcre2_jit_compile(w->code, PCRE2_JIT_COMPLETE); /* without it: slower, equal */
    w->match = pcre2_match_data_create_from_pattern(w->code, NULL);
    if (!w->match)
        abort();
    return w;
}

void words_free(struct words *w)
{
    if (!w)
        return;
    pcre2_match_data_free(w->match);
    pcre2_code_free(w->code);
    mem_free(w);
}

int words_next(struct words *w, const char *text, size_t bytes, size_t at, size_t *length)
{
    assert(at < bytes);
    const int found = pcre2_match(w->code, (PCRE2_SPTR)text, bytes, at,
                                  PCRE2_NO_UTF_CHECK, w->match, NULL);
    if (found < 1) { /* every character is in one of the classes, so it is a limit */
        PCRE2_UCHAR why[128] = "no match";
        pcre2_get_error_message(found, why, sizeof why);
        log_error("could not split the text into words at byte %zu: %s", at, (char *)why);
        return ERR_DATA;
    }
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(w->match);
    assert(span[0] == at);
    assert(span[1] > at);
    *length = span[1] - at;
    return ERR_OK;
}

static int visible(char c)
{
    return c > ' ' && c < 0x7F;
}

/* "x\ny": the line feed is a word of its own (GPT-2 joins only a space with what
 * follows), and stays one when nothing follows. */
size_t words_cut(const char *text, size_t bytes, size_t from)
{
    assert(from <= bytes);
    for (size_t at = from < 2 ? 2 : from; at < bytes; at++) {
        const char *feed = memchr(text + at - 1, '\n', bytes - at);
        if (!feed)
            break;
        at = (size_t)(feed - text) + 1;
        if (at < bytes && visible(text[at]) && visible(text[at - 2]))
            return at;
    }
    return bytes;
}

static bool separates(char c)
{
    return c == ' ' || c == '\r';
}

bool words_spaced(const char *text, size_t bytes, size_t *at, size_t *length)
{
    size_t i = *at;
    while (i < bytes && separates(text[i]))
        i++;
    *at = i;
    if (i == bytes)
        return false;
    if (text[i++] != '\n')
        while (i < bytes && !separates(text[i]) && text[i] != '\n')
            i++;
    *length = i - *at;
    return true;
}

size_t words_spaced_cut(const char *text, size_t bytes, size_t from)
{
    for (; from > 0 && from < bytes; from++)
        if (text[from - 1] == ' ' || text[from - 1] == '\n')
            break;
    return from;
}
