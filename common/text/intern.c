#include "text/intern.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

struct entry {
    size_t offset;
    uint32_t length;
    uint32_t hash; /* its upper half: spares most comparisons, and rehashing */
};

struct intern {
    char *text;
    size_t text_bytes, text_room;
    struct entry *entries; /* [count] */
    size_t count, room;
    uint32_t *slots; /* [mask + 1] numbers or NONE, at most half of them used */
    size_t mask;
};

enum { FIRST_SLOTS = 1024 };

struct intern *intern_new(void)
{
    struct intern *m = mem_zalloc(sizeof *m);
    m->mask = FIRST_SLOTS - 1;
    m->slots = mem_alloc(FIRST_SLOTS * sizeof *m->slots);
    memset(m->slots, 0xFF, FIRST_SLOTS * sizeof *m->slots);
    return m;
}

void intern_free(struct intern *m)
{
    if (!m)
        return;
    mem_free(m->text);
    mem_free(m->entries);
    mem_free(m->slots);
    mem_free(m);
}

static uint32_t hash_of(const char *bytes, size_t n)
{
    return (uint32_t)(hash64(bytes, n) >> 32);
}

/* The slot that holds the string, or the free one where it belongs. */
static size_t slot_of(const struct intern *m, const char *bytes, size_t n, uint32_t hash)
{
    for (size_t s = hash & m->mask;; s = (s + 1) & m->mask) {
        const uint32_t number = m->slots[s];
        if (number == INTERN_NONE)
            return s;
        const struct entry *e = &m->entries[number];
        if (e->hash == hash && e->length == n &&
            (n == 0 || memcmp(m->text + e->offset, bytes, n) == 0))
            return s;
    }
}

static void widen(struct intern *m)
{
    const size_t slots = 2 * (m->mask + 1);
    m->slots = mem_resize(m->slots, mem_mul(slots, sizeof *m->slots));
    memset(m->slots, 0xFF, slots * sizeof *m->slots);
    m->mask = slots - 1;
    for (size_t i = 0; i < m->count; i++) {
        size_t s = m->entries[i].hash & m->mask;
        while (m->slots[s] != INTERN_NONE)
            s = (s + 1) & m->mask;
        m->slots[s] = (uint32_t)i;
    }
}

static size_t keep(struct intern *m, const char *bytes, size_t n)
{
    if (m->text_room - m->text_bytes < n) {
        m->text_room = 2 * m->text_room + n + 1024;
        m->text = mem_resize(m->text, m->text_room);
    }
    if (n)
        memcpy(m->text + m->text_bytes, bytes, n);
    m->text_bytes += n;
    return m->text_bytes - n;
}

uint32_t intern_add(struct intern *m, const char *bytes, size_t n)
{
    assert(n <= UINT32_MAX);
    assert(m->count < INTERN_NONE);
    const uint32_t hash = hash_of(bytes, n);
    size_t s = slot_of(m, bytes, n, hash);
    if (m->slots[s] != INTERN_NONE)
        return m->slots[s];

    if (m->count == m->room) {
        m->room = m->room ? 2 * m->room : 256;
        m->entries = mem_resize(m->entries, mem_mul(m->room, sizeof *m->entries));
    }
    m->entries[m->count] = (struct entry){keep(m, bytes, n), (uint32_t)n, hash};
    m->slots[s] = (uint32_t)m->count++;
    if (2 * m->count > m->mask)
        widen(m);
    return (uint32_t)(m->count - 1);
}

uint32_t intern_find(const struct intern *m, const char *bytes, size_t n)
{
    return n > UINT32_MAX ? INTERN_NONE
                          : m->slots[slot_of(m, bytes, n, hash_of(bytes, n))];
}

size_t intern_count(const struct intern *m)
{
    return m->count;
}

const char *intern_get(const struct intern *m, uint32_t number, size_t *n)
{
    assert(number < m->count);
    *n = m->entries[number].length;
    return m->text + m->entries[number].offset;
}
