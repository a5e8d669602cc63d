/* rules.h - what can be wrong with a run: one row of a table and one pure function each.
 *
 *      struct findings all;
 *      rules_apply(&all, &patient);      the severest first, equals in the table's order
 *
 * The table begins with what is the cause of other things - data, then the start, then
 * the model, then the schedule - so that the first finding is where to begin.  A finding
 * says what was seen, in numbers; its row says why that is a problem and where the
 * threshold is from.
 *
 * Thresholds are of three kinds: from the source that the row names; truths (a uniform
 * guess costs ln V); and, where these have no number, from runs made for the purpose
 * (tests/trials/doctor.sh tune), which are not those that judge.
 *
 * Functions of the patient alone; nothing here fails.
 */
#ifndef DOCTOR_RULES_H
#define DOCTOR_RULES_H

#include <stddef.h>

#include "conf/conf.h"
#include "doctor/course.h"
#include "doctor/signs.h"
#include "doctor/survey.h"

enum severity { SEVERITY_NONE, SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_SEVERE };

/* A model with an encoder asked whether it looks at the source: held-out loss with the
 * right sources, and with those of other pairs.  Nats a token. */
struct probe {
    double right, wrong;
    size_t pairs;
};

struct patient { /* borrowed */
    const struct course *course;
    const struct signs *signs;
    const struct conf *conf;     /* as in run.yaml, checked */
    const struct survey *survey; /* NULL: the data is not there */
    const struct probe *probe;   /* NULL: no checkpoint, or no encoder */
    double vocab;                /* NAN: not known */
};

enum { FINDING_TEXT = 512 };

struct finding {
    enum severity severity;
    const struct rule *rule;
    char seen[FINDING_TEXT];   /* numbers, steps, layers */
    char change[FINDING_TEXT]; /* option and value */
};

struct rule {
    const char *name, *title, *why, *source;
    /* Writes seen and change unless it returns SEVERITY_NONE. */
    enum severity (*check)(const struct patient *p, struct finding *f);
};

extern const struct rule rules[];
extern const size_t rules_n;

enum { FINDINGS_MAX = 32 }; /* at least rules_n */

struct findings {
    struct finding list[FINDINGS_MAX];
    size_t n;
};

void rules_apply(struct findings *all, const struct patient *p);

const char *severity_name(enum severity s); /* "severe", "warning", "note" */

#endif
