/* state.json of a checkpoint.  True of every text: what is accepted can be written, and
 * reads the same. */
#include "fuzz/fuzz.h"

#include <math.h>

#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/state.h"

static void check_same_number(double a, double b)
{
    CHECK(a == b || (isnan(a) && isnan(b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct checkpoint_state s, again;
    const int err = state_unpack("state.json", (const char *)data, bytes, &s);
    CHECK(err == ERR_OK || err == ERR_DATA);
    if (err)
        return 0;
    CHECK(s.vocab > 0 && memchr(s.version, '\0', sizeof s.version));
    char *text = state_pack(&s);
    CHECK(state_unpack("state.json", text, strlen(text), &again) == ERR_OK);
    CHECK(s.step == again.step && s.term == again.term);
    CHECK(s.fingerprint == again.fingerprint && s.vocab == again.vocab);
    CHECK(s.validation.step == again.validation.step);
    for (int m = 0; m < VALIDATION_METRICS; m++) {
        const struct validation_mark *a = &s.validation.mark[m],
                                     *b = &again.validation.mark[m];
        check_same_number(a->last, b->last);
        check_same_number(a->best, b->best);
        CHECK(a->best_step == b->best_step && a->stale == b->stale);
    }
    CHECK(memcmp(&s.guard.spikes, &again.guard.spikes, sizeof s.guard.spikes) == 0);
    CHECK(memcmp(&s.guard.trend, &again.guard.trend, sizeof s.guard.trend) == 0);
    CHECK(s.guard.turns.n == again.guard.turns.n);
    CHECK(memcmp(s.guard.turns.list, again.guard.turns.list,
                 s.guard.turns.n * sizeof s.guard.turns.list[0]) == 0);
    CHECK(strcmp(s.version, again.version) == 0);
    mem_free(text);
    return 0;
}
