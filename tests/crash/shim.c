/* Stands between a program and its files: counts what changes a directory, keeps a log of it, and at the n-th change
 * ends the program, or has the disk fail or be full. Loaded with LD_PRELOAD; does nothing until shim_arm() is called.
 *
 * A log is a row of records: struct record, the name, the other name, the data. It has all that a power cut needs to
 * be played back: what was written and renamed, and what was waited for (fsync).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WATCH, DIE, FAIL, FULL };
enum op { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_DIRECTORY, RENAME, LINK, UNLINK, MAKE_DIRECTORY, SYNC_FAILED };
static const char *const NAMES[] = {"",       "create", "write",  "truncate",  "fsync",       "fsync of a directory",
                                    "rename", "link",   "unlink", "mkdir",     "failed fsync"};

struct record {
    uint32_t op, name, other, data; /* lengths of what follows */
    uint64_t inode, offset;
};

/* Shared with whoever watches from another process. */
struct page {
    volatile int64_t count, hit;
    char what[240];
};

static struct {
    int armed, log, kind, unsynced;
    int64_t at;
    size_t length;
    char root[PATH_MAX], only[PATH_MAX];
    struct page *page;
} shim;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...)                                                                                          \
    static type (*real)(__VA_ARGS__);                                                                                  \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

/* `root` must be free of links. Only changes of names with `only` in them are counted. `unsynced`: fsync answers at once
 * and does nothing, as in a build that forgot it. */
void shim_arm(const char *root, const char *log, int kind, int64_t at, const char *only, int unsynced,
              struct page *page) {
    shim.armed = 0;
    snprintf(shim.root, sizeof shim.root, "%s/", root);
    shim.length = strlen(shim.root);
    snprintf(shim.only, sizeof shim.only, "%s", only);
    shim.kind = kind, shim.at = at, shim.unsynced = unsynced, shim.page = page;
    shim.log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (shim.log < 0) abort();
    shim.armed = 1;
}

/* The name within the root; NULL for what lies elsewhere, and for memory that only looks like a file. */
static const char *within(const char *path) {
    size_t length = strlen(path);
    if (strncmp(path, shim.root, shim.length)) return NULL;
    const char *name = path + shim.length;
    if (!*name || !strncmp(name, "ports", 5) || !strncmp(name, "counters", 8)) return NULL;
    if (length > 4 && !strcmp(path + length - 4, "-shm")) return NULL;
    if (length > 10 && !strcmp(path + length - 10, " (deleted)")) return NULL;
    return name;
}

static const char *named(int directory, const char *path, char *room) {
    if (!shim.armed || !path) return NULL;
    if (path[0] == '/') return within(path);
    char link[40];
    snprintf(link, sizeof link, directory == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", directory);
    ssize_t length = readlink(link, room, PATH_MAX - 1);
    if (length < 0 || (size_t)length + strlen(path) + 2 > PATH_MAX) return NULL;
    room[length] = '/';
    strcpy(room + length + 1, path);
    return within(room);
}

// A change and its line in the log are one, also for the other processes that write the same log.
static void enter(void) {
    pthread_mutex_lock(&lock);
    if (shim.log >= 0) while (flock(shim.log, LOCK_EX) && errno == EINTR) {}
}

static void leave(void) {
    if (shim.log >= 0) flock(shim.log, LOCK_UN);
    pthread_mutex_unlock(&lock);
}

static const char *opened(int file, char *room) {
    if (!shim.armed) return NULL;
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, room, PATH_MAX - 1);
    if (length < 0) return NULL;
    room[length] = 0;
    if ((size_t)length + 1 == shim.length && !strncmp(room, shim.root, length)) return "";
    return within(room);
}

