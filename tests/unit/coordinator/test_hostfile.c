/* Files of hosts: what is understood, what is refused, who is left. */
#include "support/test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/hostfile.h"

static void lines_are_names_slots_and_comments(void **state)
{
    (void)state;
    struct hosts h;
    assert_int_equal(hostfile_parse("# rack 2\n"
                                    "\n"
                                    "node07\n"
                                    "  node08\tslots=2 # half each\r\n"
                                    "10.0.0.9 slots=4 max_slots=3\n"
                                    "rack-3.node_1 max-slots=5 slots=4\n"
                                    "node07 slots=6#again",
                                    "f", &h),
                     ERR_OK);
    static const struct {
        const char *name;
        unsigned slots;
    } expected[] = {{"node07", 7}, {"node08", 2}, {"10.0.0.9", 3}, {"rack-3.node_1", 4}};
    assert_int_equal(h.n, 4);
    for (size_t i = 0; i < h.n; i++) {
        assert_string_equal(h.list[i].name, expected[i].name);
        assert_int_equal(h.list[i].slots, expected[i].slots);
        assert_false(h.list[i].silent);
    }
    hosts_fini(&h);
}

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "# nobody\n\n",
        "-oProxyCommand=x\n",
        "a b\n",
        "a slots\n",
        "a slots=\n",
        "a slots=0\n",
        "a slots=-1\n",
        "a slots= 2\n",
        "a slots=2x\n",
        "a slots=4096\n",
        "a slots=99999999999999999999\n",
        "a max_slots=0\n",
        "a slot=2\n",
        "user@a\n",
        "a,b\n",
        "a:2\n",
        "a;reboot\n",
        "slots=2\n",
    };
    log_silence(true);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct hosts h = {0};
        assert_int_equal(hostfile_parse(texts[i], "f", &h), ERR_CONFIG);
        assert_int_equal(h.n, 0);
    }
    struct hosts h;
    assert_int_equal(hostfile_read("no-such-file", &h), ERR_NO_FILE);
    assert_int_equal(file_replace("zero", "a\n\0b\n", 5), ERR_OK);
    assert_int_equal(hostfile_read("zero", &h), ERR_CONFIG); /* b would be passed over */
    log_silence(false);
}

static void a_word_too_long_is_no_other_word(void **state)
{
    (void)state;
    char text[1000];
    struct hosts h = {0};
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    log_silence(true);
    assert_int_equal(hostfile_parse(text, "f", &h), ERR_CONFIG);
    memcpy(text, "a slots=0", 9);
    memset(text + 9, '0', 500);
    strcpy(text + 509, "2");
    assert_int_equal(hostfile_parse(text, "f", &h), ERR_CONFIG);
    log_silence(false);
}

static void who_is_silent_is_left_out_and_the_first_left_has_the_coordinator(void **state)
{
    (void)state;
    struct hosts h;
    assert_int_equal(hostfile_parse("a slots=2\nb\nc slots=3", "f", &h), ERR_OK);
    char *all = hosts_argument(&h);
    assert_string_equal(all, "a:3,b:1,c:3");
    mem_free(all);
    h.list[0].silent = true;
    char *left = hosts_argument(&h);
    assert_string_equal(left, "b:2,c:3");
    mem_free(left);
    assert_int_equal(hosts_slots(&h), 6);
    assert_int_equal(hosts_slots_left(&h), 4);
    hosts_fini(&h);
}

static void fewer_hosts_have_fewer_workers_but_never_none(void **state)
{
    (void)state;
    static const struct {
        unsigned wanted;
        bool silent[3];
        unsigned workers;
    } cases[] = {
        {6, {false, false, false}, 6},
        {6, {true, false, false}, 4},
        {3, {false, false, true}, 1},
        {12, {true, false, false}, 8}, /* two to a slot stay two to a slot */
        {1, {false, true, true}, 1},
        {1, {true, false, true}, 1},
        {6, {true, true, true}, 0},
    };
    struct hosts h;
    assert_int_equal(hostfile_parse("a slots=2\nb\nc slots=3", "f", &h), ERR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < 3; k++)
            h.list[k].silent = cases[i].silent[k];
        assert_int_equal(hosts_workers(&h, cases[i].wanted), cases[i].workers);
    }
    hosts_fini(&h);
}

RUN(T(lines_are_names_slots_and_comments), T(what_is_not_understood_is_refused),
    T(a_word_too_long_is_no_other_word),
    T(who_is_silent_is_left_out_and_the_first_left_has_the_coordinator),
    T(fewer_hosts_have_fewer_workers_but_never_none))
