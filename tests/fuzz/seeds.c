/* seeds.c - makes tests/fuzz/corpus/TARGET/NAME with the program's own packers:
 *
 *      cmake --build build/dev --target fuzz_seeds && build/dev/tests/fuzz/fuzz_seeds
 * tests/fuzz/corpus
 *
 * What is made is a function of the program; other files of the corpus stay: those were
 * written by hand, or were found. */
#include "unit/net/messages.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "checkpoint/journal.h"
#include "checkpoint/manifest.h"
#include "checkpoint/run_dir.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/state.h"
#include "coordinator/access.h"
#include "data/parallel.h"
#include "data/tokens.h"
#include "fuzz/fuzz.h"
#include "net/auth.h"
#include "net/codec.h"
#include "net/frame.h"

static const char *corpus;

static char *path_of(const char *target, const char *name)
{
    char *folder = file_join(corpus, target), *path = file_join(folder, name);
    CHECK(file_make_dirs(folder) == ERR_OK);
    file_remove_tree(path); /* some write new files only */
    mem_free(folder);
    return path;
}

static void put(const char *target, const char *name, const void *data, size_t bytes)
{
    char *path = path_of(target, name);
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(data, 1, bytes, f) == bytes && fclose(f) == 0);
    mem_free(path);
}

static void put_text(const char *target, const char *name, const char *text)
{
    put(target, name, text, strlen(text));
}

static void put_from_folder(const char *target, const char *name, const char *from)
{
    size_t bytes;
    char *data = fuzz_get(from, &bytes);
    put(target, name, data, bytes);
    free(data);
}

static void seed_messages(void)
{
    uint8_t stream[4096];
    size_t used = 0;
    for (size_t i = 0; i < EXAMPLES; i++) {
        size_t n;
        uint8_t *bytes = codec_pack(&examples[i], FRAME_HEADER, &n);
        put("control", message_name(examples[i].kind), bytes + FRAME_HEADER, n);
        frame_header(bytes, bytes + FRAME_HEADER, n);
        if (i < 3) {
            memcpy(stream + used, bytes, FRAME_HEADER + n);
            used += FRAME_HEADER + n;
        }
        mem_free(bytes);
    }
    put("frame", "three", stream, used);
    frame_header(stream, "", 0);
    put("frame", "empty", stream, FRAME_HEADER);
}

/* A lease of empty slices: two bytes each, and much more in memory. */
static void seed_empty_slices(void)
{
    enum { EMPTY = 800, HEAD = 3 };
    uint8_t bytes[HEAD + 2 * EMPTY] = {0x32, (2 * EMPTY & 0x7F) | 0x80, 2 * EMPTY >> 7};
    for (size_t i = 0; i < EMPTY; i++)
        bytes[HEAD + 2 * i] = 0x32;
    put("control", "empty-slices", bytes, sizeof bytes);
}

static void seed_auth(void)
{
    struct auth a;
    struct auth_message m;
    uint8_t token[AUTH_TOKEN] = {0}, change[] = {0, 0, 35, 1};
    static const char *const names[] = {"hello", "challenge", "proof", "accepted",
                                        "none"};
    for (uint8_t i = 0; i < 5; i++) {
        change[0] = i;
        change[2] = i == 3 ? 1 : 35; /* the last message is short */
        put("auth", names[i], change, sizeof change);
    }
    auth_call(&a, token, AUTH_LANE, 7, &m);
    memset(m.bytes + 16, 'n', AUTH_NONCE); /* not this process's chance */
    put("auth", "bare-hello", m.bytes, m.n);
}

