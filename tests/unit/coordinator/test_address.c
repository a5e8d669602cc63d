/* Which of a host's addresses the coordinator takes. */
#include "support/test.h"

#include "base/err.h"
#include "coordinator/address.h"

static void interfaces_are_named_or_by_their_network(void **state)
{
    (void)state;
    static const struct {
        const char *list, *name;
        uint32_t address;
        bool included;
    } cases[] = {
        {"eth0", "eth0", 0x0A010203, true},
        {"eth0", "eth01", 0x0A010203, false},
        {"eth01", "eth0", 0x0A010203, false},
        {"ib0,eth0", "eth0", 0x0A010203, true},
        {"", "eth0", 0x0A010203, false},
        {",", "", 0x0A010203, false},
        {"10.1.0.0/16", "eth0", 0x0A010203, true},
        {"10.1.2.3/32", "eth0", 0x0A010203, true},
        {"10.1.2.4/32", "eth0", 0x0A010203, false},
        {"10.1.2.1/31", "eth0", 0x0A010203, false},
        {"10.2.0.0/16,10.1.2.0/24", "eth0", 0x0A010203, true},
        {"10.2.0.0/16", "eth0", 0x0A010203, false},
        {"10.1.0.0/0", "eth0", 0x0A010203, false},
        {"10.1.0.0/33", "eth0", 0x0A010203, false},
        {"10.1.0.0", "eth0", 0x0A010203, false},
        {"10.1.0/16", "eth0", 0x0A010203, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(address_included(cases[i].list, cases[i].name, cases[i].address),
                         cases[i].included);
}

static void loopback_is_enough_for_one_host_and_what_is_wanted_is_taken(void **state)
{
    (void)state;
    char address[CONTROL_ADDRESS];
    assert_int_equal(address_to_listen("auto", true, address), ERR_OK);
    assert_string_equal(address, "127.0.0.1");
    assert_int_equal(address_to_listen("node7:4000", false, address), ERR_OK);
    assert_string_equal(address, "node7:4000");
}

static void a_host_knows_its_own_addresses(void **state)
{
    (void)state;
    assert_true(address_is_here("127.0.0.1:4000"));
    assert_true(address_is_here("127.0.0.1"));
    assert_false(address_is_here("192.0.2.1:4000")); /* for documentation, RFC 5737 */
    assert_false(address_is_here("node7:4000"));
    assert_false(address_is_here(""));
}

RUN(T(interfaces_are_named_or_by_their_network),
    T(loopback_is_enough_for_one_host_and_what_is_wanted_is_taken),
    T(a_host_knows_its_own_addresses))
