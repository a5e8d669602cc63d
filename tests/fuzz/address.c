/* HOST:PORT; lists of interfaces and networks; --tokenizer.  True of every address that
 * is accepted: with its host in brackets it reads the same. */
#include "fuzz/fuzz.h"

#include <stdio.h>

#include "base/err.h"
#include "coordinator/address.h"
#include "net/address.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"

static void check_address(const char *text)
{
    struct address a, again;
    const int err = address_parse(text, &a);
    CHECK(err == ERR_OK || err == ERR_INVALID);
    if (err)
        return;
    char written[ADDRESS_HOST + 16];
    const int n = *a.host ? snprintf(written, sizeof written, "[%s]:%u", a.host, a.port)
                          : snprintf(written, sizeof written, ":%u", a.port);
    CHECK(n < (int)sizeof written && address_parse(written, &again) == ERR_OK);
    CHECK(strcmp(a.host, again.host) == 0 && a.port == again.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tokenizer_spec spec;
    char *text = fuzz_text(data, bytes);
    check_address(text);
    address_included(text, "eth0", 0x0A010203);
    const int err = tokenizer_spec_parse(text, &spec);
    CHECK(err == ERR_OK || err == ERR_INVALID || err == ERR_RANGE);
    if (!err && spec.kind == SPEC_BPE)
        CHECK(spec.vocab > 256 && spec.vocab <= TOKENIZER_VOCAB_MAX);
    if (!err && spec.kind == SPEC_SUBWORD)
        CHECK((spec.codes != NULL) == (spec.merges == 0) &&
              spec.merges <= TOKENIZER_VOCAB_MAX);
    free(text);
    return 0;
}
