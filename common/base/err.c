#include "base/err.h"

#include <assert.h>
#include <errno.h>

static const struct {
    const char *name, *text;
    enum err_scope scope;
    int exit_code;
} rows[ERR_COUNT] = {
    [ERR_OK] = {"ERR_OK", "success", ERR_SCOPE_NONE, 0},
#define ERR(name, scope, exit_code, text)                                                \
    [name] = {#name, text, ERR_SCOPE_##scope, exit_code},
#include "base/errors.def"
#undef ERR
};

const char *err_name(int err)
{
    assert(err >= 0 && err < ERR_COUNT);
    return rows[err].name;
}

const char *err_text(int err)
{
    assert(err >= 0 && err < ERR_COUNT);
    return rows[err].text;
}

enum err_scope err_scope(int err)
{
    assert(err >= 0 && err < ERR_COUNT);
    return rows[err].scope;
}

int err_exit_code(int err)
{
    assert(err >= 0 && err < ERR_COUNT);
    return rows[err].exit_code;
}

int err_from_errno(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NO_FILE;
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case EWOULDBLOCK:
        return ERR_BUSY;
    default:
        return ERR_IO;
    }
}
