/* A file of subword-nmt's codes, applied to itself: the file is also the text from which
 * the vocabulary comes, as far as it is text. */
#include "fuzz/speak.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tokenizer *t;
    char *text = fuzz_text(data, bytes);
    const struct span span = {text, strlen(text) / 2};
    const struct tokenizer_subwords how = {.codes = fuzz_file(text, bytes)};
    const int cut = utf8_check(span.text, span.bytes, NULL);
    const int err = cut ? ERR_DATA : tokenizer_subwords(&span, 1, &how, &t);
    CHECK(err == ERR_OK || err == ERR_DATA);
    if (!err) {
        check_speaks(t, text, strlen(text));
        check_speaks(t, "the the\n\nthe<|endoftext|><unk> </w> \xC3\xA4 12x", 37);
        check_writes(t, data, bytes);
        tokenizer_free(t);
    }
    free(text);
    return 0;
}
