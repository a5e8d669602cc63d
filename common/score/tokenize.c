#include "score/tokenize.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "score/split.h"

struct buffer {
    char *text;
    size_t bytes, room;
};

static void put(struct buffer *b, char c)
{
    if (b->bytes == b->room)
        b->text = mem_resize(b->text, b->room = 2 * b->room + 64);
    b->text[b->bytes++] = c;
}

/* Makes @next the text, and an empty one of what was. */
static void turn(struct buffer *text, struct buffer *next)
{
    const struct buffer was = *text;
    *text = *next;
    *next = was;
    next->bytes = 0;
}

/* --- what is not language ----------------------------------------------------------- */

static const struct replacement {
    const char *from, *to;
} replacements[] = {
    {"<skipped>", ""}, {"-\n", ""},   {"\n", " "},   {"&quot;", "\""},
    {"&amp;", "&"},    {"&lt;", "<"}, {"&gt;", ">"},
};

static bool stands_at(const struct buffer *b, size_t at, const char *word, size_t n)
{
    return b->bytes - at >= n && memcmp(b->text + at, word, n) == 0;
}

static void replace(struct buffer *text, struct buffer *next, struct replacement r)
{
    const size_t n = strlen(r.from);
    for (size_t at = 0; at < text->bytes;) {
        if (!stands_at(text, at, r.from, n)) {
            put(next, text->text[at++]);
            continue;
        }
        for (const char *c = r.to; *c; c++)
            put(next, *c);
        at += n;
    }
    turn(text, next);
}

/* --- what is: Western languages ----------------------------------------------------- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool no_digit(char c)
{
    return !digit(c);
}

static bool stop(char c)
{
    return c == '.' || c == ',';
}

static bool hyphen(char c)
{
    return c == '-';
}

static bool alone(char c)
{
    return c && strchr("!\"#$%&()*+/:;<=>?@[\\]^_`{|}~", c);
}

static void part_alone(struct buffer *text, struct buffer *next)
{
    for (size_t at = 0; at < text->bytes; at++) {
        const char c = text->text[at];
        if (alone(c))
            put(next, ' ');
        put(next, c);
        if (alone(c))
            put(next, ' ');
    }
    turn(text, next);
}

/* Neighbours that are parted, by a space behind the first and another one on the side of
 * that which shall stand alone.  A character is in one pair at most, from the left. */
static const struct pair_rule {
    bool (*first)(char), (*second)(char);
    bool first_alone;
} pair_rules[] = {
    {no_digit, stop, false},
    {stop, no_digit, true},
    {digit, hyphen, false},
};

static void part_pairs(struct buffer *text, struct buffer *next, struct pair_rule r)
{
    for (size_t at = 0; at < text->bytes; at++) {
        const char c = text->text[at];
        if (at + 1 == text->bytes || !r.first(c) || !r.second(text->text[at + 1])) {
            put(next, c);
            continue;
        }
        if (r.first_alone)
            put(next, ' ');
        put(next, c);
        put(next, ' ');
        put(next, text->text[++at]);
        if (!r.first_alone)
            put(next, ' ');
    }
    turn(text, next);
}

/* The rules look at bytes: those of a character beyond ASCII are no digits, and whether
 * one of them or all are behind a full stop makes no difference to where spaces go.  The
 * spaces around the text make a neighbour for its first and last character. */
char *tokenize_13a(struct span text, size_t *bytes)
{
    struct buffer b = {0}, next = {0};
    text = split_trim_end(text);
    for (size_t i = 0; i < text.bytes; i++)
        put(&b, text.text[i]);
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++)
        replace(&b, &next, replacements[i]);
    put(&next, ' ');
    for (size_t i = 0; i < b.bytes; i++)
        put(&next, b.text[i]);
    put(&next, ' ');
    turn(&b, &next);
    part_alone(&b, &next);
    for (size_t i = 0; i < sizeof pair_rules / sizeof *pair_rules; i++)
        part_pairs(&b, &next, pair_rules[i]);
    mem_free(next.text);
    *bytes = b.bytes;
    return b.text;
}
