#include "support/test.h"

#include "tensor/arena.h"

static void measuring_first_gives_the_size_that_the_same_pushes_need(void **state)
{
    (void)state;
    struct arena measured = {0};
    assert_null(arena_push(&measured, 1));
    assert_null(arena_push(&measured, 100));
    assert_int_equal(measured.peak, 64 + 100);

    static _Alignas(64) char memory[164];
    struct arena a = {.base = memory, .size = measured.peak};
    assert_ptr_equal(arena_push(&a, 1), memory);
    assert_ptr_equal(arena_push(&a, 100), memory + 64);
}

static void released_memory_is_used_again_and_the_peak_remembered(void **state)
{
    (void)state;
    static _Alignas(64) char memory[256];
    struct arena a = {.base = memory, .size = sizeof memory};
    arena_push(&a, 64);
    const size_t mark = arena_mark(&a);
    void *first = arena_push(&a, 128);
    arena_release(&a, mark);
    assert_ptr_equal(arena_push(&a, 10), first);
    assert_int_equal(a.peak, 192);
    arena_release(&a, 0);
    assert_int_equal(a.used, 0);
}

RUN(T(measuring_first_gives_the_size_that_the_same_pushes_need),
    T(released_memory_is_used_again_and_the_peak_remembered))
