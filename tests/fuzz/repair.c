/* repair.c - three of four mutations get right checksums, the fourth tries the door. */
#include "fuzz/fuzz.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t room, unsigned seed)
{
    const size_t n = LLVMFuzzerMutate(data, bytes, room);
    return seed % 4 ? fuzz_repair(data, n, room) : n;
}
