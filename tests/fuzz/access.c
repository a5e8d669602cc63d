/* RUN/token and RUN/address, by which workers find a run and are let in.  True of every
 * file: an accepted token file is the one that would be written for its token; an address
 * fits. */
#include "fuzz/fuzz.h"

#include <stdio.h>

#include "base/err.h"
#include "base/hash.h"
#include "coordinator/access.h"

enum { HEAD = 17, LINE = HEAD + 2 * AUTH_TOKEN };

static void read_token(const uint8_t *data, size_t bytes)
{
    uint8_t token[AUTH_TOKEN];
    const int err = access_read_token(fuzz_file(data, bytes), token);
    CHECK(err == ERR_OK || err == ERR_DATA || err == ERR_TOO_BIG);
    if (err)
        return;
    size_t n;
    CHECK(access_write(fuzz_folder(), "127.0.0.1:1", token) == ERR_OK);
    char *again = fuzz_get(ACCESS_TOKEN, &n);
    CHECK(n == bytes && memcmp(again, data, n) == 0);
    free(again);
}

static void read_address(const uint8_t *data, size_t bytes)
{
    char address[CONTROL_ADDRESS];
    fuzz_put(ACCESS_ADDRESS, data, bytes);
    const int err = access_read_address(fuzz_folder(), address);
    CHECK(err == ERR_OK || err == ERR_TOO_BIG);
    CHECK(err ||
          (strlen(address) <= bytes && memcmp(address, data, strlen(address)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    read_token(data, bytes);
    read_address(data, bytes);
    return 0;
}

size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room)
{
    if (room < LINE + 19)
        return bytes;
    for (; bytes < LINE; bytes++)
        data[bytes] = '0';
    char check[20];
    memcpy(data, "lockstep-token-1 ", HEAD);
    snprintf(check, sizeof check, " %016llx\n", (unsigned long long)hash64(data, LINE));
    memcpy(data + LINE, check, 18);
    return LINE + 18;
}
