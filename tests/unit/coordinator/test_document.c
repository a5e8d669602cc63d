/* A file of lines whose translations come in any order: written in theirs, as soon as can
 * be, up to where it ends. */
#include "support/test.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/philox.h"
#include "coordinator/document.h"
#include "data/dataset.h"
#include "data/prepare.h"

enum { LINES = 40, PAGE = 6, CONTEXT = 20 };

static struct tokenizer *tokenizer;
static uint32_t end_of_text;

static int start(void **state)
{
    (void)state;
    log_silence(true);
    FILE *f = fopen("text.txt", "w");
    for (int i = 0; f && i < 100; i++)
        fprintf(f, "abc %d\n", i);
    if (!f || fclose(f))
        return 1;
    const char *const file = "text.txt";
    const struct prepare_options o = {.files = &file,
                                      .files_n = 1,
                                      .dir = "data",
                                      .tokenizer = "bpe:258",
                                      .held_out = 0.1};
    return prepare(&o) || tokenizer_load("data/" DATASET_TOKENIZER, &tokenizer) ||
           !tokenizer_end_of_text(tokenizer, &end_of_text);
}

static int stop(void **state)
{
    (void)state;
    tokenizer_free(tokenizer);
    return 0;
}

/* --- a document in work --- */

struct work {
    struct page_options page;
    struct page_counts counts;
    struct document *document;
    char *text; /* written so far; of open_memstream() */
    size_t bytes;
    FILE *out;
    int ends, err;
};

static void on_written(void *ctx)
{
    (void)ctx;
}

static int on_end(void *ctx, int err)
{
    struct work *w = ctx;
    w->ends++;
    w->err = err;
    return err;
}

static int begin(struct work *w, const char *text, FILE *out)
{
    struct line_reader reader;
    FILE *f = fopen("lines.txt", "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    *w = (struct work){.page = {.lines = PAGE,
                                .context = CONTEXT,
                                .batch_tokens = 30,
                                .best = 1,
                                .unknown = BEAM_NO_TOKEN}};
    w->out = out ? out : open_memstream(&w->text, &w->bytes);
    const struct document_options o = {.page = &w->page,
                                       .tokenizer = tokenizer,
                                       .end = end_of_text,
                                       .out = w->out,
                                       .counts = &w->counts,
                                       .on_written = on_written,
                                       .on_end = on_end,
                                       .ctx = w};
    assert_int_equal(line_reader_open(&reader, "lines.txt"), ERR_OK);
    const int err = document_read(&o, &reader, &w->document);
    line_reader_close(&reader);
    return err;
}

static void finish(struct work *w)
{
    assert_int_equal(w->ends, 1);
    document_free(w->document);
    fclose(w->out);
    free(w->text);
}

/* Each sentence is translated into itself, twice. */
static void take(struct work *w, uint32_t v)
{
    uint32_t lengths[64], tokens[64 * CONTEXT];
    size_t n, words = 0;
    const struct sentence *s = document_slice(w->document, v, &n);
    assert_int_equal(n, document_sentences(w->document, v));
    assert_true(n <= 64);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < 2 * s[i].n; k++)
            tokens[words++] = s[i].tokens[k % s[i].n];
        lengths[i] = 2 * (uint32_t)s[i].n;
    }
    document_take(w->document, v, lengths, tokens);
}

/* Line i: some letters, none in every fifth. */
static void make(char *text, char *expected)
{
    for (int i = 0; i < LINES; i++) {
        char line[CONTEXT];
        snprintf(line, sizeof line, "%.*s", i % 5 ? 1 + i * 7 % 9 : 0, "abcabcabcabc");
        text += sprintf(text, "%s\n", line);
        expected += sprintf(expected, "%s%s\n", line, line);
    }
}

static void shuffle(uint32_t *order, uint32_t n, uint32_t seed)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i-- > 1;) {
        const uint32_t k =
            philox(philox_key(seed, PHILOX_TEST), (struct philox_block){{i}}).word[0] %
            (i + 1);
        const uint32_t other = order[k];
        order[k] = order[i];
        order[i] = other;
    }
}

