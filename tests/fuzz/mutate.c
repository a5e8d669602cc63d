#include "fuzz/mutate.h"

#include <stdio.h>
#include <string.h>

static uint64_t state;

void mutate_seed(uint64_t seed)
{
    state = seed;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t draw(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t mutate_below(uint64_t limit)
{
    return draw() % limit;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t open_gap(uint8_t *data, size_t bytes, size_t at, size_t n)
{
    memmove(data + at + n, data + at, bytes - at);
    return bytes + n;
}

static size_t insert(uint8_t *data, size_t bytes, size_t room, const void *what, size_t n)
{
    if (bytes + n > room)
        return bytes;
    const size_t at = mutate_below(bytes + 1);
    bytes = open_gap(data, bytes, at, n);
    memcpy(data + at, what, n);
    return bytes;
}

static size_t insert_number(uint8_t *data, size_t bytes, size_t room)
{
    static const uint64_t edges[] = {
        0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, UINT32_MAX, INT64_MAX, UINT64_MAX};
    const uint64_t x =
        mutate_below(2) ? edges[mutate_below(10)] : draw() >> mutate_below(64);
    char digits[24];
    if (mutate_below(2))
        return insert(data, bytes, room, &x, (size_t)1 << mutate_below(4));
    return insert(data, bytes, room, digits,
                  (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)x));
}

static size_t erase(uint8_t *data, size_t bytes)
{
    const size_t at = mutate_below(bytes), n = 1 + mutate_below(smaller(bytes - at, 40));
    memmove(data + at, data + at + n, bytes - at - n);
    return bytes - n;
}

static size_t copy_piece(uint8_t *data, size_t bytes, size_t room)
{
    uint8_t piece[64];
    const size_t at = mutate_below(bytes),
                 n = 1 + mutate_below(smaller(bytes - at, sizeof piece));
    memcpy(piece, data + at, n);
    if (mutate_below(2))
        return insert(data, bytes, room, piece, n);
    const size_t to = mutate_below(bytes - n + 1);
    memcpy(data + to, piece, n);
    return bytes;
}

size_t mutate(uint8_t *data, size_t bytes, size_t room)
{
    static const char marks[] = "{}[]()<>\"':,;=#-.%/\\ \t\r\n\0\xff\xc3\xe2\x80\xed\xf4";
    const uint8_t byte = mutate_below(2) ? (uint8_t)draw()
                                         : (uint8_t)marks[mutate_below(sizeof marks - 1)];
    const unsigned kind = bytes ? (unsigned)mutate_below(8) : 6;
    switch (kind) {
    case 0:
    case 1:
        data[mutate_below(bytes)] ^= (uint8_t)(1u << mutate_below(8));
        return bytes;
    case 2:
        data[mutate_below(bytes)] = byte;
        return bytes;
    case 3:
        return erase(data, bytes);
    case 4:
    case 5:
        return copy_piece(data, bytes, room);
    case 6:
        return insert(data, bytes, room, &byte, 1);
    default:
        return insert_number(data, bytes, room);
    }
}
