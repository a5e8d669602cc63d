/* A text file, plain or gzip.  True of every file: at most the limit comes out, and plain
 * text comes out as it is. */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "data/text_file.h"

enum { LIMIT = 1 << 18, HEAP = 1 << 20 /* twice the limit, and zlib's window */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text;
    size_t n;
    const size_t heap = fuzz_heap();
    const int err = text_file_read(fuzz_file(data, bytes), LIMIT, &text, &n);
    CHECK(fuzz_heap() <= heap + HEAP + bytes);
    CHECK(err == ERR_OK || err == ERR_DATA);
    if (err)
        return 0;
    CHECK(n <= LIMIT);
    if (bytes < 2 || data[0] != 0x1F || data[1] != 0x8B)
        CHECK(n == bytes && memcmp(text, data, n) == 0);
    mem_free(text);
    return 0;
}
