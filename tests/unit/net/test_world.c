#include "support/test.h"

#include "base/err.h"
#include "net/world.h"

static const char *const names[] = {"OMPI_COMM_WORLD_RANK",
                                    "OMPI_COMM_WORLD_SIZE",
                                    "OMPI_COMM_WORLD_LOCAL_SIZE",
                                    "PMIX_RANK",
                                    "PMI_RANK",
                                    "PMI_SIZE",
                                    "SLURM_STEP_NUM_TASKS"};

static void the_launcher_is_known_by_its_environment(void **state)
{
    (void)state;
    static const struct {
        const char *value[7]; /* of names[]; NULL: not set */
        struct world w;
    } cases[] = {
        {{NULL}, {0, 1, 1, false, true}},
        {{"2", "4", "4"}, {2, 4, 4, false, true}},
        {{"2", "4", "2"}, {2, 4, 2, false, false}},
        {{"0", "1", "1"}, {0, 1, 1, false, true}},
        {{NULL, NULL, NULL, "3"}, {3, 5, 1, false, false}},
        {{NULL, NULL, NULL, "3", NULL, NULL, "8"}, {3, 8, 1, false, false}},
        {{NULL, NULL, NULL, NULL, "1", "2"}, {1, 2, 1, false, false}},
        {{NULL, NULL, NULL, NULL, NULL, NULL, "8"}, {0, 1, 1, false, true}},
        {{"x", "4", "4"}, {0, 1, 1, false, true}},
        {{"-1", "4"}, {0, 1, 1, false, true}},
        {{"4", "4", "4"}, {0, 1, 1, false, true}},
        {{"1", "99999999999", "9"}, {1, 3, 1, false, false}},
        {{"1", "4", "9"}, {1, 4, 1, false, false}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        for (size_t k = 0; k < 7; k++)
            if (cases[i].value[k])
                setenv(names[k], cases[i].value[k], 1);
            else
                unsetenv(names[k]);
        world_peek(&w);
        print_message("case %zu: rank %u of %u, %u here\n", i, w.rank, w.size,
                      w.local_size);
        assert_int_equal(w.rank, cases[i].w.rank);
        assert_int_equal(w.size, cases[i].w.size);
        assert_int_equal(w.local_size, cases[i].w.local_size);
        assert_int_equal(w.one_host, cases[i].w.one_host);
        assert_false(w.mpi);
    }
    for (size_t k = 0; k < 7; k++)
        unsetenv(names[k]);
}

static void alone_there_is_no_mpi(void **state)
{
    (void)state;
    struct world w;
    assert_int_equal(world_start(&w), ERR_OK);
    assert_int_equal(w.size, 1);
    assert_false(w.mpi);
}

RUN(T(the_launcher_is_known_by_its_environment), T(alone_there_is_no_mpi))
