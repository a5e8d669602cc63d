/* The files by which a worker finds a run: written for one pair of eyes, read with care. */
#include "support/test.h"

#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/access.h"

static const uint8_t token[AUTH_TOKEN] = {0xDE, 0xAD, [31] = 0xEF};

static int fresh(void **state)
{
    (void)state;
    log_silence(true);
    file_remove_tree("run");
    return file_make_dirs("run") || access_write("run", "node7:41873", token);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    uint8_t got[AUTH_TOKEN];
    char address[CONTROL_ADDRESS];
    struct stat st;
    assert_int_equal(access_read_token("run/token", got), ERR_OK);
    assert_memory_equal(got, token, AUTH_TOKEN);
    assert_int_equal(access_read_address("run", address), ERR_OK);
    assert_string_equal(address, "node7:41873");
    assert_int_equal(stat("run/token", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    access_remove("run");
    assert_int_equal(access_read_token("run/token", got), ERR_NO_FILE);
    assert_int_equal(access_read_address("run", address), ERR_NO_FILE);
}

static void a_token_that_others_may_read_is_refused(void **state)
{
    (void)state;
    uint8_t got[AUTH_TOKEN];
    for (mode_t bit = 1; bit < 0100; bit <<= 1) {
        chmod("run/token", 0600 | bit);
        assert_int_equal(access_read_token("run/token", got), ERR_REFUSED);
    }
}

static int read_as(const char *data, size_t n)
{
    uint8_t got[AUTH_TOKEN];
    file_replace("run/other", data, n);
    chmod("run/other", 0600);
    return access_read_token("run/other", got);
}

static void every_truncation_and_every_flipped_byte_is_found(void **state)
{
    (void)state;
    char *data;
    size_t n, flips = 0;
    assert_int_equal(file_read("run/token", 1000, &data, &n), ERR_OK);
    assert_int_equal(read_as(data, n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(read_as(data, i), ERR_DATA);
    for (size_t i = 0; i < n; i++)
        for (int x = 1; x < 256; x++, flips++) {
            data[i] = (char)(data[i] ^ x);
            assert_int_equal(read_as(data, n), ERR_DATA);
            data[i] = (char)(data[i] ^ x);
        }
    print_message("%zu truncations and %zu changed bytes found\n", n, flips);
    mem_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_written_is_read, fresh),
        cmocka_unit_test_setup(a_token_that_others_may_read_is_refused, fresh),
        cmocka_unit_test_setup(every_truncation_and_every_flipped_byte_is_found, fresh)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
