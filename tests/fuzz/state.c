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
    CHECK(s.step == again.step && s.term == again.term && s.best_step == again.best_step);
    CHECK(s.fingerprint == again.fingerprint && s.vocab == again.vocab);
    check_same_number(s.held_out_loss, again.held_out_loss);
    check_same_number(s.best_held_out_loss, again.best_held_out_loss);
    CHECK(strcmp(s.version, again.version) == 0);
    mem_free(text);
    return 0;
}