static void log_it(enum op op, const char *name, const char *other, uint64_t inode, uint64_t offset, const void *data,
                   size_t length) {
    if (shim.unsynced && (op == SYNC || op == SYNC_DIRECTORY)) return;
    struct record head = {op, strlen(name), strlen(other), length, inode, offset};
    struct iovec parts[] = {{&head, sizeof head},
                            {(void *)name, head.name},
                            {(void *)other, head.other},
                            {(void *)data, length}};
    REAL(ssize_t, writev, int, const struct iovec *, int);
    if (real(shim.log, parts, 4) < 0) abort();
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Whether this change is to go wrong: 0, or an errno; may not return at all. */
static int fate(enum op op, const char *name) {
    if (!strstr(name, shim.only)) return 0;
    int64_t number = ++shim.page->count;
    if (!shim.kind || number < shim.at || !shim.at) return 0;
    if (number == shim.at) {
        snprintf(shim.page->what, sizeof shim.page->what, "%s %s", NAMES[op], name);
        shim.page->hit = number;
        if (shim.kind == DIE && (op != WRITE || number % 2)) die();
    }
    if (shim.kind == DIE) return number == shim.at ? EINTR : 0; /* an even write: its first half is still done */
    if (shim.kind == FAIL) return number == shim.at ? EIO : 0;
    int grows = op == CREATE || op == WRITE || op == MAKE_DIRECTORY || op == LINK;
    return grows || (number == shim.at && op != UNLINK) ? ENOSPC : 0;
}

static uint64_t inode_of(int file) {
    struct stat found;
    return fstat(file, &found) ? 0 : found.st_ino;
}

typedef int (*Open)(int, const char *, int, mode_t);

static int opening(Open real, int directory, const char *path, int flags, mode_t mode) {
    char room[PATH_MAX];
    const char *name = flags & (O_CREAT | O_TRUNC) && (flags & O_TMPFILE) != O_TMPFILE ? named(directory, path, room) : NULL;
    if (!name) return real(directory, path, flags, mode);
    enter();
    int fresh = faccessat(directory, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0, problem = 0, file = -1;
    if (fresh && flags & O_CREAT) problem = fate(CREATE, name);
    else if (flags & O_TRUNC) problem = fate(TRUNCATE, name);
    if (!problem) {
        file = real(directory, path, flags, mode);
        problem = errno;
        if (file >= 0 && (fresh || flags & O_TRUNC))
            log_it(fresh ? CREATE : TRUNCATE, name, "", inode_of(file), 0, "", 0);
    }
    leave();
    errno = problem;
    return file;
}

static int really_openat(int directory, const char *path, int flags, mode_t mode) {
    REAL(int, openat, int, const char *, int, ...);
    return real(directory, path, flags, mode);
}

#define MODE(flags)                                                                                                    \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode = va_arg(more, mode_t);                                                                                   \
        va_end(more);                                                                                                  \
    }

int open(const char *path, int flags, ...) {
    MODE(flags);
    return opening(really_openat, AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags);
    return opening(really_openat, AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char *path, int flags, ...) {
    MODE(flags);
    return opening(really_openat, directory, path, flags, mode);
}
int openat64(int directory, const char *path, int flags, ...) {
    MODE(flags);
    return opening(really_openat, directory, path, flags, mode);
}
int creat(const char *path, mode_t mode) {
    return opening(really_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

static ssize_t really_pwrite(int file, const void *data, size_t length, off64_t offset) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return real(file, data, length, offset);
}
static ssize_t really_write(int file, const void *data, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    return real(file, data, length);
}

/* `offset` < 0: where the file stands, or its end. A disk that has just become full takes one half first, and of two
 * writes at which a program dies one is torn. */
static ssize_t writing(int file, const void *data, size_t length, off64_t offset) {
    char room[PATH_MAX];
    const char *name = length ? opened(file, room) : NULL;
    if (!name) return offset < 0 ? really_write(file, data, length) : really_pwrite(file, data, length, offset);
    enter();
    ssize_t done = -1;
    int problem = fate(WRITE, name);
    int torn = problem == EINTR;
    if (torn || (problem == ENOSPC && shim.page->count == shim.at && length > 1)) problem = 0, length -= length / 2;
    if (!problem) {
        off64_t at = offset;
        if (fcntl(file, F_GETFL) & O_APPEND) at = lseek64(file, 0, SEEK_END);
        else if (offset < 0) at = lseek64(file, 0, SEEK_CUR);
        /* Before it is done: who reads it in another process and then waits for the disk comes later in the log. */
        log_it(WRITE, name, "", inode_of(file), at, data, length);
        done = offset < 0 ? really_write(file, data, length) : really_pwrite(file, data, length, offset);
        if (torn) die();
        if (done != (ssize_t)length) abort(); /* a real disk that is full or broken: nothing here can be believed */
    }
    leave();
    if (problem) errno = problem;
    return done;
}

ssize_t write(int file, const void *data, size_t length) { return writing(file, data, length, -1); }
ssize_t pwrite(int file, const void *data, size_t length, off_t offset) { return writing(file, data, length, offset); }
ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
    return writing(file, data, length, offset);
}

static ssize_t gathering(int file, const struct iovec *parts, int count, off64_t offset) {
    size_t length = 0;
    for (int n = 0; n < count; n++) length += parts[n].iov_len;
    char *all = malloc(length + 1), *at = all;
    for (int n = 0; n < count; n++) at = mempcpy(at, parts[n].iov_base, parts[n].iov_len);
    ssize_t done = writing(file, all, length, offset);
    free(all);
    return done;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    char room[PATH_MAX];
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return opened(file, room) ? gathering(file, parts, count, -1) : real(file, parts, count);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
    char room[PATH_MAX];
    REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
    return opened(file, room) ? gathering(file, parts, count, offset) : real(file, parts, count, offset);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    return pwritev64(file, parts, count, offset);
}

/* Ways to write that go past write(): whoever wants one is told to use another. */
ssize_t copy_file_range(int from, off64_t *at, int file, off64_t *to, size_t length, unsigned flags) {
    char room[PATH_MAX];
    REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
    if (!opened(file, room)) return real(from, at, file, to, length, flags);
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int file, int from, off64_t *at, size_t length) {
    char room[PATH_MAX];
    REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
    if (!opened(file, room)) return real(file, from, at, length);
    errno = EINVAL;
    return -1;
}
ssize_t sendfile(int file, int from, off_t *at, size_t length) { return sendfile64(file, from, at, length); }

int ftruncate64(int file, off64_t length) {
    char room[PATH_MAX];
    REAL(int, ftruncate64, int, off64_t);
    const char *name = opened(file, room);
    if (!name) return real(file, length);
    enter();
    int problem = fate(TRUNCATE, name), done = -1;
    if (!problem) {
        done = real(file, length);
        problem = errno;
        if (!done) log_it(TRUNCATE, name, "", inode_of(file), length, "", 0);
    }
    leave();
    errno = problem;
    return done;
}
int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int posix_fallocate64(int file, off64_t offset, off64_t length) {
    char room[PATH_MAX];
    REAL(int, posix_fallocate64, int, off64_t, off64_t);
    return opened(file, room) ? EOPNOTSUPP : real(file, offset, length);
}
int posix_fallocate(int file, off_t offset, off_t length) { return posix_fallocate64(file, offset, length); }

/* The real disk is not waited for: what would be lost without is found by playing the log back. */
static int syncing(int file, int (*real)(int)) {
    char room[PATH_MAX];
    const char *name = opened(file, room);
    if (!name) return real(file);
    struct stat found;
    enter();
    int whole = !fstat(file, &found) && S_ISDIR(found.st_mode);
    int problem = fate(whole ? SYNC_DIRECTORY : SYNC, name);
    if (!whole || !problem) log_it(whole ? SYNC_DIRECTORY : problem ? SYNC_FAILED : SYNC, name, "", found.st_ino, 0, "", 0);
    leave();
    errno = problem;
    return problem ? -1 : 0;
}
int fsync(int file) {
    REAL(int, fsync, int);
    return syncing(file, real);
}
int fdatasync(int file) {
    REAL(int, fdatasync, int);
    return syncing(file, real);
}

static int renaming(int from, const char *old, int to, const char *fresh, unsigned flags) {
    char room[PATH_MAX], other[PATH_MAX];
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    const char *name = named(from, old, room), *target = named(to, fresh, other);
    if (!name || !target) return real(from, old, to, fresh, flags);
    enter();
    int problem = fate(RENAME, name), done = -1;
    if (!problem) {
        done = real(from, old, to, fresh, flags);
        problem = errno;
        if (!done) log_it(RENAME, name, target, 0, 0, "", 0);
    }
    leave();
    errno = problem;
    return done;
}
int rename(const char *old, const char *fresh) { return renaming(AT_FDCWD, old, AT_FDCWD, fresh, 0); }
int renameat(int from, const char *old, int to, const char *fresh) { return renaming(from, old, to, fresh, 0); }
int renameat2(int from, const char *old, int to, const char *fresh, unsigned flags) {
    return renaming(from, old, to, fresh, flags);
}

int linkat(int from, const char *old, int to, const char *fresh, int flags) {
    char room[PATH_MAX], other[PATH_MAX];
    REAL(int, linkat, int, const char *, int, const char *, int);
    const char *name = named(from, old, room), *target = named(to, fresh, other);
    if (!name || !target) return real(from, old, to, fresh, flags);
    enter();
    int problem = fate(LINK, name), done = -1;
    if (!problem) {
        done = real(from, old, to, fresh, flags);
        problem = errno;
        if (!done) log_it(LINK, name, target, 0, 0, "", 0);
    }
    leave();
    errno = problem;
    return done;
}
int link(const char *old, const char *fresh) { return linkat(AT_FDCWD, old, AT_FDCWD, fresh, 0); }

int unlinkat(int directory, const char *path, int flags) {
    char room[PATH_MAX];
    REAL(int, unlinkat, int, const char *, int);
    const char *name = named(directory, path, room);
    struct stat found;
    if (!name || fstatat(directory, path, &found, AT_SYMLINK_NOFOLLOW)) return real(directory, path, flags);
    enter();
    int problem = fate(UNLINK, name), done = -1;
    if (!problem) {
        done = real(directory, path, flags);
        problem = errno;
        if (!done) log_it(UNLINK, name, "", 0, 0, "", 0);
    }
    leave();
    errno = problem;
    return done;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int remove(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int directory, const char *path, mode_t mode) {
    char room[PATH_MAX];
    REAL(int, mkdirat, int, const char *, mode_t);
    const char *name = named(directory, path, room);
    if (!name || !faccessat(directory, path, F_OK, AT_SYMLINK_NOFOLLOW)) return real(directory, path, mode);
    enter();
    int problem = fate(MAKE_DIRECTORY, name), done = -1;
    if (!problem) {
        done = real(directory, path, mode);
        problem = errno;
        if (!done) log_it(MAKE_DIRECTORY, name, "", 0, 0, "", 0);
    }
    leave();
    errno = problem;
    return done;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