static void lines_keep_their_order_whatever_that_of_their_translations(void **state)
{
    (void)state;
    char text[LINES * 2 * CONTEXT], expected[LINES * 2 * CONTEXT];
    make(text, expected);
    for (uint32_t seed = 0; seed < 20; seed++) {
        struct work w;
        uint32_t order[LINES];
        assert_int_equal(begin(&w, text, NULL), ERR_OK);
        const uint32_t slices = document_slices(w.document);
        assert_true(slices > LINES / PAGE && slices <= LINES);
        assert_true(document_rows(w.document) <= 30);
        shuffle(order, slices, seed);
        for (uint32_t i = 0; i < slices; i++)
            take(&w, order[i]);
        assert_int_equal(document_end(w.document, ERR_OK), ERR_OK);
        assert_string_equal(w.text, expected);
        assert_int_equal(w.counts.written, LINES);
        assert_int_equal(w.counts.translated, LINES - LINES / 5);
        finish(&w);
    }
}

static uint32_t lines_of(const char *text)
{
    uint32_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* After each slice the pages before the first that lacks one are there. */
static void a_page_is_written_as_soon_as_it_and_those_before_are_done(void **state)
{
    (void)state;
    struct work w;
    assert_int_equal(begin(&w, "\n \n\n\n\n\na\nb\n\n\n\n\nc\n\n\n", NULL), ERR_OK);
    assert_int_equal(document_slices(w.document), 2);
    assert_int_equal(lines_of(w.text), PAGE); /* empty lines wait for nobody */
    take(&w, 1);
    assert_int_equal(lines_of(w.text), PAGE);
    take(&w, 0);
    assert_string_equal(w.text, "\n\n\n\n\n\naa\nbb\n\n\n\n\ncc\n\n\n");
    assert_int_equal(document_end(w.document, ERR_OK), ERR_OK);
    finish(&w);
}

static void what_ends_before_leaves_whole_lines(void **state)
{
    (void)state;
    struct work w;
    assert_int_equal(begin(&w, "a\n\nzzzzzzzzzzzzzzzzzz\nzzzzzzzzzzzzzzzzzz\nb\n", NULL),
                     ERR_OK);
    assert_int_equal(document_slices(w.document), 2); /* a long one; all else */
    take(&w, 1);
    assert_int_equal(document_end(w.document, ERR_STOPPED), ERR_STOPPED);
    assert_string_equal(w.text, "aa\n\n");
    assert_int_equal(w.counts.written, 2);
    finish(&w);
}

static void a_bad_line_is_told_when_those_before_it_are_written(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\nb\n\xff\nc\n",
                                      "a\nb\nzzzzzzzzzzzzzzzzzzzz\nc\n"};
    for (size_t i = 0; i < 2; i++) {
        struct work w;
        assert_int_equal(begin(&w, bad[i], NULL), ERR_OK);
        assert_int_equal(document_slices(w.document), 1);
        take(&w, 0);
        assert_int_equal(document_end(w.document, ERR_OK), ERR_DATA);
        assert_string_equal(w.text, "aa\nbb\n");
        finish(&w);
    }
}

static void a_full_disk_is_noticed_and_told(void **state)
{
    (void)state;
    struct work w;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(begin(&w, "a\n", full), ERR_OK);
    assert_false(document_failed(w.document));
    take(&w, 0);
    assert_true(document_failed(w.document));
    assert_int_equal(document_end(w.document, ERR_STOPPED), ERR_NO_SPACE);
    finish(&w);
}

static void nothing_is_soon_done(void **state)
{
    (void)state;
    struct work w;
    assert_int_equal(begin(&w, "", NULL), ERR_OK);
    assert_int_equal(document_slices(w.document), 0);
    assert_int_equal(document_end(w.document, ERR_OK), ERR_OK);
    assert_int_equal(w.counts.written, 0);
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(lines_keep_their_order_whatever_that_of_their_translations),
        T(a_page_is_written_as_soon_as_it_and_those_before_are_done),
        T(what_ends_before_leaves_whole_lines),
        T(a_bad_line_is_told_when_those_before_it_are_written),
        T(a_full_disk_is_noticed_and_told),
        T(nothing_is_soon_done)};
    return cmocka_run_group_tests(tests, start, stop);
}
