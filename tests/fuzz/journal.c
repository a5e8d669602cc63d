/* The journal of a run.  True of every file: reading and opening agree; what opening
 * leaves is a beginning of what was there, a whole number of records, each of which packs
 * to the bytes it came from; a record appended then is the next one read. */
#include "fuzz/fuzz.h"

#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "checkpoint/journal.h"

enum { HEADER = 8, RECORD = 80, MOST = 64 };

struct seen {
    struct journal_record r[MOST];
    size_t n;
};

static void keep(void *ctx, const struct journal_record *r)
{
    struct seen *s = ctx;
    CHECK(r->kind >= JOURNAL_START && r->kind <= JOURNAL_REWIND && r->reserved == 0);
    if (s->n < MOST)
        s->r[s->n] = *r;
    s->n++;
}

static bool same(const struct seen *a, const struct seen *b)
{
    const size_t n = a->n < MOST ? a->n : MOST;
    return a->n == b->n && memcmp(a->r, b->r, n * sizeof *a->r) == 0;
}

/* The record as the head of journal.h draws it. */
static void check_packed(const struct journal_record *r, const uint8_t *at)
{
    const uint32_t head[2] = {64, r->kind};
    uint64_t body[8] = {r->term, r->step, r->targets};
    memcpy(body + 3, &r->wall, 5 * sizeof *body);
    CHECK(memcmp(at, head, sizeof head) == 0);
    CHECK(memcmp(at + sizeof head, body, sizeof body) == 0);
    const uint64_t hash = hash64(at, RECORD - sizeof hash);
    CHECK(memcmp(at + RECORD - sizeof hash, &hash, sizeof hash) == 0);
}

static void check_left(const uint8_t *data, size_t bytes, const struct seen *s)
{
    size_t n;
    char *left = fuzz_get("journal", &n);
    CHECK(n == HEADER + RECORD * s->n);
    CHECK(memcmp(left, "LSJRNL01", HEADER) == 0); /* written, if it was torn or zeros */
    CHECK(bytes <= HEADER ? n == HEADER : n <= bytes && memcmp(left, data, n) == 0);
    for (size_t i = 0; i < s->n && i < MOST; i++)
        check_packed(&s->r[i], (const uint8_t *)left + HEADER + RECORD * i);
    free(left);
}

static void check_append(struct journal *j, const struct seen *s)
{
    struct seen after = {.n = 0};
    const struct journal_record one = {
        .kind = JOURNAL_COMMIT, .term = 9, .step = 8, .loss = 7};
    CHECK(journal_append(j, &one) == ERR_OK);
    CHECK(journal_read(fuzz_folder(), keep, &after) == ERR_OK);
    CHECK(after.n == s->n + 1);
    if (s->n < MOST)
        CHECK(memcmp(&after.r[s->n], &one, sizeof one) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct seen read = {.n = 0}, opened = {.n = 0};
    struct journal *j;
    fuzz_put("journal", data, bytes);
    const int err = journal_read(fuzz_folder(), keep, &read);
    CHECK(err == ERR_OK || err == ERR_CORRUPT);
    CHECK(journal_open(&disk_real, fuzz_folder(), keep, &opened, &j) == err);
    CHECK(same(&read, &opened));
    if (err)
        return 0;
    check_left(data, bytes, &opened);
    check_append(j, &opened);
    journal_close(j);
    return 0;
}

size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room)
{
    (void)room;
    if (bytes >= HEADER && bytes % 3) /* the header, two times of three */
        memcpy(data, "LSJRNL01", HEADER);
    for (size_t at = HEADER; at + RECORD <= bytes; at += RECORD) {
        if ((data[at + 70] ^ bytes) % 8 == 0)
            continue; /* and leave some records torn */
        const uint32_t length = 64, kind = 1 + data[at + 4] % JOURNAL_REWIND;
        memcpy(data + at, &length, sizeof length);
        memcpy(data + at + 4, &kind, sizeof kind);
        const uint64_t hash = hash64(data + at, RECORD - 8);
        memcpy(data + at + RECORD - 8, &hash, sizeof hash);
    }
    return bytes;
}
