#include "support/crash.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

enum { OPS = 512, NODES = 128, NAMES = 256, FDS = 256, DRAWN = 400 };

struct op {
    enum crash_kind kind;
    int node, dir; /* what it is done to, and in which folder */
    char *name, *other;
    char *data;
    size_t bytes;
    uint64_t at, a, b;
};

/* A name in a folder. */
struct name {
    int dir, node;
    const char *name;
};

static struct recording {
    char *root;
    struct op op[OPS];
    size_t n;
    bool folder[NODES];
    int nodes;
    struct name name[NAMES]; /* as they are now */
    size_t names;
    int node_of_fd[FDS];
} rec;

/* --- names -----------------------------------------------------------------------------
 */

static struct name *find(struct name *list, size_t n, int dir, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].dir == dir && strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

static void set(struct name *list, size_t *n, int dir, const char *name, int node)
{
    struct name *at = find(list, *n, dir, name);
    if (!at) {
        assert(*n < NAMES);
        at = &list[(*n)++];
    }
    *at = (struct name){dir, node, name};
}

static void unset(struct name *list, size_t *n, int dir, const char *name)
{
    struct name *at = find(list, *n, dir, name);
    if (at)
        *at = list[--*n];
}

/* The folder and last name of a path below the root; false for others. */
static bool resolve(const char *path, int *dir, const char **last)
{
    const size_t root = strlen(rec.root);
    if (strncmp(path, rec.root, root) != 0 || path[root] != '/')
        return false;
    *dir = 0;
    const char *at = path + root + 1;
    for (const char *slash; (slash = strchr(at, '/')); at = slash + 1) {
        char part[128];
        snprintf(part, sizeof part, "%.*s", (int)(slash - at), at);
        const struct name *n = find(rec.name, rec.names, *dir, part);
        assert(n && rec.folder[n->node]);
        *dir = n->node;
    }
    *last = at;
    return true;
}

static int node_at(const char *path)
{
    int dir;
    const char *last;
    if (strcmp(path, rec.root) == 0)
        return 0;
    if (!resolve(path, &dir, &last))
        return -1;
    const struct name *n = find(rec.name, rec.names, dir, last);
    return n ? n->node : -1;
}

/* --- writing down ----------------------------------------------------------------------
 */

static struct op *note(enum crash_kind kind, int node)
{
    assert(rec.n < OPS);
    struct op *o = &rec.op[rec.n++];
    *o = (struct op){.kind = kind, .node = node, .dir = -1};
    return o;
}

static int make_node(bool folder, int dir, const char *name)
{
    assert(rec.nodes < NODES);
    const int node = rec.nodes++;
    rec.folder[node] = folder;
    struct op *o = note(CRASH_NAME, node);
    o->dir = dir;
    o->name = mem_strdup(name);
    set(rec.name, &rec.names, dir, o->name, node);
    return node;
}

static void note_write(int node, const void *data, size_t bytes, uint64_t at)
{
    struct op *o = note(CRASH_WRITE, node);
    o->data = mem_alloc(bytes + 1);
    memcpy(o->data, data, bytes);
    o->bytes = bytes;
    o->at = at;
}

static int rec_open(const char *path, int flags, mode_t mode)
{
    int dir, node = node_at(path);
    const char *last;
    const int fd = disk_real.open(path, flags, mode);
    if (fd < 0 || !resolve(path, &dir, &last))
        return fd;
    assert(fd < FDS);
    if (node < 0)
        node = make_node(false, dir, last);
    else if (flags & O_TRUNC)
        note(CRASH_SIZE, node);
    rec.node_of_fd[fd] = node;
    return fd;
}

static int rec_truncate(int fd, off_t bytes)
{
    note(CRASH_SIZE, rec.node_of_fd[fd])->bytes = (size_t)bytes;
    return disk_real.truncate(fd, bytes);
}

static int rec_reserve(int fd, off_t bytes)
{
    note(CRASH_SIZE, rec.node_of_fd[fd])->bytes = (size_t)bytes;
    return disk_real.reserve(fd, bytes);
}

static ssize_t rec_write(int fd, const void *data, size_t bytes, off_t at)
{
    note_write(rec.node_of_fd[fd], data, bytes, (uint64_t)at);
    return disk_real.write(fd, data, bytes, at);
}

static int rec_sync(int fd)
{
    note(CRASH_SYNC, rec.node_of_fd[fd]);
    return 0; /* the real disk may take its time */
}

