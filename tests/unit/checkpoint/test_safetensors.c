#include "unit/checkpoint/scratch.h"

#include "base/log.h"

static int quiet(void **state)
{
    (void)state;
    log_silence(true);
    return 0;
}

/* A file with this header and @data bytes of data. */
static void make(const char *header, size_t data)
{
    char bytes[1024] = {0};
    const size_t n = strlen(header);
    assert_true(n + data + 8 <= sizeof bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(n >> (8 * i));
    memcpy(bytes + 8, header, n);
    overwrite("t.safetensors", bytes, 8 + n + data);
}

static void count(void *ctx, const struct safetensor *t)
{
    (void)t;
    ++*(int *)ctx;
}

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

static void files_that_break_the_rules_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what, *header;
        size_t data;
    } bad[] = {
        {"no object", "[1]", 0},
        {"not JSON", "{" A, 8},
        {"duplicate key", "{" A "," A "}", 8},
        {"overlap",
         "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8},
        {"gap",
         "{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16},
        {"data behind the last tensor", "{" A "}", 12},
        {"data missing", "{" A "}", 4},
        {"another size than its shape",
         "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8},
        {"end before begin",
         "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8},
        {"negative dimension",
         "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8},
        {"overflow of the shape",
         "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,2],\"data_offsets\":"
         "[0,8]}}",
         8},
        {"rank 5",
         "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,2],\"data_offsets\":[0,8]}}", 8},
        {"another type",
         "{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8},
        {"a key too many",
         "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8},
    };
    int n = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        make(bad[i].header, bad[i].data);
        if (safetensors_list("t.safetensors", count, &n) != ERR_DATA)
            fail_msg("accepted: %s", bad[i].what);
    }
    make("{" A ",\"__metadata__\":{\"x\":\"y\"}}   ", 8);
    assert_int_equal(safetensors_list("t.safetensors", count, &n), ERR_OK);
    assert_int_equal(n, 1);
}

static void a_header_longer_than_the_file_is_refused_before_memory_is_taken(void **state)
{
    (void)state;
    int n = 0;
    const char huge[] = "\xff\xff\xff\xff\xff\xff\xff\x7f{}        ";
    overwrite("t.safetensors", huge, sizeof huge - 1);
    assert_int_equal(safetensors_list("t.safetensors", count, &n), ERR_DATA);
    overwrite("t.safetensors", "\x02\0\0\0", 4);
    assert_int_equal(safetensors_list("t.safetensors", count, &n), ERR_DATA);
    overwrite("t.safetensors", "", 0);
    assert_int_equal(safetensors_list("t.safetensors", count, &n), ERR_DATA);
    assert_int_equal(safetensors_list("none.safetensors", count, &n), ERR_NO_FILE);
}

static void files_of_other_tools_are_read(void **state)
{
    (void)state;
    const char *path = TEST_SHARED "/data/tiny-gpt2/model.safetensors";
    if (!file_exists(path)) {
        print_message("no %s\n", path);
        skip();
    }
    int n = 0;
    assert_int_equal(safetensors_list(path, count, &n), ERR_OK);
    assert_true(n > 10);
    float embedding[21 * 2];
    struct safetensor t = {"wte.weight", 2, {21, 2}, embedding};
    assert_int_equal(safetensors_read(path, &t, 1),
                     ERR_DATA); /* it has more: said, not ignored */
    assert_true(isfinite(embedding[41]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(files_that_break_the_rules_are_refused),
        T(a_header_longer_than_the_file_is_refused_before_memory_is_taken),
        T(files_of_other_tools_are_read)};
    return cmocka_run_group_tests(tests, quiet, NULL);
}
