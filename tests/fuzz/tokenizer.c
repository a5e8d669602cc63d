/* tokenizer.json.  An input that begins with '{' is the file.  Any other is lines of what
 * is added to one of the 256 bytes, so that mutations are of what follows the door:
 *
 *      LEFT RIGHT      a merge, and its result as a token
 *      @CONTENT        an added token */
#include "fuzz/speak.h"

#include <stdio.h>

#include "text/bytemap.h"

static void write_bytes(FILE *out)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[UTF8_BYTES];
        const size_t n = utf8_encode(bytemap_code((unsigned char)byte), text);
        fprintf(out, "%s\"%s%.*s\":%d", byte ? "," : "",
                byte == '"' || byte == '\\' ? "\\" : "", (int)n, text, byte);
    }
}

/* The three parts of a line; of a merge the two sides. */
struct line {
    const char *left, *right;
    int left_n, right_n;
    size_t length; /* with its end */
};

static struct line line_at(const char *text)
{
    struct line l = {.left = text, .length = strcspn(text, "\n")};
    l.left_n = (int)strcspn(text, " \n");
    l.right = text + l.left_n + (text[l.left_n] == ' ');
    l.right_n = (int)(l.length - (size_t)(l.right - text));
    l.length += text[l.length] == '\n';
    return l;
}

static void write_added(FILE *out, const char *text, int id)
{
    const char *between = "";
    for (struct line l; *text; text += l.length, id++) {
        l = line_at(text);
        if (*text == '@') {
            fprintf(out, "%s{\"id\":%d,\"content\":\"%.*s\"}", between, id, l.left_n - 1,
                    l.left + 1);
            between = ",";
        }
    }
}

static void write_lines(FILE *out, const char *text, int id, int merges)
{
    const char *between = merges ? "" : ",";
    for (struct line l; *text; text += l.length, id++) {
        l = line_at(text);
        if (*text == '@')
            continue;
        fprintf(out, merges ? "%s\"%.*s %.*s\"" : "%s\"%.*s%.*s\":%d", between, l.left_n,
                l.left, l.right_n, l.right, id);
        between = ",";
    }
}

static char *compose(const char *text, size_t *bytes)
{
    char *file = NULL;
    FILE *out = open_memstream(&file, bytes);
    CHECK(out);
    fputs("{\"added_tokens\":[", out);
    write_added(out, text, 256);
    fputs("],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
          "\"model\":{\"type\":\"BPE\",\"vocab\":{",
          out);
    write_bytes(out);
    write_lines(out, text, 256, 0);
    fputs("},\"merges\":[", out);
    write_lines(out, text, 256, 1);
    fputs("]}}", out);
    CHECK(fclose(out) == 0);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tokenizer *t;
    char *text = fuzz_text(data, bytes);
    size_t n = bytes;
    char *composed = *text == '{' ? NULL : compose(text, &n);
    const int err = tokenizer_load(fuzz_file(composed ? composed : text, n), &t);
    CHECK(err == ERR_OK || err == ERR_DATA);
    if (!err) {
        check_speaks(t, text, bytes);
        check_speaks(t, "the the\n\nthe<|endoftext|>'ll\n 12x", 33);
        check_writes(t, data, bytes);
        tokenizer_free(t);
    }
    free(composed);
    free(text);
    return 0;
}
