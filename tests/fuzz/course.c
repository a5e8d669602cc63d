/* log.jsonl, as the doctor reads it.  True of every file: steps ascend in each list; all
 * statistics are of one model; what is in memory is bounded by the file. */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "doctor/course.h"
#include "doctor/signs.h"

static void check(const struct course *c, size_t bytes)
{
    CHECK(c->steps + c->evaluations + c->examined + c->bad <= bytes);
    CHECK(c->tensors <= bytes && c->blocks <= bytes && (c->bad == 0 || c->first_bad > 0));
    for (size_t i = 1; i < c->steps; i++)
        CHECK(c->step[i - 1].step < c->step[i].step);
    for (size_t i = 1; i < c->evaluations; i++)
        CHECK(c->evaluation[i - 1].step < c->evaluation[i].step);
    for (size_t i = 0; i < c->examined; i++) {
        CHECK(i == 0 || c->statistics[i - 1].step < c->statistics[i].step);
        CHECK(c->statistics[i].tensor != NULL && c->tensors > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct course c;
    struct signs s;
    CHECK(course_read(&c, fuzz_file(data, bytes)) == ERR_OK);
    check(&c, bytes);
    signs_take(&s, &c);
    CHECK(s.spikes <= c.steps && s.not_finite <= c.steps);
    signs_fini(&s);
    course_fini(&c);
    return 0;
}
