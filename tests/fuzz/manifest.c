/* MANIFEST of a checkpoint.  True of every text: what is accepted is what would be
 * written. */
#include "fuzz/fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct manifest m;
    const char *why = NULL;
    char *text = fuzz_text(data, bytes);
    const int err = manifest_unpack(text, bytes, &m, &why);
    CHECK(err == ERR_OK || err == ERR_DATA);
    CHECK(!err || why);
    if (!err) {
        char *again = manifest_pack(&m);
        CHECK(strlen(again) == bytes && memcmp(again, text, bytes) == 0);
        mem_free(again);
    }
    free(text);
    return 0;
}

/* The seal: a last line "MANIFEST " and the hash of what stands before it. */
size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room)
{
    static const char seal[] = "\nMANIFEST ";
    char hash[HASH_HEX];
    const uint8_t *at = memmem(data, bytes, seal, sizeof seal - 1);
    const size_t n = at ? (size_t)(at - data) + 1 : bytes;
    if (n + sizeof seal + HASH_HEX > room)
        return bytes;
    hash128_hex(data, n, hash);
    memcpy(data + n, seal + 1, sizeof seal - 2);
    memcpy(data + n + sizeof seal - 2, hash, HASH_HEX - 1);
    data[n + sizeof seal - 2 + HASH_HEX - 1] = '\n';
    return n + sizeof seal - 2 + HASH_HEX;
}
