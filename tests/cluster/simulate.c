/* simulate.c - many seeds, or one with its trace (sim.h).
 *
 *      simulate 1-10000          all of them; the failing seed is printed and ends it
 *      simulate 1-10000 always   also fails unless every 'sometimes' has happened
 *      simulate 17 trace         one, with what happened
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cluster/sim.h"

int main(int argc, char **argv)
{
    char *end;
    if (argc < 2) {
        fprintf(stderr, "usage: simulate FIRST[-LAST] [always | trace]\n");
        return 64;
    }
    const uint64_t first = strtoull(argv[1], &end, 10);
    const uint64_t last = *end == '-' ? strtoull(end + 1, NULL, 10) : first;
    const bool trace = argc > 2 && strcmp(argv[2], "trace") == 0;
    const bool always = argc > 2 && strcmp(argv[2], "always") == 0;
    struct sim_result all = {0};
    const double start = clock_seconds();
    log_init("", LOG_ERROR);
    for (uint64_t seed = first; seed <= last; seed++) {
        struct sim_options o = sim_draw(seed);
        o.trace = trace ? stdout : NULL;
        const char *wrong = sim_run(&o, &all);
        if (wrong) {
            printf("FAILED: seed %llu: %s\n  simulate %llu trace\n",
                   (unsigned long long)seed, wrong, (unsigned long long)seed);
            return 1;
        }
    }
    printf("%llu seeds, %llu events, %llu faults, %.0f virtual hours in %.1f s\n",
           (unsigned long long)(last - first + 1), (unsigned long long)all.events,
           (unsigned long long)all.faults, (double)all.virtual_ms / 3.6e6,
           clock_seconds() - start);
    int missing = 0;
    for (int k = 0; k < SOMETIMES_KINDS; k++) {
        printf("  %10llu  %s\n", (unsigned long long)all.sometimes[k],
               sim_sometimes_names[k]);
        missing += all.sometimes[k] == 0;
    }
    return always && missing ? 1 : 0;
}