static int rec_mkdir(const char *path, mode_t mode)
{
    int dir;
    const char *last;
    const int failed = disk_real.mkdir(path, mode);
    if (!failed && resolve(path, &dir, &last))
        make_node(true, dir, last);
    return failed;
}

static int rec_rename(const char *from, const char *to)
{
    int dir, other;
    const char *name, *new_name;
    const int failed = disk_real.rename(from, to);
    if (failed || !resolve(from, &dir, &name) || !resolve(to, &other, &new_name))
        return failed;
    assert(dir == other);
    struct op *o = note(CRASH_RENAME, find(rec.name, rec.names, dir, name)->node);
    o->dir = dir;
    o->name = mem_strdup(name);
    o->other = mem_strdup(new_name);
    unset(rec.name, &rec.names, dir, name);
    set(rec.name, &rec.names, dir, o->other, o->node);
    return 0;
}

static int rec_remove(const char *path)
{
    int dir;
    const char *name;
    const int failed = disk_real.remove(path);
    if (failed || !resolve(path, &dir, &name))
        return failed;
    struct op *o = note(CRASH_REMOVE, find(rec.name, rec.names, dir, name)->node);
    o->dir = dir;
    o->name = mem_strdup(name);
    unset(rec.name, &rec.names, dir, name);
    return 0;
}

static int rec_sync_dir(const char *path)
{
    const int node = node_at(path);
    if (node >= 0)
        note(CRASH_SYNC_DIR, node);
    return 0;
}

static int rec_close(int fd)
{
    return disk_real.close(fd);
}

const struct disk crash_disk = {rec_open,   rec_reserve, rec_write, rec_truncate,
                                rec_sync,   rec_close,   rec_mkdir, rec_rename,
                                rec_remove, rec_sync_dir};

static void import_folder(const char *path, int node);

static void import_entry(const char *path, int dir, const char *name)
{
    struct stat st;
    stat(path, &st);
    const int node = make_node(S_ISDIR(st.st_mode), dir, name);
    if (rec.folder[node]) {
        import_folder(path, node);
        return;
    }
    char *text;
    size_t bytes;
    if (file_read(path, 1 << 20, &text, &bytes) == 0) {
        note_write(node, text, bytes, 0);
        mem_free(text);
    }
    note(CRASH_SYNC, node);
}

static void import_folder(const char *path, int node)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            char *below = file_join(path, e->d_name);
            import_entry(below, node, e->d_name);
            mem_free(below);
        }
    if (dir)
        closedir(dir);
    note(CRASH_SYNC_DIR, node);
}

void crash_record(const char *root)
{
    rec = (struct recording){.root = mem_strdup(root), .nodes = 1};
    rec.folder[0] = true;
    import_folder(root, 0);
    crash_promise(0, 0);
}

void crash_promise(uint64_t a, uint64_t b)
{
    struct op *o = note(CRASH_PROMISE, -1);
    o->a = a;
    o->b = b;
}

static void free_op(struct op *o)
{
    mem_free(o->name);
    mem_free(o->other);
    mem_free(o->data);
}

void crash_end(void)
{
    for (size_t i = 0; i < rec.n; i++)
        free_op(&rec.op[i]);
    mem_free(rec.root);
    rec = (struct recording){0};
}

/* --- planted mistakes ------------------------------------------------------------------
 */

/* Those before the first promise were imported. */
static size_t first_op(void)
{
    size_t i = 0;
    while (rec.op[i].kind != CRASH_PROMISE)
        i++;
    return i;
}

size_t crash_count(enum crash_kind kind)
{
    size_t n = 0;
    for (size_t i = first_op(); i < rec.n; i++)
        n += rec.op[i].kind == kind;
    return n;
}

void crash_forget(enum crash_kind kind, size_t nth)
{
    size_t seen = 0, kept = first_op();
    for (size_t i = kept; i < rec.n; i++) {
        const bool hit = rec.op[i].kind == kind && (nth == SIZE_MAX || seen++ == nth);
        if (hit)
            free_op(&rec.op[i]);
        else
            rec.op[kept++] = rec.op[i];
    }
    rec.n = kept;
}

void crash_hurry(const char *name)
{
    size_t first = first_op();
    while (rec.op[first].kind != CRASH_NAME || strcmp(rec.op[first].name, name) != 0)
        first++;
    const int node = rec.op[first].node, dir = rec.op[first].dir;
    size_t to = 0;
    while (rec.op[to].kind != CRASH_NAME || rec.op[to].node != dir)
        to++;
    to++; /* after the folder itself */
    for (size_t i = first; i < rec.n; i++) {
        const struct op o = rec.op[i];
        if (o.node != node)
            continue;
        memmove(rec.op + to + 1, rec.op + to, (i - to) * sizeof *rec.op);
        rec.op[to++] = o;
    }
}

