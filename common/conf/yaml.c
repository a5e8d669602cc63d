/* The file: a mapping of groups to mappings of options, and nothing deeper.
 *
 *      model:                  # comment
 *        layers: 6
 *        width: 384
 *      train.steps: 10k        # the same, on one line
 *
 * A subset of YAML 1.1 as libyaml reads it: one document, two levels, scalars.  Lists,
 * anchors, aliases and tags are refused, so that a file means what it seems to mean and
 * costs time in proportion to its length.  A key may stand once.
 *
 * Mistakes of form end the reading; wrong options and values are all reported, up to
 * ERRORS_MAX, and nothing is set.
 */
#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include <yaml.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/plain.h"
#include "conf/set.h"

enum {
    FILE_MAX_BYTES = 1 << 20,
    ERRORS_MAX = 20, /* a file worse than that is of another kind */
    KEY_MAX_BYTES = 128,
    NAME_SHOWN = 256,
    MESSAGE_MAX = 512
};

struct reader {
    struct conf next; /* becomes the caller's when all is well */
    const char *name; /* of the text, for messages */
    yaml_parser_t parser;
    yaml_event_t event;                                        /* the current one */
    size_t option_line[OPTION_COUNT], group_line[GROUP_COUNT]; /* 0: not yet seen */
    int first_error;
    size_t errors;
};

/* Counts a mistake after which reading goes on; the first decides what is returned. */
static int count(struct reader *r, int err)
{
    if (err) {
        r->errors++;
        r->first_error = r->first_error ? r->first_error : err;
    }
    return r->errors < ERRORS_MAX ? ERR_OK : r->first_error;
}

static int __attribute__((format(printf, 4, 5)))
complain(const struct reader *r, int err, yaml_mark_t at, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    log_error("%s:%zu:%zu: %s", r->name, at.line + 1, at.column + 1, message);
    return err;
}

static int complain_syntax(const struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "out of memory";
    if (p->error == YAML_READER_ERROR) {
        log_error("%s: byte %zu: %s; expected UTF-8 text", r->name, p->problem_offset,
                  problem);
        return ERR_INVALID;
    }
    return complain(r, ERR_INVALID, p->problem_mark,
                    "%s%s%s; expected lines 'name: value' %s",
                    p->context ? p->context : "", p->context ? ": " : "", problem,
                    "below 'group:', indented alike with spaces");
}

static int next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return complain_syntax(r);
    return ERR_OK;
}

/* The next event is a scalar or begins or ends a mapping, without YAML's refinements. */
static int next_simple(struct reader *r)
{
    TRY(next(r));
    const yaml_event_t *e = &r->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
        break;
    case YAML_ALIAS_EVENT:
        return complain(r, ERR_INVALID, e->start_mark,
                        "aliases (*name) are not supported; write the value out");
    case YAML_SEQUENCE_START_EVENT:
        return complain(r, ERR_INVALID, e->start_mark,
                        "no option takes a list; write one value, quoted if it begins "
                        "with '[' or '-'");
    default:
        break;
    }
    if (anchor)
        return complain(r, ERR_INVALID, e->start_mark,
                        "anchors (&name) are not supported; quote a value that begins "
                        "with '&'");
    if (tag)
        return complain(r, ERR_INVALID, e->start_mark,
                        "tags (!name) are not supported; quote a value that begins "
                        "with '!'");
    return ERR_OK;
}

/* Copies the key that is the current event. */
static int take_key(const struct reader *r, char key[KEY_MAX_BYTES])
{
    const yaml_event_t *e = &r->event;
    if (e->type != YAML_SCALAR_EVENT)
        return complain(r, ERR_INVALID, e->start_mark, "a name must be a word");
    const char *text = (const char *)e->data.scalar.value;
    char shown[PLAIN_SHOWN];
    if (strlen(text) != e->data.scalar.length || strlen(text) >= KEY_MAX_BYTES)
        return complain(r, ERR_UNKNOWN, e->start_mark, "unknown option '%s'",
                        plain_shown(shown, text));
    snprintf(key, KEY_MAX_BYTES, "%s", text);
    return ERR_OK;
}

/* "name:" with nothing behind it, or what YAML calls null */
static bool is_null(const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || !strcmp(text, "~") || !strcmp(text, "null"));
}

/* The current event is the value of @key, which stands at @at. */
static int take_value(struct reader *r, const char *key, yaml_mark_t at)
{
    const yaml_event_t *e = &r->event;
    if (e->type != YAML_SCALAR_EVENT)
        return complain(r, ERR_INVALID, e->start_mark,
                        "%s takes one value, not further names below it", key);
    const struct conf_option *o = option_find(key);
    size_t *line = o ? &r->option_line[option_id(o)] : NULL;
    if (line && *line)
        return complain(r, ERR_INVALID, at, "%s stands already in line %zu; remove one",
                        key, *line);
    if (line)
        *line = at.line + 1;
    const char *value = (const char *)e->data.scalar.value;
    if (o && is_null(e))
        return complain(r, ERR_INVALID, at,
                        "%s has no value; give one or remove the line", key);
    if (strlen(value) != e->data.scalar.length)
        return complain(r, ERR_INVALID, e->start_mark, "%s contains a zero byte", key);

    char where[MESSAGE_MAX], source[MESSAGE_MAX];
    const yaml_mark_t place = o ? e->start_mark : at;
    snprintf(where, sizeof where, "%s:%zu:%zu", r->name, place.line + 1,
             place.column + 1);
    snprintf(source, sizeof source, "%s:%zu", r->name, at.line + 1);
    return set_key(&r->next, key, value, &(struct set_origin){RANK_FILE, where, source});
}