static void seed_checkpoint(void)
{
    struct manifest m = {.n = MANIFEST_NEEDED};
    for (int i = 0; i < MANIFEST_FILES; i++) {
        m.file[i].name = manifest_names[i];
        m.file[i].bytes = (uint64_t)1000 * i;
        hash128_hex(&i, sizeof i, m.file[i].hash);
    }
    char *text = manifest_pack(&m);
    put_text("manifest", "five", text);
    mem_free(text);
    m.n = MANIFEST_FILES;
    text = manifest_pack(&m);
    put_text("manifest", "six", text);
    mem_free(text);

    float data[10] = {0.5f, -1, 2};
    const struct safetensor t[] = {{"embed.weight", 2, {2, 4}, data},
                                   {"b", 1, {2}, data + 8}};
    uint64_t bytes;
    char hash[33], *path = path_of("safetensors", "two");
    CHECK(safetensors_write(&disk_real, path, t, 2, NULL, &bytes, hash) == ERR_OK);
    mem_free(path);

    const struct checkpoint_state s = {.step = 1200,
                                       .term = 3,
                                       .fingerprint = UINT64_MAX - 5,
                                       .vocab = 65,
                                       .validation = {.step = 1200,
                                                      .mark = {{.last = 1.875,
                                                                .best = NAN,
                                                                .stale = 2}}},
                                       .guard = {{2, 1, {{2, 2.5}, {1, 0.1}}},
                                                 {1100, 2.25, 2, 0.1},
                                                 {1, {{500, 212, 0.5}}}},
                                       .version = "0.1.0"};
    text = state_pack(&s);
    put_text("state", "full", text);
    mem_free(text);
}

static void seed_run(void)
{
    const struct run_status s = {.state = "running",
                                 .step = 3,
                                 .steps = 10,
                                 .loss = 2.5,
                                 .held_out_loss = NAN,
                                 .workers = 2,
                                 .message = "ok",
                                 .pid = 77,
                                 .host = "node7"};
    CHECK(run_status_write(fuzz_folder(), &s) == ERR_OK);
    put_from_folder("status", "running", "status.json");

    struct journal *j;
    CHECK(journal_open(&disk_real, fuzz_folder(), NULL, NULL, &j) == ERR_OK);
    for (uint32_t kind = JOURNAL_START; kind <= JOURNAL_REWIND; kind++) {
        const struct journal_record r = {
            .kind = kind, .term = 1, .step = kind, .loss = 2.5};
        CHECK(journal_append(j, &r) == ERR_OK && journal_sync(j) == ERR_OK);
    }
    journal_close(j);
    put_from_folder("journal", "each-kind", "journal");
}

static void seed_access(void)
{
    static const uint8_t token[AUTH_TOKEN] = "0123456789abcdefghijklmnopqrstu";
    CHECK(access_write(fuzz_folder(), "127.0.0.1:4000", token) == ERR_OK);
    put_from_folder("access", "token", ACCESS_TOKEN);
    put_from_folder("access", "address", ACCESS_ADDRESS);
}

static void seed_tokens(void)
{
    static const uint32_t ids[] = {0, 1, 2, 64, 7, 7};
    for (uint32_t width = 2; width <= 4; width += 2) {
        const struct tokens_info info = {
            .width = width, .vocab = 65, .tokenizer = "0123456789abcdef0123456789abcdef"};
        struct tokens_writer *w;
        char *path = path_of("tokens", width == 2 ? "narrow" : "wide");
        CHECK(tokens_writer_open(path, &info, &w) == ERR_OK);
        CHECK(tokens_writer_add(w, ids, 6) == ERR_OK &&
              tokens_writer_seal(w, 1, 9) == ERR_OK);
        CHECK(tokens_writer_publish(w) == ERR_OK);
        mem_free(path);
    }
}

static void seed_pairs(void)
{
    static const uint32_t ids[] = {0, 1, 64, 7, 7, 3};
    for (uint32_t width = 2; width <= 4; width += 2) {
        const struct parallel_info info = {
            .width = width, .vocab = 65, .tokenizer = "0123456789abcdef0123456789abcdef"};
        struct parallel_writer *w;
        char *path = path_of("parallel", width == 2 ? "narrow" : "wide");
        CHECK(parallel_writer_open(path, &info, &w) == ERR_OK);
        for (uint32_t n = 1; n <= 3; n++)
            parallel_writer_add(w, ids, n, ids + 2, 4 - n);
        CHECK(parallel_writer_seal(w, 9) == ERR_OK);
        CHECK(parallel_writer_publish(w) == ERR_OK);
        mem_free(path);
    }
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    corpus = argv[1];
    seed_messages();
    seed_empty_slices();
    seed_auth();
    seed_checkpoint();
    seed_run();
    seed_access();
    seed_tokens();
    seed_pairs();
    return 0;
}
