#include "coordinator/text_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

void text_file_open(struct text_file *t)
{
    *t = (struct text_file){0};
    t->out = open_memstream(&t->data, &t->bytes);
    if (!t->out)
        abort(); /* out of memory */
}

int text_file_write(struct text_file *t, const char *dir, const char *name)
{
    fclose(t->out);
    char *path = file_join(dir, name);
    const int err = file_write_atomic(path, t->data, t->bytes);
    mem_free(path);
    free(t->data);
    return err;
}
