#include "data/text_file.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

enum { GZIP_WINDOW = 15 + 16 /* zlib's number for: gzip, and nothing else */ };

struct unpack {
    const char *path;
    const unsigned char *in;
    size_t in_bytes, limit;
    char *text;
    size_t bytes, room;
    z_stream z;
};

static int too_long(const char *path, size_t limit)
{
    log_error(
        "%s: more than %zu bytes of text, which is what the limit leaves; prepare a "
        "part of it",
        path, limit);
    return ERR_DATA;
}

static int damaged(const struct unpack *u, const char *why)
{
    log_error(
        "%s: damaged gzip data at byte %zu of %zu: %s; get the file again, `gzip -t` "
        "checks it",
        u->path, (size_t)(u->z.next_in - u->in), u->in_bytes, why);
    return ERR_DATA;
}

static uInt at_most_1g(size_t bytes)
{
    return bytes < 1 << 30 ? (uInt)bytes : 1 << 30;
}

/* zlib counts in 32 bits, so both sides are handed to it piece by piece. */
static int step(struct unpack *u)
{
    if (u->bytes == u->room) {
        if (u->room > u->limit)
            return too_long(u->path, u->limit);
        u->room = u->room ? 2 * u->room : 1 << 16;
        u->text = mem_resize(u->text, u->room);
    }
    const size_t used = (size_t)(u->z.next_in - u->in);
    const uInt room = at_most_1g(u->room - u->bytes);
    u->z.avail_in = at_most_1g(u->in_bytes - used);
    u->z.avail_out = room;
    u->z.next_out = (unsigned char *)u->text + u->bytes;
    const int got = inflate(&u->z, Z_NO_FLUSH);
    u->bytes += room - u->z.avail_out;
    if (got == Z_STREAM_END)
        return inflateReset(&u->z) == Z_OK ? ERR_OK : damaged(u, "zlib failed");
    if (got == Z_BUF_ERROR)
        return damaged(u, "it ends too early");
    return got == Z_OK ? ERR_OK : damaged(u, u->z.msg ? u->z.msg : "zlib failed");
}

/* Until a member ends where the file ends. */
static int unpack_all(struct unpack *u)
{
    for (;;) {
        TRY(step(u));
        const bool member_done = u->z.total_in == 0;
        if (member_done && (size_t)(u->z.next_in - u->in) == u->in_bytes)
            break;
    }
    return u->bytes > u->limit ? too_long(u->path, u->limit) : ERR_OK;
}

static int unpack(const char *path, size_t limit, char **text, size_t *bytes)
{
    struct unpack u = {.path = path,
                       .in = (const unsigned char *)*text,
                       .in_bytes = *bytes,
                       .limit = limit,
                       .z = {.next_in = (unsigned char *)*text}};
    int err =
        inflateInit2(&u.z, GZIP_WINDOW) == Z_OK ? ERR_OK : damaged(&u, "zlib failed");
    if (!err) {
        err = unpack_all(&u);
        inflateEnd(&u.z);
    }
    mem_free(*text);
    if (err) {
        mem_free(u.text);
        return err;
    }
    *text = u.text;
    *bytes = u.bytes;
    return ERR_OK;
}

int text_file_read(const char *path, size_t limit, char **text, size_t *bytes)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size > limit)
        return too_long(path, limit);
    char *read;
    size_t n;
    TRY(file_read(path, limit, &read, &n));
    if (n >= 2 && (unsigned char)read[0] == 0x1F && (unsigned char)read[1] == 0x8B)
        TRY(unpack(path, limit, &read, &n));
    *text = read;
    *bytes = n;
    return ERR_OK;
}
