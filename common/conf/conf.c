#include "conf/conf.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "conf/plain.h"
#include "conf/set.h"

void conf_init(struct conf *c)
{
    const struct set_origin origin = {RANK_DEFAULT, "options.def", "default"};
    memset(c, 0, sizeof *c);
    OPTION_FOR_EACH(o)
    {
        const int err = set_option(c, o, o->initial, &origin);
        assert(err == ERR_OK);
        (void)err;
    }
}

/* group.name=value */
int conf_load_word(struct conf *c, const char *word)
{
    const struct set_origin origin = {RANK_WORD, "command line", "command line"};
    const char *equals = strchr(word, '=');
    char shown[PLAIN_SHOWN];
    if (!equals) {
        log_error("command line: expected group.name=value, not '%s'",
                  plain_shown(shown, word));
        return ERR_INVALID;
    }
    char key[PLAIN_SHOWN]; /* one that is cut is longer than every option's: unknown */
    const size_t n = (size_t)(equals - word);
    snprintf(key, sizeof key, "%.*s", (int)(n < sizeof key ? n : sizeof key), word);
    return set_key(c, key, equals + 1, &origin);
}

/* Steps with the data of @full whole ones. */
static double steps_of(struct conf_scale scale, double full)
{
    return round(ramp_steps(scale.ramp, scale.slices, full));
}

static double in_steps(struct conf_steps s, struct conf_scale scale)
{
    switch (s.unit) {
    case CONF_STEPS:
        return s.count;
    case CONF_EPOCHS:
        assert(scale.steps_per_epoch > 0);
        return steps_of(scale, s.count * scale.steps_per_epoch);
    case CONF_TOKENS:
        assert(scale.tokens_per_step > 0);
        return steps_of(scale, s.count / scale.tokens_per_step);
    }
    assert(!"a length of no unit");
    return 0;
}

uint64_t conf_steps_count(struct conf_steps s, struct conf_scale scale)
{
    static const double most = 0x1p62; /* more steps than anybody makes */
    const double steps = in_steps(s, scale);
    if (s.count > 0 && steps < 1)
        return 1;
    return (uint64_t)(steps < most ? steps : most);
}
