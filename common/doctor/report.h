/* report.h - what was found, for people and for programs.
 *
 *      severe   overfitting: it learns the training data by heart
 *        seen    held-out loss 1.612 at step 1250, ...
 *        why     ...
 *        change  model.dropout=0.2, ...
 *        source  Prechelt 1998, ...
 *
 * JSON: an object with "run", "state", "findings" (severity, rule, title, seen, why,
 * change, source), and what the rules went by: "signs", "data", "probe", null where there
 * was none.  Its keys are those of signs.h, survey.h and rules.h.
 */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <stdio.h>

#include "doctor/rules.h"

struct report {              /* borrowed */
    const char *run, *state; /* directory; as in status.json, "" when there is none */
    const struct patient *patient;
    const struct findings *findings;
};

void report_text(const struct report *r, FILE *out);
void report_json(const struct report *r, FILE *out);

#endif
