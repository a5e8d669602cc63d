/* tokenizer_json.c - reading tokenizer.json, the format of Hugging Face's tokenizers.
 *
 * Other programs may say much more in this file than we can do.  We read it when it says
 * exactly what we do, and refuse it otherwise rather than encode differently:
 *
 *   1. JSON of at most TOKENIZER_FILE_MAX bytes; no key twice in an object.
 *   2. model.type is BPE or WordLevel; model.vocab an object; V <= TOKENIZER_VOCAB_MAX.
 *   3. The ids of vocab and added_tokens are 0 to V - 1, each once; an added token may
 *      stand in vocab too, with the same id.
 *   4. No normalizer.
 *      A BPE with an end_of_word_suffix is our subword; other BPE are of bytes.
 *   5. Bytes: the pre_tokenizer is ByteLevel, with add_prefix_space false, and use_regex
 *      not false unless there are no merges.
 *   6. BPE: dropout is null, byte_fallback and ignore_merges are not true, the prefix of
 *      pieces is empty.
 *   7. Bytes: tokens are written as in bytemap.h; each of the 256 bytes is one; merges
 * are strings "left right" or pairs ["left", "right"], differ, and have parts and results
 * in the vocabulary that are not special.
 *   8. WordLevel (our char): the pre_tokenizer is Split, each token is one code point,
 *      and there are no added_tokens.
 *   9. Subword: the suffix is "</w>", unk_token is "<unk>", an added token; fuse_unk is
 * not true.  The pre_tokenizer splits at spaces and line ends, exactly as
 *      tokenizer_parts.h has it, the line feed being a word when "\n</w>" is a token.
 *      Other tokens are symbols (symbol.h).  Merges are as for bytes, of symbols; but
 * they need not be in the vocabulary, which other programs may refuse.
 *  10. No two tokens stand for the same bytes.
 *
 * Ignored: truncation, padding, post_processor, decoder, unk_token: encoding adds no
 * tokens here, and every byte has one.
 *
 * A BPE without merges whose 256 tokens are the bytes in order is our byte tokenizer.
 */
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/symbol.h"
#include "text/tokenizer_draft.h"

static int refuse(const char *path, const char *what)
{
    log_error("%s: %s; such a tokenizer.json is not supported, see `lockstep prepare "
              "--help` for the tokenizers that are",
              path, what);
    return ERR_DATA;
}

static bool says(const json_t *object, const char *key, const char *value)
{
    const char *said = json_string_value(json_object_get(object, key));
    return said && strcmp(said, value) == 0;
}

