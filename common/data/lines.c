#include "data/lines.h"

#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/text_file.h"
#include "text/utf8.h"

static int check(const char *path, const char *text, size_t bytes)
{
    struct utf8_error where;
    if (bytes == 0) {
        log_error("%s is empty; expected sentences, one a line", path);
        return ERR_DATA;
    }
    if (utf8_check(text, bytes, &where) != ERR_OK) {
        log_error("%s: line %zu, byte %zu of the file, is 0x%02x, which is not valid "
                  "UTF-8; convert the file with iconv",
                  path, where.line, where.offset, (unsigned char)text[where.offset]);
        return ERR_DATA;
    }
    return ERR_OK;
}

/* A line feed ends a line; the last line may do without. */
static void cut(struct lines *s)
{
    const size_t bytes = s->bytes;
    s->n = utf8_line(s->text, bytes) - (s->text[bytes - 1] == '\n');
    s->line = mem_alloc(mem_mul(s->n, sizeof *s->line));
    const char *at = s->text, *const end = s->text + bytes;
    for (size_t i = 0; i < s->n; i++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const char *stop = feed ? feed : end;
        s->line[i] = (struct span){at, (size_t)(stop - at)};
        at = stop + 1;
    }
}

int lines_read(struct lines *s, const char *path, size_t limit)
{
    struct lines read = {.path = strcmp(path, "-") == 0 ? "/dev/stdin" : path};
    TRY(text_file_read(read.path, limit, &read.text, &read.bytes));
    const int err = check(read.path, read.text, read.bytes);
    if (err) {
        mem_free(read.text);
        return err;
    }
    cut(&read);
    *s = read;
    return ERR_OK;
}

void lines_fini(struct lines *s)
{
    mem_free(s->line);
    mem_free(s->text);
    *s = (struct lines){0};
}

int lines_pair(const struct lines *a, const struct lines *b)
{
    if (a->n == b->n)
        return ERR_OK;
    const struct lines *more = a->n > b->n ? a : b, *fewer = a->n > b->n ? b : a;
    log_error("%s has %zu lines and %s has %zu: line %zu of %s has no partner; each line "
              "needs one, an empty line stands for an empty sentence",
              a->path, a->n, b->path, b->n, fewer->n + 1, more->path);
    return ERR_DATA;
}
