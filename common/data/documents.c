#include "data/documents.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/text_file.h"
#include "text/utf8.h"

static int check_text(const char *path, const struct document *d, enum document_text text)
{
    struct utf8_error where;
    if (d->bytes == 0) {
        log_error("%s is empty; expected text", path);
        return ERR_DATA;
    }
    if (text != DOCUMENT_BYTES && utf8_check(d->text, d->bytes, &where) != 0) {
        log_error(
            "%s: byte %zu, line %zu, is 0x%02x, which is not valid UTF-8; convert the "
            "file with iconv, or use --tokenizer byte",
            path, where.offset, where.line, (unsigned char)d->text[where.offset]);
        return ERR_DATA;
    }
    const char *zero = memchr(d->text, '\0', d->bytes);
    if (text == DOCUMENT_UTF8_NO_ZERO && zero) {
        const size_t at = (size_t)(zero - d->text);
        log_error(
            "%s: byte %zu, line %zu, is zero, which --tokenizer char does not take: is "
            "this text?  byte, gpt2 and bpe take it",
            path, at, utf8_line(d->text, at));
        return ERR_DATA;
    }
    return ERR_OK;
}

static int read_one(const char *path, enum document_text text, size_t limit,
                    struct document *d)
{
    TRY(text_file_read(path, limit, &d->text, &d->bytes));
    TRY(check_text(path, d, text));
    d->units = text == DOCUMENT_BYTES ? d->bytes : utf8_count(d->text, d->bytes);
    return ERR_OK;
}

int documents_read(struct documents *d, const char *const *files, size_t n,
                   enum document_text text, size_t limit)
{
    *d = (struct documents){.all = mem_zalloc(mem_mul(n, sizeof *d->all)), .n = n};
    for (size_t i = 0; i < n; i++) {
        const int err = read_one(files[i], text, limit - d->bytes, &d->all[i]);
        if (err) {
            documents_fini(d);
            return err;
        }
        d->bytes += d->all[i].bytes;
        d->units += d->all[i].units;
    }
    return ERR_OK;
}

void documents_fini(struct documents *d)
{
    for (size_t i = 0; i < d->n; i++)
        mem_free(d->all[i].text);
    mem_free(d->all);
    *d = (struct documents){0};
}

static void part_init(struct part *p, size_t room)
{
    *p = (struct part){.spans = mem_alloc(mem_mul(room, sizeof *p->spans)),
                       .ends = mem_alloc(mem_mul(room, sizeof *p->ends))};
}

static void part_add(struct part *p, const struct document *d, size_t from, size_t to)
{
    assert(from <= to);
    if (from == to)
        return;
    p->spans[p->n] = (struct span){d->text + from, to - from};
    p->ends[p->n++] = to == d->bytes;
    p->bytes += to - from;
}

void documents_split(const struct documents *d, uint64_t units, struct part *train,
                     struct part *held_out)
{
    assert(units <= d->units);
    part_init(train, d->n);
    part_init(held_out, d->n);
    for (size_t i = 0; i < d->n; i++) {
        const struct document *one = &d->all[i];
        const size_t first = units < one->units ? (size_t)units : one->units;
        const size_t cut = one->units == one->bytes
                               ? first /* ASCII, or bytes: a unit is a byte */
                               : utf8_offset(one->text, one->bytes, first);
        part_add(train, one, 0, cut);
        part_add(held_out, one, cut, one->bytes);
        units -= first;
    }
    assert(units == 0);
}

void part_fini(struct part *p)
{
    mem_free(p->spans);
    mem_free(p->ends);
    *p = (struct part){0};
}