/* A mistake in the value of one key does not keep us from reading the following ones. */
static int take_option(struct reader *r, const char *key, yaml_mark_t at)
{
    const bool scalar = r->event.type == YAML_SCALAR_EVENT;
    const int err = take_value(r, key, at);
    return scalar ? count(r, err) : err;
}

/* The pairs below a group; those of an unknown one (NULL) are passed over. */
static int take_group(struct reader *r, const char *group)
{
    char name[KEY_MAX_BYTES], key[2 * KEY_MAX_BYTES];
    for (;;) {
        TRY(next_simple(r));
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return ERR_OK;
        const yaml_mark_t at = r->event.start_mark;
        TRY(take_key(r, name));
        TRY(next_simple(r));
        snprintf(key, sizeof key, "%s.%s", group ? group : "", name);
        if (group)
            TRY(take_option(r, key, at));
        else if (r->event.type != YAML_SCALAR_EVENT)
            return complain(r, ERR_INVALID, at, "more than two levels of names");
    }
}

static int begin_group(struct reader *r, const char *name, yaml_mark_t at)
{
    const enum option_group_id group = option_find_group(name);
    if (group == GROUP_COUNT) {
        char shown[PLAIN_SHOWN];
        const char *meant = option_nearest_group(name);
        TRY(count(r, complain(r, ERR_UNKNOWN, at, "unknown group '%s'%s%s%s",
                              plain_shown(shown, name), meant ? "; did you mean '" : "",
                              meant ? meant : "", meant ? "'?" : "")));
        return take_group(r, NULL);
    }
    if (r->group_line[group])
        TRY(count(r, complain(r, ERR_INVALID, at,
                              "group %s stands already in line %zu; join the two", name,
                              r->group_line[group])));
    r->group_line[group] = at.line + 1;
    return take_group(r, name);
}

/* One pair of the top level: "group:" with pairs below, or "group.name: value" */
static int take_pair(struct reader *r)
{
    char key[KEY_MAX_BYTES];
    const yaml_mark_t at = r->event.start_mark;
    TRY(take_key(r, key));
    TRY(next_simple(r));
    if (r->event.type == YAML_MAPPING_START_EVENT && !option_find(key))
        return begin_group(r, key, at);
    if (option_find_group(key) == GROUP_COUNT)
        return take_option(r, key, at);
    if (is_null(&r->event))
        return ERR_OK; /* a group whose options are all commented out */
    return count(r, complain(r, ERR_INVALID, at,
                             "%s is a group; write its options below it, indented", key));
}

static int take_document(struct reader *r)
{
    TRY(next_simple(r));
    if (r->event.type == YAML_SCALAR_EVENT && is_null(&r->event))
        return next(r); /* nothing but comments */
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return complain(r, ERR_INVALID, r->event.start_mark,
                        "expected 'group:' with lines 'name: value' below it");
    for (;;) {
        TRY(next_simple(r));
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return next(r);
        TRY(take_pair(r));
    }
}

static int take_stream(struct reader *r)
{
    TRY(next(r));
    assert(r->event.type == YAML_STREAM_START_EVENT);
    TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT)
        return ERR_OK; /* empty */
    assert(r->event.type == YAML_DOCUMENT_START_EVENT);
    TRY(take_document(r));
    assert(r->event.type == YAML_DOCUMENT_END_EVENT);
    TRY(next(r));
    if (r->event.type != YAML_STREAM_END_EVENT)
        return complain(r, ERR_INVALID, r->event.start_mark,
                        "a second document begins here; expected one");
    return r->first_error;
}

/* The end of a long path: the file's name stands there. */
static const char *tail(const char *path)
{
    const size_t n = strlen(path);
    return path + (n > NAME_SHOWN ? n - NAME_SHOWN : 0);
}

int conf_load_text(struct conf *c, const char *text, size_t bytes, const char *origin)
{
    struct reader *r = mem_zalloc(sizeof *r);
    r->next = *c;
    r->name = tail(origin);
    if (bytes > FILE_MAX_BYTES) {
        log_error("%s: %zu bytes, expected at most %d", r->name, bytes, FILE_MAX_BYTES);
        mem_free(r);
        return ERR_INVALID;
    }
    if (!yaml_parser_initialize(&r->parser)) {
        mem_free(r);
        log_error("out of memory");
        return ERR_INVALID;
    }
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, bytes);
    const int err = take_stream(r);
    if (!err)
        *c = r->next;
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    mem_free(r);
    return err;
}

int conf_load_file(struct conf *c, const char *path)
{
    char *text = NULL;
    size_t bytes = 0;
    int err = file_read(path, FILE_MAX_BYTES, &text, &bytes);
    if (err == ERR_TOO_BIG)
        return ERR_INVALID; /* of a file it is no damaged message */
    TRY(err);
    err = conf_load_text(c, text, bytes, path);
    mem_free(text);
    return err;
}
