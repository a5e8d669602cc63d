#include "conf/intern.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

struct entry {
    struct entry *next;
    char *text;
};

static struct entry *entries;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct entry *find(const char *text)
{
    for (struct entry *e = entries; e; e = e->next)
        if (strcmp(e->text, text) == 0)
            return e;
    return NULL;
}

const char *intern(const char *text)
{
    pthread_mutex_lock(&mutex);
    struct entry *e = find(text);
    if (!e) {
        e = mem_alloc(sizeof *e);
        *e = (struct entry){.next = entries, .text = mem_strdup(text)};
        entries = e;
    }
    pthread_mutex_unlock(&mutex);
    return e->text;
}
