/* tokenizer_write.c - writing tokenizer.json; tokenizer_json.c says what it may hold.
 * One token, one merge per line, so that two vocabularies can be compared with diff. */
#include <stdio.h>
#include <stdlib.h>

#include "text/bytemap.h"
#include "text/symbol.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

static void write_quoted(FILE *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
}

/* The space behind a word is </w> here. */
static void write_subword(FILE *out, const char *piece, size_t n)
{
    const bool line = n == 1 && *piece == '\n', last = piece[n - 1] == ' ';
    write_quoted(out, piece, last ? n - 1 : n);
    fputs(line || last ? SYMBOL_END : "", out);
}

/* A token without its quotes: special ones and characters as they are, bytes mapped. */
static void write_piece(FILE *out, const struct tokenizer *t, uint32_t id)
{
    size_t n;
    const char *piece = intern_get(t->pieces, id, &n);
    if (t->kind == TOKENIZER_CHAR || (t->special && t->special[id])) {
        write_quoted(out, piece, n);
        return;
    }
    if (t->kind == TOKENIZER_SUBWORD) {
        write_subword(out, piece, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char code[UTF8_BYTES];
        write_quoted(out, code, utf8_encode(bytemap_code((unsigned char)piece[i]), code));
    }
}

static void write_specials(FILE *out, const struct tokenizer *t)
{
    const char *comma = "";
    fputs("  \"added_tokens\": [", out);
    for (uint32_t id = 0; t->special && id < intern_count(t->pieces); id++)
        if (t->special[id]) {
            fprintf(out, "%s\n    {\"id\": %u, \"content\": \"", comma, id);
            write_piece(out, t, id);
            fputs("\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
                  "\"normalized\": false, \"special\": true}",
                  out);
            comma = ",";
        }
    fputs("],\n", out);
}

static void write_vocab(FILE *out, const struct tokenizer *t)
{
    fputs("    \"vocab\": {", out);
    for (uint32_t id = 0; id < intern_count(t->pieces); id++) {
        fputs(id ? ",\n      \"" : "\n      \"", out);
        write_piece(out, t, id);
        fprintf(out, "\": %u", id);
    }
    fputs("}", out);
}

/* Parts of merges are tokens; those of subwords need not be. */
static void write_part(FILE *out, const struct tokenizer *t, uint32_t part)
{
    size_t n;
    const char *symbol = t->symbols ? intern_get(t->symbols, part, &n) : NULL;
    if (symbol)
        write_quoted(out, symbol, n);
    else
        write_piece(out, t, part);
}

static void write_merges(FILE *out, const struct tokenizer *t)
{
    fputs(",\n    \"merges\": [", out);
    const size_t n = t->bpe       ? bpe_merges(t->bpe)
                     : t->subword ? subword_merges(t->subword)
                                  : 0;
    for (size_t rank = 0; rank < n; rank++) {
        const struct pair pair =
            t->bpe ? bpe_pair(t->bpe, rank) : subword_pair(t->subword, rank);
        fputs(rank ? ",\n      \"" : "\n      \"", out);
        write_part(out, t, pair.left);
        fputs(" ", out);
        write_part(out, t, pair.right);
        fputs("\"", out);
    }
    fputs("]", out);
}

static void write_chars(FILE *out, const struct tokenizer *t)
{
    fputs("  \"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": "
          "\"[\\\\s\\\\S]\"}, \"behavior\": \"Isolated\", \"invert\": false},\n"
          "  \"post_processor\": null,\n"
          "  \"decoder\": {\"type\": \"Fuse\"},\n"
          "  \"model\": {\n"
          "    \"type\": \"WordLevel\",\n    \"unk_token\": \"<unk>\",\n",
          out);
    write_vocab(out, t);
}

static void write_bpe(FILE *out, const struct tokenizer *t, const char *unknown,
                      const char *suffix)
{
    fprintf(out,
            "  \"model\": {\n"
            "    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": %s,\n"
            "    \"continuing_subword_prefix\": \"\",\n    \"end_of_word_suffix\": "
            "\"%s\",\n"
            "    \"fuse_unk\": false,\n    \"byte_fallback\": false,\n"
            "    \"ignore_merges\": false,\n",
            unknown, suffix);
    write_vocab(out, t);
    write_merges(out, t);
}

static void write_bytes(FILE *out, const struct tokenizer *t)
{
    static const char level[] = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
                                "\"trim_offsets\": true, \"use_regex\": ";
    const char *regex = t->kind == TOKENIZER_BPE ? "true}" : "false}";
    fprintf(out, "  \"pre_tokenizer\": %s%s,\n  \"post_processor\": %s%s,\n", level,
            regex, level, regex);
    fprintf(out, "  \"decoder\": %s%s,\n", level, regex);
    write_bpe(out, t, "null", "");
}

static void write_subwords(FILE *out, const struct tokenizer *t)
{
    const bool lines = intern_find(t->pieces, "\n", 1) != INTERN_NONE;
    fprintf(out, "  \"pre_tokenizer\": %s,\n  \"post_processor\": null,\n",
            lines ? SPLIT_LINES : SPLIT_SPACES);
    fputs("  \"decoder\": {\"type\": \"BPEDecoder\", \"suffix\": \"" SYMBOL_END "\"},\n",
          out);
    write_bpe(out, t, "\"" UNKNOWN "\"", SYMBOL_END);
}

char *tokenizer_write(const struct tokenizer *t, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    if (!out)
        abort(); /* out of memory */
    fputs("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n",
          out);
    write_specials(out, t);
    fputs("  \"normalizer\": null,\n", out);
    switch (t->kind) {
    case TOKENIZER_CHAR:
        write_chars(out, t);
        break;
    case TOKENIZER_SUBWORD:
        write_subwords(out, t);
        break;
    case TOKENIZER_BYTE:
    case TOKENIZER_BPE:
        write_bytes(out, t);
        break;
    }
    fputs("\n  }\n}\n", out);
    if (ferror(out) || fclose(out) != 0)
        abort(); /* out of memory */
    return text;
}
