/* status.json of a run.  True of every text: what is accepted can be written and reads
 * the same, but for a text that ended in the middle of a character. */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "checkpoint/run_dir.h"

static void check_text(const char *before, const char *after)
{
    const size_t n = strlen(before), k = strlen(after);
    CHECK(k <= n && n - k < 4 && memcmp(before, after, k) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct run_status s, again;
    fuzz_put("status.json", data, bytes);
    const int err = run_status_read(fuzz_folder(), &s);
    CHECK(err == ERR_OK || err == ERR_DATA || err == ERR_TOO_BIG);
    if (err)
        return 0;
    CHECK(memchr(s.state, '\0', sizeof s.state) && memchr(s.host, '\0', sizeof s.host));
    CHECK(memchr(s.message, '\0', sizeof s.message));
    CHECK(run_status_write(fuzz_folder(), &s) == ERR_OK);
    CHECK(run_status_read(fuzz_folder(), &again) == ERR_OK);
    CHECK(s.step == again.step && s.workers == again.workers && s.pid == again.pid);
    CHECK(s.exit_code == again.exit_code);
    check_text(s.message, again.message);
    check_text(s.host, again.host);
    CHECK(strlen(again.state) == 0 || strcmp(s.state, again.state) == 0);
    return 0;
}