/* --- states ----------------------------------------------------------------------------
 */

enum tear { WHOLE, FIRST_BYTE, HALF, ZEROS, TEARS };

struct state {
    struct name name[NAMES];
    size_t names;
    struct content {
        char *data;
        size_t bytes;
    } content[NODES];
};

static void resize(struct content *c, size_t bytes)
{
    c->data = mem_resize(c->data, bytes + 1);
    if (bytes > c->bytes)
        memset(c->data + c->bytes, 0, bytes - c->bytes);
    c->bytes = bytes;
}

static void apply_write(struct content *c, const struct op *o, enum tear tear)
{
    const size_t bytes = tear == FIRST_BYTE ? 1 : tear == HALF ? o->bytes / 2 : o->bytes;
    if (o->at + bytes > c->bytes)
        resize(c, o->at + bytes);
    if (tear == ZEROS)
        memset(c->data + o->at, 0, bytes);
    else
        memcpy(c->data + o->at, o->data, bytes);
}

static void apply(struct state *s, const struct op *o, enum tear tear)
{
    switch (o->kind) {
    case CRASH_NAME:
        set(s->name, &s->names, o->dir, o->name, o->node);
        break;
    case CRASH_RENAME:
        unset(s->name, &s->names, o->dir, o->name);
        set(s->name, &s->names, o->dir, o->other, o->node);
        break;
    case CRASH_REMOVE:
        unset(s->name, &s->names, o->dir, o->name);
        break;
    case CRASH_WRITE:
        apply_write(&s->content[o->node], o, tear);
        break;
    case CRASH_SIZE:
        resize(&s->content[o->node], o->bytes);
        break;
    case CRASH_SYNC:
    case CRASH_SYNC_DIR:
    case CRASH_PROMISE:
        break;
    }
}

static void make_folder(const struct state *s, const char *path, int dir)
{
    file_make_dirs(path);
    for (size_t i = 0; i < s->names; i++) {
        const struct name *n = &s->name[i];
        if (n->dir != dir)
            continue;
        char *below = file_join(path, n->name);
        if (rec.folder[n->node]) {
            make_folder(s, below, n->node);
        } else {
            FILE *f = fopen(below, "wb");
            fwrite(s->content[n->node].data ? s->content[n->node].data : "", 1,
                   s->content[n->node].bytes, f);
            fclose(f);
        }
        mem_free(below);
    }
}

/* A number for all that can be seen of the state below @dir. */
static uint64_t fold(const struct state *s, int dir, uint64_t above)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->names; i++) {
        const struct name *n = &s->name[i];
        if (n->dir != dir)
            continue;
        const struct content *c = &s->content[n->node];
        const uint64_t parts[3] = {above, hash64(n->name, strlen(n->name)),
                                   c->data ? hash64(c->data, c->bytes) : 1};
        const uint64_t own = hash64(parts, sizeof parts);
        sum += own + (rec.folder[n->node] ? fold(s, n->node, own) : 0);
    }
    return sum;
}

/* The states that were tried. */
struct seen {
    uint64_t *list;
    size_t n, room;
};

static bool seen_before(struct seen *s, uint64_t state)
{
    if (2 * s->n >= s->room) {
        struct seen larger = {mem_zalloc((2 * s->room + 1024) * sizeof *s->list), 0,
                              2 * s->room + 1024};
        for (size_t i = 0; i < s->room; i++)
            if (s->list[i])
                seen_before(&larger, s->list[i]);
        mem_free(s->list);
        *s = larger;
    }
    size_t at = state % s->room;
    while (s->list[at] && s->list[at] != state)
        at = (at + 1) % s->room;
    const bool before = s->list[at] == state;
    s->n += !before;
    s->list[at] = state;
    return before;
}

/* What syncs it: a file's sync() or a folder's sync_dir(). */
static bool lasts(size_t i, size_t end)
{
    const struct op *o = &rec.op[i];
    const bool data = o->kind == CRASH_WRITE || o->kind == CRASH_SIZE;
    if (o->kind == CRASH_SYNC || o->kind == CRASH_SYNC_DIR || o->kind == CRASH_PROMISE)
        return true;
    for (size_t j = i + 1; j < end; j++)
        if (data ? rec.op[j].kind == CRASH_SYNC && rec.op[j].node == o->node
                 : rec.op[j].kind == CRASH_SYNC_DIR && rec.op[j].node == o->dir)
            return true;
    return false;
}

