/* Parallel text: the bytes as lines with tabs, and as both of two aligned files.  True of
 * every text that is accepted: each line is a pair or left out, and said with its place;
 * sentences are not empty, valid UTF-8, without newline, without white space at their
 * ends; their bytes are counted. */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "data/sentences.h"
#include "text/utf8.h"

static void check_sentence(struct span s)
{
    CHECK(s.bytes > 0);
    CHECK(utf8_check(s.text, s.bytes, NULL) == 0);
    CHECK(!memchr(s.text, '\n', s.bytes));
    CHECK(!strchr(" \t\r\n\v\f", s.text[0]) || s.text[0] == '\0');
    CHECK(!strchr(" \t\r\n\v\f", s.text[s.bytes - 1]) || s.text[s.bytes - 1] == '\0');
}

static void check_text(struct sentences_input input, const uint8_t *data, size_t bytes)
{
    struct sentences s;
    const int err = sentences_read(&s, &input, 1, 1 << 20);
    CHECK(err == ERR_OK || err == ERR_DATA);
    if (err)
        return;
    uint64_t lines = bytes > 0 && data[bytes - 1] != '\n', all = s.n, sum = 0;
    for (size_t i = 0; i < bytes; i++)
        lines += data[i] == '\n';
    for (int i = 0; i < LEFT_OUT_REASONS; i++)
        all += s.left_out[i].n;
    if (bytes < 2 || data[0] != 0x1F || data[1] != 0x8B) /* no gzip: these lines */
        CHECK(all == lines);
    for (size_t i = 0; i < s.n; i++) {
        check_sentence(s.all[i].source);
        check_sentence(s.all[i].target);
        CHECK(s.all[i].line > (i ? s.all[i - 1].line : 0));
        sum += s.all[i].source.bytes + s.all[i].target.bytes;
    }
    CHECK(sum == s.bytes);
    sentences_report(&s, 1);
    sentences_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const char *path = fuzz_file(data, bytes);
    check_text((struct sentences_input){path, NULL}, data, bytes);
    check_text((struct sentences_input){path, path}, data, bytes);
    return 0;
}
