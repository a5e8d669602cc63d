/* mpirun's file of hosts.  True of every file that is accepted: names are what a remote
 * shell takes for a host and differ, slots are from 1 to 4095, and written out it reads
 * the same. */
#include "fuzz/fuzz.h"

#include <ctype.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "coordinator/hostfile.h"

static void check_hosts(const struct hosts *h)
{
    CHECK(h->n > 0);
    for (size_t i = 0; i < h->n; i++) {
        const struct host *one = &h->list[i];
        CHECK(isalnum((unsigned char)*one->name) &&
              !strpbrk(one->name, " \t\r\n#=:,/;$`'\""));
        CHECK(one->slots >= 1 && one->slots <= 4095);
        for (size_t k = 0; k < i && k < 16; k++)
            CHECK(strcmp(one->name, h->list[k].name) != 0);
    }
    CHECK(hosts_slots(h) == hosts_slots_left(h) && hosts_workers(h, 7) >= 1);
    mem_free(hosts_argument(h));
}

static void check_again(const struct hosts *h)
{
    char *text = NULL;
    size_t bytes;
    struct hosts again;
    FILE *out = open_memstream(&text, &bytes);
    CHECK(out);
    for (size_t i = 0; i < h->n; i++)
        fprintf(out, "%s slots=%u\n", h->list[i].name, h->list[i].slots);
    CHECK(fclose(out) == 0);
    CHECK(hostfile_parse(text, "again", &again) == ERR_OK && again.n == h->n);
    for (size_t i = 0; i < h->n; i++)
        CHECK(strcmp(h->list[i].name, again.list[i].name) == 0 &&
              h->list[i].slots == again.list[i].slots);
    hosts_fini(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct hosts h;
    const int err = hostfile_read(fuzz_file(data, bytes), &h);
    CHECK(err == ERR_OK || err == ERR_CONFIG);
    if (err)
        return 0;
    CHECK(!memchr(data, '\0', bytes)); /* what follows a zero byte would be passed over */
    check_hosts(&h);
    check_again(&h);
    hosts_fini(&h);
    return 0;
}
