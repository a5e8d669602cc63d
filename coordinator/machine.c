#include "coordinator/machine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 512, MOST_CORES = 1000000 };

const char machine_question[] =
    "getconf _NPROCESSORS_ONLN ; grep -m1 model.name /proc/cpuinfo ; true";

/* Nothing in it moves a cursor. */
static void clean(char *text)
{
    for (; *text; text++)
        if (!isprint((unsigned char)*text))
            *text = '?';
}

/* The text behind "model name : ". */
static void take_model(struct machine *m, const char *line)
{
    const char *colon = strchr(line, ':');
    if (!colon)
        return;
    colon += 1 + strspn(colon + 1, " \t");
    snprintf(m->cpu, sizeof m->cpu, "%.*s", (int)strcspn(colon, "\n"), colon);
    clean(m->cpu);
}

void machine_parse(struct machine *m, const char *answer)
{
    char *end;
    const long cores = strtol(answer, &end, 10);
    m->cores = end > answer && cores > 0 && cores <= MOST_CORES ? (unsigned)cores : 0;
    m->cpu[0] = '\0';
    const char *model = strstr(answer, "model name");
    if (model)
        take_model(m, model);
}

void machine_here(struct machine *m)
{
    char line[LINE];
    *m = (struct machine){.cores = 1};
    gethostname(m->name, sizeof m->name - 1);
    clean(m->name);
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (online > 0)
        m->cores = (unsigned)online;
    FILE *in = fopen("/proc/cpuinfo", "r");
    while (in && !*m->cpu && fgets(line, sizeof line, in))
        if (strncmp(line, "model name", 10) == 0)
            take_model(m, line);
    if (in)
        fclose(in);
}
