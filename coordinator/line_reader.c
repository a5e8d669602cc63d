#include "coordinator/line_reader.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/line.h"
#include "text/utf8.h"

int line_reader_open(struct line_reader *r, const char *path)
{
    const bool standard = strcmp(path, "-") == 0;
    *r = (struct line_reader){.path = standard ? "standard input" : path,
                              .file = standard ? stdin : fopen(path, "r")};
    if (r->file)
        return ERR_OK;
    log_error("could not open %s: %s", path, strerror(errno));
    return err_from_errno(errno);
}

void line_reader_close(struct line_reader *r)
{
    if (r->file && r->file != stdin)
        fclose(r->file);
    mem_free(r->text);
    *r = (struct line_reader){0};
}

static int failed(const struct line_reader *r)
{
    if (errno == EINTR)
        return ERR_STOPPED;
    log_error("could not read %s: %s", r->path, strerror(errno));
    return ERR_IO;
}

/* r->text [*n]  <-  up to the end of the line, which is not kept */
static int read_line(struct line_reader *r, size_t *n)
{
    *n = 0;
    for (;;) {
        errno = 0;
        const int c = getc_unlocked(r->file);
        if (c == EOF && ferror(r->file))
            return failed(r);
        if (c == EOF)
            r->at_end = *n == 0;
        if (c == EOF || c == '\n')
            return ERR_OK;
        if (*n == LINE_READER_MAX) {
            log_error("%s: line %llu is longer than %d bytes; is this text, a sentence a "
                      "line?",
                      r->path, (unsigned long long)r->number + 1, LINE_READER_MAX);
            return ERR_DATA;
        }
        if (*n == r->room)
            r->text = mem_resize(r->text, r->room = 2 * r->room + 256);
        r->text[(*n)++] = (char)c;
    }
}

static int check(const struct line_reader *r, size_t n)
{
    struct utf8_error where;
    const char *zero = memchr(r->text, 0, n);
    if (zero) {
        log_error("%s: line %llu has a zero byte at byte %zu; is this text?", r->path,
                  (unsigned long long)r->number, (size_t)(zero - r->text));
        return ERR_DATA;
    }
    if (utf8_check(r->text, n, &where) != ERR_OK) {
        log_error("%s: line %llu, byte %zu of it, is 0x%02x, which is not valid UTF-8; "
                  "convert the text with iconv, or unpack it with zcat",
                  r->path, (unsigned long long)r->number, where.offset,
                  (unsigned char)r->text[where.offset]);
        return ERR_DATA;
    }
    return ERR_OK;
}

int line_reader_next(struct line_reader *r, struct span *line)
{
    size_t n;
    TRY(read_line(r, &n));
    *line = (struct span){r->text, 0};
    if (r->at_end)
        return ERR_OK;
    r->number++;
    if (n == 0)
        return ERR_OK;
    TRY(check(r, n));
    *line = line_trim((struct span){r->text, n});
    return ERR_OK;
}
