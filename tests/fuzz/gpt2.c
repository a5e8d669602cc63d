/* GPT-2's vocabulary and merges.  The input is merges.txt; the vocabulary are the 256
 * bytes, what its merges give and <|endoftext|>.  An input with a zero byte is both
 * files: the vocabulary stands before it. */
#include "fuzz/speak.h"

#include <stdio.h>

#include "text/bytemap.h"

static void write_merged(FILE *out, const char *text)
{
    int id = 257;
    for (const char *line = text; *line;) {
        const size_t n = strcspn(line, "\r\n");
        const char *space = memchr(line, ' ', n);
        if (space && *line != '#')
            fprintf(out, ",\"%.*s%.*s\":%d", (int)(space - line), line,
                    (int)(line + n - space - 1), space + 1, id++);
        line += n + strspn(line + n, "\r\n");
    }
}

static char *compose(const char *text, size_t *bytes)
{
    char *file = NULL;
    FILE *out = open_memstream(&file, bytes);
    CHECK(out);
    fputs("{\"<|endoftext|>\":256", out);
    for (int byte = 0; byte < 256; byte++) {
        char code[UTF8_BYTES];
        const size_t n = utf8_encode(bytemap_code((unsigned char)byte), code);
        fprintf(out, ",\"%s%.*s\":%d", byte == '"' || byte == '\\' ? "\\" : "", (int)n,
                code, byte);
    }
    write_merged(out, text);
    fputs("}", out);
    CHECK(fclose(out) == 0);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tokenizer *t;
    char *text = fuzz_text(data, bytes);
    const size_t n = strlen(text);
    if (n < bytes) {
        fuzz_put("vocab.json", text, n);
        fuzz_put("merges.txt", text + n + 1, bytes - n - 1);
    } else {
        size_t k;
        char *vocab = compose(text, &k);
        fuzz_put("vocab.json", vocab, k);
        fuzz_put("merges.txt", text, bytes);
        free(vocab);
    }
    const int err = tokenizer_gpt2(fuzz_folder(), &t);
    CHECK(err == ERR_OK || err == ERR_DATA);
    if (!err) {
        check_speaks(t, text, bytes);
        check_writes(t, data, bytes);
        tokenizer_free(t);
    }
    free(text);
    return 0;
}
