#include "doctor/survey.h"

void survey_take(struct survey *s, const struct dataset *d)
{
    if (d->train_pairs)
        survey_pairs(s, d->train_pairs, d->held_out_pairs);
    else
        survey_text(s, d->train, d->held_out);
}
