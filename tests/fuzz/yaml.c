/* A configuration file.  True of every text: one that is refused changes nothing; one
 * that is accepted dumps to a text that loads to the same configuration, the same
 * fingerprint, and the same verdict of conf_check(). */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "conf/conf.h"

static struct conf initial; /* as conf_init() leaves it */

static char *dump(const struct conf *c, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    CHECK(out);
    conf_dump(c, out);
    CHECK(fclose(out) == 0);
    return text;
}

static void check_again(struct conf *c)
{
    struct conf again;
    size_t n, k;
    char *text = dump(c, &n);
    memcpy(&again, &initial, sizeof again);
    CHECK(conf_load_text(&again, text, n, "dump") == ERR_OK);
    char *twice = dump(&again, &k);
    CHECK(n == k && memcmp(text, twice, n) == 0);
    const int err = conf_check(c);
    CHECK(err == ERR_OK || err == ERR_CONFIG);
    CHECK(conf_check(&again) == err);
    if (!err) {
        CHECK(conf_fingerprint(c) == conf_fingerprint(&again));
        conf_advise(c);
    }
    free(text);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct conf c;
    if (!*initial.source[0])
        conf_init(&initial);
    memcpy(&c, &initial, sizeof c);
    const int err = conf_load_text(&c, (const char *)data, bytes, "fuzz.yaml");
    CHECK(err == ERR_OK || err == ERR_INVALID || err == ERR_RANGE || err == ERR_UNKNOWN);
    if (err)
        CHECK(memcmp(&initial, &c, sizeof c) == 0);
    else
        check_again(&c);
    return 0;
}