struct moment {
    size_t end;          /* operations done */
    size_t free[OPS], n; /* of them those that may be lost, in order */
    uint64_t a, b;       /* promised */
};

static void look(struct moment *m, size_t end)
{
    *m = (struct moment){.end = end};
    for (size_t i = 0; i < end; i++) {
        if (rec.op[i].kind == CRASH_PROMISE) {
            m->a = rec.op[i].a;
            m->b = rec.op[i].b;
        }
        if (!lasts(i, end))
            m->free[m->n++] = i;
    }
}

struct trial {
    const char *dir;
    crash_check *check;
    void *ctx;
    struct seen seen;
    struct crash_result r;
};

/* @kept [n]: which of the free ones happened */
static void build(struct state *s, const struct moment *m, const bool *kept,
                  enum tear tear)
{
    for (size_t i = 0, f = 0; i < m->end; i++) {
        const bool is_free = f < m->n && m->free[f] == i;
        if (!is_free || kept[f])
            apply(s, &rec.op[i], i + 1 == m->end ? tear : WHOLE);
        f += is_free;
    }
}

static void judge(struct trial *t, const struct moment *m, const bool *kept)
{
    const char *why = t->check(t->ctx, t->dir, m->a, m->b);
    t->r.states++;
    if (!why)
        return;
    t->r.bad++;
    size_t lost = 0;
    for (size_t i = 0; i < m->n; i++)
        lost += !kept[i];
    snprintf(t->r.why, sizeof t->r.why, "after %zu calls, %zu of them lost: %s", m->end,
             lost, why);
}

static void try_one(struct trial *t, const struct moment *m, const bool *kept,
                    enum tear tear)
{
    struct state *s = mem_zalloc(sizeof *s);
    build(s, m, kept, tear);
    const uint64_t parts[3] = {fold(s, 0, 0), m->a, m->b};
    if (!seen_before(&t->seen, hash64(parts, sizeof parts))) {
        file_remove_tree(t->dir);
        make_folder(s, t->dir, 0);
        judge(t, m, kept);
    }
    for (int i = 0; i < NODES; i++)
        mem_free(s->content[i].data);
    mem_free(s);
}

static void try_state(struct trial *t, const struct moment *m, const bool *kept)
{
    const struct op *last = &rec.op[m->end - 1];
    const bool written = last->kind == CRASH_WRITE && m->n && kept[m->n - 1] &&
                         m->free[m->n - 1] == m->end - 1;
    for (int tear = WHOLE; tear < (written ? TEARS : FIRST_BYTE) && !t->r.bad; tear++)
        try_one(t, m, kept, (enum tear)tear);
}

/* Subset number @i of the free ones; false: that was the last. */
static bool choose(const struct moment *m, size_t i, bool *kept, uint64_t *seed)
{
    if (m->n <= CRASH_FREE) {
        for (size_t f = 0; f < m->n; f++)
            kept[f] = i >> f & 1;
        return i < (size_t)1 << m->n;
    }
    for (size_t f = 0; f < m->n; f++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        kept[f] = i == 0             ? true
                  : i == 1           ? false
                  : i < 2 + m->n     ? f == i - 2
                  : i < 2 + 2 * m->n ? f != i - 2 - m->n
                                     : *seed >> 63;
    }
    return i < 2 + 2 * m->n + DRAWN;
}

struct crash_result crash_try(const char *dir, bool killed, crash_check *check, void *ctx)
{
    struct trial t = {.dir = dir, .check = check, .ctx = ctx};
    struct moment *m = mem_alloc(sizeof *m);
    bool kept[OPS];
    uint64_t seed = 1;
    for (size_t end = first_op() + 1; end <= rec.n && !t.r.bad; end++) {
        look(m, end);
        memset(kept, true, sizeof kept);
        if (killed)
            try_state(&t, m, kept);
        /* what does not keep the newest call was a state of the moment before */
        const bool newest_free = m->n && m->free[m->n - 1] == end - 1;
        for (size_t i = 0; !killed && !t.r.bad && choose(m, i, kept, &seed); i++)
            if (!newest_free || kept[m->n - 1])
                try_state(&t, m, kept);
    }
    mem_free(m);
    mem_free(t.seen.list);
    file_remove_tree(dir);
    return t.r;
}
