#include "coordinator/hostfile.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

enum { LARGEST_FILE = 1 << 20, LARGEST_SLOTS = 4095, WORD = 256 };

struct place {
    const char *path;
    unsigned line;
};

static int wrong(struct place at, const char *word, const char *expected)
{
    log_error("%s:%u: '%s': expected %s", at.path, at.line, word, expected);
    return ERR_CONFIG;
}

/* The next word of the line, which ends before a comment.  False: there is none.  Of a
 * word too long the beginning, and a mark that no word may have. */
static bool next_word(const char **from, char word[WORD])
{
    const char *start = *from + strspn(*from, " \t\r");
    const size_t n = strcspn(start, " \t\r\n#");
    *from = start + n;
    if (n < WORD)
        snprintf(word, WORD, "%.*s", (int)n, start);
    else
        snprintf(word, WORD, "%.40s...?", start);
    return n > 0;
}

static bool is_name(const char *word)
{
    if (!isalnum((unsigned char)*word))
        return false; /* a dash would be an option of the remote shell */
    for (; *word; word++)
        if (!isalnum((unsigned char)*word) && !strchr("-._", *word))
            return false;
    return true;
}

/* Is @word KEY=NUMBER?  Then *value is the number, 0 when it is none. */
static bool is_setting(const char *word, const char *key, unsigned *value)
{
    const size_t n = strlen(key);
    if (strncmp(word, key, n) != 0 || word[n] != '=')
        return false;
    char *end;
    const long number = strtol(word + n + 1, &end, 10);
    const bool good = isdigit((unsigned char)word[n + 1]) && !*end && number >= 1 &&
                      number <= LARGEST_SLOTS;
    *value = good ? (unsigned)number : 0;
    return true;
}

static struct host *host_named(struct hosts *h, const char *name)
{
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->list[i].name, name) == 0)
            return &h->list[i];
    h->list = mem_resize(h->list, (h->n + 1) * sizeof *h->list);
    h->list[h->n] = (struct host){.name = mem_strdup(name)};
    return &h->list[h->n++];
}

static int parse_line(const char *line, struct place at, struct hosts *h)
{
    char name[WORD], word[WORD];
    unsigned slots = 1, most = LARGEST_SLOTS;
    if (!next_word(&line, name))
        return ERR_OK;
    if (!is_name(name))
        return wrong(at, name, "the name of a host: letters, digits, '-', '.', '_'");
    while (next_word(&line, word)) {
        const bool known = is_setting(word, "slots", &slots) ||
                           is_setting(word, "max_slots", &most) ||
                           is_setting(word, "max-slots", &most);
        if (!known || slots == 0 || most == 0)
            return wrong(at, word, "slots=N or max_slots=N, from 1 to 4095");
    }
    struct host *host = host_named(h, name);
    host->slots += slots;
    if (host->slots > most)
        host->slots = most;
    return ERR_OK;
}

int hostfile_parse(const char *text, const char *path, struct hosts *h)
{
    struct hosts read = {0};
    struct place at = {path, 1};
    for (const char *line = text; line; at.line++) {
        const int err = parse_line(line, at, &read);
        if (err) {
            hosts_fini(&read);
            return err;
        }
        const char *end = strchr(line, '\n');
        line = end ? end + 1 : NULL;
    }
    if (read.n == 0) {
        log_error("%s: no host in it; expected lines like 'node07 slots=2'", path);
        return ERR_CONFIG;
    }
    *h = read;
    return ERR_OK;
}

int hostfile_read(const char *path, struct hosts *h)
{
    char *text;
    size_t bytes;
    TRY(file_read(path, LARGEST_FILE, &text, &bytes));
    int err = ERR_CONFIG;
    if (strlen(text) == bytes)
        err = hostfile_parse(text, path, h);
    else
        log_error("%s: byte %zu is zero: not a text", path, strlen(text));
    mem_free(text);
    return err;
}

void hosts_fini(struct hosts *h)
{
    for (size_t i = 0; i < h->n; i++)
        mem_free(h->list[i].name);
    mem_free(h->list);
    *h = (struct hosts){0};
}

unsigned hosts_slots(const struct hosts *h)
{
    unsigned slots = 0;
    for (size_t i = 0; i < h->n; i++)
        slots += h->list[i].slots;
    return slots;
}

unsigned hosts_slots_left(const struct hosts *h)
{
    unsigned slots = 0;
    for (size_t i = 0; i < h->n; i++)
        slots += h->list[i].silent ? 0 : h->list[i].slots;
    return slots;
}

unsigned hosts_workers(const struct hosts *h, unsigned wanted)
{
    const unsigned all = hosts_slots(h), left = hosts_slots_left(h);
    if (left == 0)
        return 0;
    const unsigned share = (unsigned)((unsigned long)wanted * left / all);
    return share > 0 ? share : 1;
}

const struct host *hosts_first(const struct hosts *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (!h->list[i].silent)
            return &h->list[i];
    return NULL;
}

char *hosts_argument(const struct hosts *h)
{
    char *text = mem_alloc(1);
    size_t length = 0;
    unsigned coordinator = 1;
    for (size_t i = 0; i < h->n; i++) {
        const struct host *one = &h->list[i];
        if (one->silent)
            continue;
        const size_t room = strlen(one->name) + 16;
        text = mem_resize(text, length + room);
        length += (size_t)snprintf(text + length, room, "%s%s:%u", length ? "," : "",
                                   one->name, one->slots + coordinator);
        coordinator = 0;
    }
    assert(length > 0);
    return text;
}