static bool empty(const json_t *value)
{
    return !value || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static int check_merging(const char *path, const json_t *model)
{
    if (!empty(json_object_get(model, "dropout")))
        return refuse(path, "the model uses dropout");
    if (json_is_true(json_object_get(model, "byte_fallback")))
        return refuse(path, "the model uses byte_fallback");
    if (json_is_true(json_object_get(model, "ignore_merges")))
        return refuse(path, "the model uses ignore_merges");
    if (!empty(json_object_get(model, "continuing_subword_prefix")))
        return refuse(path, "the model's pieces have a prefix");
    return ERR_OK;
}

static int check_bytes(const char *path, const json_t *root, const json_t *model)
{
    const json_t *pre = json_object_get(root, "pre_tokenizer");
    if (!says(pre, "type", "ByteLevel"))
        return refuse(path, "the pre_tokenizer is not ByteLevel");
    if (!json_is_false(json_object_get(pre, "add_prefix_space")))
        return refuse(path, "add_prefix_space is not false");
    if (json_is_false(json_object_get(pre, "use_regex")) &&
        json_array_size(json_object_get(model, "merges")) > 0)
        return refuse(path, "it merges without splitting the text into words");
    return check_merging(path, model);
}

static int check_subwords(const char *path, const json_t *root, const json_t *model)
{
    const bool lines = json_object_get(json_object_get(model, "vocab"), SYMBOL_LINE);
    json_t *split = json_loads(lines ? SPLIT_LINES : SPLIT_SPACES, 0, NULL);
    const bool same = json_equal(json_object_get(root, "pre_tokenizer"), split);
    json_decref(split);
    if (!same)
        return refuse(path, "the pre_tokenizer of this model with </w> does not split at "
                            "spaces and line ends as ours");
    if (!says(model, "end_of_word_suffix", SYMBOL_END))
        return refuse(path, "the end_of_word_suffix is not " SYMBOL_END);
    if (!says(model, "unk_token", UNKNOWN))
        return refuse(path, "the unk_token is not " UNKNOWN);
    if (json_is_true(json_object_get(model, "fuse_unk")))
        return refuse(path, "the model uses fuse_unk");
    return check_merging(path, model);
}

static int read_specials(struct draft *d, json_t *added)
{
    size_t i;
    json_t *token;
    json_array_foreach(added, i, token)
    {
        const json_t *content = json_object_get(token, "content");
        if (!json_is_string(content)) {
            log_error("%s: added token %zu has no content", d->path, i + 1);
            return ERR_DATA;
        }
        TRY(draft_special(d, json_string_value(content), json_string_length(content),
                          json_object_get(token, "id")));
    }
    return ERR_OK;
}

/* Takes a merge, as one text: "left right". */
typedef int add_merge(void *ctx, size_t number, const char *text, size_t n);

static int add_pair(add_merge *add, void *ctx, size_t number, const json_t *left,
                    const json_t *right)
{
    const size_t n = json_string_length(left), m = json_string_length(right);
    char *text = mem_alloc(n + 1 + m);
    memcpy(text, json_string_value(left), n);
    text[n] = ' ';
    memcpy(text + n + 1, json_string_value(right), m);
    const int err = add(ctx, number, text, n + 1 + m);
    mem_free(text);
    return err;
}

static int read_merges(const char *path, json_t *model, add_merge *add, void *ctx)
{
    size_t i;
    json_t *merge, *merges = json_object_get(model, "merges");
    if (!json_is_array(merges))
        return refuse(path, "the model has no list of merges");
    json_array_foreach(merges, i, merge)
    {
        const json_t *left = json_array_get(merge, 0), *right = json_array_get(merge, 1);
        if (json_is_string(merge))
            TRY(add(ctx, i + 1, json_string_value(merge), json_string_length(merge)));
        else if (json_array_size(merge) == 2 && json_is_string(left) &&
                 json_is_string(right))
            TRY(add_pair(add, ctx, i + 1, left, right));
        else {
            log_error("%s: merge %zu is neither a string nor a pair of strings", path,
                      i + 1);
            return ERR_DATA;
        }
    }
    return ERR_OK;
}

static int add_byte_merge(void *ctx, size_t number, const char *text, size_t n)
{
    return draft_merge(ctx, number, text, n);
}

static bool is_byte(const struct draft *d)
{
    bool is = d->vocab == 256 && d->merges_n == 0;
    for (size_t i = 0; i < d->vocab && is; i++)
        is = d->by_id[i].n == 1 && (unsigned char)d->by_id[i].bytes[0] == i &&
             !d->by_id[i].special;
    return is;
}

static int read_vocab(struct draft *d, json_t *root, json_t *model, bool mapped)
{
    TRY(read_specials(d, json_object_get(root, "added_tokens")));
    TRY(draft_vocab(d, json_object_get(model, "vocab"), mapped));
    return draft_pieces(d);
}

static int read_bytes(struct draft *d, json_t *root, json_t *model, struct tokenizer **t)
{
    TRY(check_bytes(d->path, root, model));
    TRY(read_vocab(d, root, model, true));
    TRY(read_merges(d->path, model, add_byte_merge, d));
    if (!is_byte(d))
        return draft_take_bpe(d, t);
    *t = tokenizer_byte();
    return ERR_OK;
}

struct subword_draft {
    struct draft *d;
    struct subword_merges merges;
};

static int add_subword_merge(void *ctx, size_t number, const char *text, size_t n)
{
    struct subword_draft *s = ctx;
    TRY(subword_merges_add(&s->merges, s->d->path, number, text, n));
    if (s->merges.n == number)
        return ERR_OK;
    log_error("%s: merge %zu was there before; merges must differ", s->d->path, number);
    return ERR_DATA;
}

static int read_subwords(struct draft *d, json_t *root, json_t *model,
                         struct tokenizer **t)
{
    TRY(check_subwords(d->path, root, model));
    TRY(read_vocab(d, root, model, false));
    struct subword_draft s = {.d = d};
    subword_merges_init(&s.merges);
    int err = read_merges(d->path, model, add_subword_merge, &s);
    if (!err)
        err = tokenizer_from_subwords(&s.merges, d->pieces, draft_special_flags(d),
                                      d->path, t);
    subword_merges_fini(&s.merges);
    return err;
}

static int read_chars(struct draft *d, json_t *root, json_t *model, struct tokenizer **t)
{
    if (!says(json_object_get(root, "pre_tokenizer"), "type", "Split"))
        return refuse(d->path, "the pre_tokenizer of this WordLevel model is not Split");
    if (json_array_size(json_object_get(root, "added_tokens")) > 0)
        return refuse(d->path, "this WordLevel model has added tokens");
    TRY(draft_vocab(d, json_object_get(model, "vocab"), false));
    TRY(draft_pieces(d));
    struct intern *pieces = d->pieces;
    d->pieces = NULL;
    return tokenizer_from_chars(pieces, d->path, t);
}

/* V: the tokens of the vocabulary and those added tokens that are not among them. */
static size_t count_tokens(json_t *root, json_t *vocab)
{
    size_t i, n = json_object_size(vocab);
    json_t *token;
    json_array_foreach(json_object_get(root, "added_tokens"), i, token)
    {
        const char *content = json_string_value(json_object_get(token, "content"));
        n += content && !json_object_get(vocab, content);
    }
    return n;
}

static int read_root(const char *path, json_t *root, struct tokenizer **t)
{
    json_t *model = json_object_get(root, "model");
    json_t *vocab = json_object_get(model, "vocab");
    if (!json_is_object(vocab))
        return refuse(path, "there is no model with a vocabulary");
    if (!empty(json_object_get(root, "normalizer")))
        return refuse(path, "it has a normalizer");
    const bool bpe = says(model, "type", "BPE"),
               subword = !empty(json_object_get(model, "end_of_word_suffix"));
    if (!bpe && !says(model, "type", "WordLevel"))
        return refuse(path, "the model is neither BPE nor WordLevel");

    struct draft d;
    int err = draft_init(&d, count_tokens(root, vocab), path);
    if (!err)
        err = (!bpe      ? read_chars
               : subword ? read_subwords
                         : read_bytes)(&d, root, model, t);
    draft_fini(&d);
    return err;
}

int tokenizer_load(const char *path, struct tokenizer **t)
{
    char *text;
    size_t bytes;
    TRY(file_read(path, TOKENIZER_FILE_MAX, &text, &bytes));
    json_error_t e;
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &e);
    mem_free(text);
    if (!root) {
        log_error("%s:%d: %s; expected a tokenizer.json", path, e.line, e.text);
        return ERR_DATA;
    }
    const int err = read_root(path, root, t);
    json_decref(root);
    return err;
}
