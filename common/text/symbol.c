#include "text/symbol.h"

#include <assert.h>
#include <string.h>

enum { END = sizeof SYMBOL_END - 1 };

bool symbol_is_last(const char *symbol, size_t n)
{
    return n >= END && memcmp(symbol + n - END, SYMBOL_END, END) == 0;
}

size_t symbol_text(const char *symbol, size_t n)
{
    return symbol_is_last(symbol, n) ? n - END : n;
}

bool symbol_valid(const char *symbol, size_t n)
{
    const size_t text = symbol_text(symbol, n);
    for (size_t i = 0; i < text; i++)
        if (symbol[i] == '\0' || symbol[i] == ' ' || symbol[i] == '\n' ||
            symbol[i] == '\r')
            return false;
    return text > 0;
}

size_t symbol_character(const char *text, size_t n, bool last, char out[SYMBOL_CHARACTER])
{
    assert(n <= UTF8_BYTES);
    memcpy(out, text, n);
    if (last)
        memcpy(out + n, SYMBOL_END, END);
    return last ? n + END : n;
}
