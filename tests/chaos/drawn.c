/* drawn P SEED SLICES STEP SLICE - will that slice be audited?  Asked of the
 * coordinator's own draw, without any run. */
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/audit.h"

int main(int argc, char **argv)
{
    if (argc != 6)
        return 64;
    const uint32_t slices = (uint32_t)atoi(argv[3]), slice = (uint32_t)atoi(argv[5]);
    struct audit a = {0};
    if (slice >= slices)
        return 64;
    audit_begin(&a, slices, atof(argv[1]), strtoull(argv[2], NULL, 10),
                strtoull(argv[4], NULL, 10));
    puts(a.slice[slice].chosen ? "yes" : "no");
    audit_fini(&a);
    return 0;
}
