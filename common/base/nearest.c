#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LETTERS_MAX = 64 };

static bool same(char a, char b)
{
    const int x = a == '-' ? '_' : tolower((unsigned char)a);
    const int y = b == '-' ? '_' : tolower((unsigned char)b);
    return x == y;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(const char *a, const char *b)
{
    const size_t n = strnlen(a, LETTERS_MAX + 1), m = strnlen(b, LETTERS_MAX + 1);
    if (n > LETTERS_MAX || m > LETTERS_MAX)
        return SIZE_MAX;

    /* cost[i % 3][j]: from the first i letters of a to the first j of b; a swap looks
     * back two rows */
    size_t cost[3][LETTERS_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        cost[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = cost[i % 3];
        const size_t *above = cost[(i - 1) % 3], *above2 = cost[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(above[j], row[j - 1]) + 1;
            row[j] = least(row[j], above[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return cost[n % 3][m];
}

const char *nearest(const char *word, const char *const *known, size_t count)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const size_t distance = nearest_distance(word, known[i]);
        if (distance < best_distance && 3 * distance <= strlen(known[i]) + 1) {
            best = known[i];
            best_distance = distance;
        }
    }
    return best;
}
