/* UTF-8, and text in words.  True of all bytes: the two judges of UTF-8 (text/utf8,
 * net/codec_check) agree, and what they accept encodes to itself; cleaned they are a line
 * of UTF-8, which is clean.  Of all text: the words joined are the text, each ends between
 * two characters, and where words_cut() cuts, the words stay the same. */
#include "fuzz/fuzz.h"

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/codec_check.h"
#include "text/line.h"
#include "text/utf8.h"
#include "text/words.h"

static void check_codes(const char *text, size_t bytes)
{
    size_t count = 0;
    for (size_t at = 0; at < bytes; count++) {
        uint32_t code;
        char again[UTF8_BYTES];
        const size_t n = utf8_next(text + at, bytes - at, &code);
        CHECK(n >= 1 && n <= bytes - at && utf8_offset(text, bytes, count) == at);
        CHECK(utf8_encode(code, again) == n && memcmp(again, text + at, n) == 0);
        at += n;
    }
    CHECK(utf8_count(text, bytes) == count);
}

/* Marks where words end, from @first on. */
static void find_ends(struct words *w, const char *text, size_t first, size_t bytes,
                      bool *ends)
{
    for (size_t at = first, n; at < bytes; at += n) {
        CHECK(words_next(w, text + first, bytes - first, at - first, &n) == ERR_OK);
        CHECK(n >= 1 && n <= bytes - at);
        CHECK(at + n == bytes || ((unsigned char)text[at + n] & 0xC0) != 0x80);
        ends[at + n] = true;
    }
}

static void check_words(const char *text, size_t bytes)
{
    static struct words *w;
    if (!w)
        w = words_new();
    bool *whole = calloc(bytes + 1, 1), *parts = calloc(bytes + 1, 1);
    CHECK(whole && parts);
    const size_t cut = words_cut(text, bytes, bytes / 3);
    CHECK(cut <= bytes && cut >= bytes / 3);
    find_ends(w, text, 0, bytes, whole);
    find_ends(w, text, 0, cut, parts);
    find_ends(w, text, cut, bytes, parts);
    CHECK(memcmp(whole, parts, bytes + 1) == 0);
    free(whole);
    free(parts);
}

static void check_line(const char *text, size_t bytes)
{
    size_t n, again_n;
    char *line = line_clean((struct span){text, bytes}, &n);
    char *again = line_clean((struct span){line, n}, &again_n);
    CHECK(utf8_ok(line, n) && !memchr(line, '\n', n) && !memchr(line, '\r', n));
    CHECK(again_n == n && memcmp(line, again, n) == 0);
    mem_free(line);
    mem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct utf8_error where;
    const char *text = (const char *)data;
    check_line(text, bytes);
    const int err = utf8_check(text, bytes, &where);
    CHECK((err == ERR_OK) == utf8_ok(text, bytes));
    if (err) {
        CHECK(where.offset < bytes && utf8_check(text, where.offset, NULL) == ERR_OK);
        CHECK(where.line >= 1 && where.line <= where.offset + 1);
        bytes = where.offset;
    }
    check_codes(text, bytes);
    check_words(text, bytes);
    return 0;
}
