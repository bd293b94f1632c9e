/* Preloaded into a process: every write, truncation, removal and synchronisation below one folder goes into a record, in
   its order. WRITE_RECORD names the record's file, WRITE_RECORD_BELOW the folder. Read by powercut.py.

   A record: op (1 byte), 1 unused, length of the name (2), length of the data (4), place in the file (8), name, data;
   the bytes of this machine's order. Ops: W data at a place, T truncation to a place, S synchronisation, U removal,
   R renaming (the data is the new name), F room up to a place. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_FILES = 1024, MOST_MAPS = 16 };
static char *names[MOST_FILES];
static struct { char *begin; size_t length; char *name; } maps[MOST_MAPS];
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static const char *below;
static size_t below_length;
static int record = -1;

struct head { char op, unused; uint16_t name; uint32_t data; uint64_t at; };

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("WRITE_RECORD");
    below = getenv("WRITE_RECORD_BELOW");
    if (path == NULL || below == NULL) return;
    below_length = strlen(below);
    record = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(const void *data, size_t size) {
    const char *from = data;
    while (size > 0) {
        long done = syscall(SYS_write, record, from, size);
        if (done <= 0) abort();
        from += done;
        size -= (size_t)done;
    }
}

static void note(char op, const char *name, uint64_t at, const void *data, size_t size) {
    struct head head = {op, 0, (uint16_t)strlen(name), (uint32_t)size, at};
    put(&head, sizeof head);
    put(name, head.name);
    put(data, size);
}

static const char *inside(const char *path) {
    if (record < 0 || path == NULL || strncmp(path, below, below_length) != 0 || path[below_length] != '/') return NULL;
    return path + below_length + 1;
}

static char *name_of(int fd) { return fd >= 0 && fd < MOST_FILES ? names[fd] : NULL; }

static int opened(int fd, const char *path, int flags) {
    const char *name = inside(path);
    if (fd >= 0 && fd < MOST_FILES && name != NULL) {
        names[fd] = strdup(name); /* a name that was here before is left: another thread may be reading it */
        if (flags & O_TRUNC) note('T', name, 0, NULL, 0);
    }
    return fd;
}

#define OPEN(function)                                                       \
    int function(const char *path, int flags, ...) {                         \
        va_list more;                                                        \
        va_start(more, flags);                                               \
        mode_t mode = va_arg(more, mode_t);                                  \
        va_end(more);                                                        \
        pthread_mutex_lock(&turn);                                           \
        int fd = opened(NEXT(function)(path, flags, mode), path, flags);     \
        pthread_mutex_unlock(&turn);                                         \
        return fd;                                                           \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    pthread_mutex_lock(&turn);
    if (name_of(fd) != NULL) names[fd] = NULL;
    int done = NEXT(close)(fd);
    pthread_mutex_unlock(&turn);
    return done;
}

#define PWRITE(function, offset_type)                                                       \
    ssize_t function(int fd, const void *data, size_t size, offset_type at) {               \
        if (name_of(fd) == NULL) return NEXT(function)(fd, data, size, at);                 \
        pthread_mutex_lock(&turn);                                                          \
        ssize_t done = NEXT(function)(fd, data, size, at);                                  \
        if (done > 0) note('W', name_of(fd), (uint64_t)at, data, (size_t)done);             \
        pthread_mutex_unlock(&turn);                                                        \
        return done;                                                                        \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
    if (name_of(fd) == NULL) return NEXT(write)(fd, data, size);
    pthread_mutex_lock(&turn);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = NEXT(write)(fd, data, size);
    if (done > 0) note('W', name_of(fd), (uint64_t)at, data, (size_t)done);
    pthread_mutex_unlock(&turn);
    return done;
}

#define TRUNCATE(function, offset_type)                                            \
    int function(int fd, offset_type size) {                                       \
        pthread_mutex_lock(&turn);                                                 \
        int done = NEXT(function)(fd, size);                                       \
        if (done == 0 && name_of(fd) != NULL) note('T', name_of(fd), (uint64_t)size, NULL, 0); \
        pthread_mutex_unlock(&turn);                                               \
        return done;                                                               \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define RESERVE(function, offset_type)                                             \
    int function(int fd, offset_type at, offset_type size) {                       \
        pthread_mutex_lock(&turn);                                                 \
        int done = NEXT(function)(fd, at, size);                                   \
        if (done == 0 && name_of(fd) != NULL) note('F', name_of(fd), (uint64_t)(at + size), NULL, 0); \
        pthread_mutex_unlock(&turn);                                               \
        return done;                                                               \
    }
RESERVE(posix_fallocate, off_t)
RESERVE(posix_fallocate64, off64_t)

/* What stands in a map of the file when its synchronisation begins is surely on the disk when that returns. */
static void note_maps(const char *name) {
    for (int each = 0; each < MOST_MAPS; each++)
        if (maps[each].begin != NULL && strcmp(maps[each].name, name) == 0)
            note('W', name, 0, maps[each].begin, maps[each].length);
}

#define SYNC(function)                                                             \
    int function(int fd) {                                                         \
        pthread_mutex_lock(&turn);                                                 \
        if (name_of(fd) != NULL) note_maps(name_of(fd));                           \
        int done = NEXT(function)(fd);                                             \
        if (done == 0 && name_of(fd) != NULL) note('S', name_of(fd), 0, NULL, 0);  \
        pthread_mutex_unlock(&turn);                                               \
        return done;                                                               \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    pthread_mutex_lock(&turn);
    int done = NEXT(unlink)(path);
    if (done == 0 && inside(path) != NULL) note('U', inside(path), 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&turn);
    int done = NEXT(rename)(from, to);
    if (done == 0 && inside(from) != NULL && inside(to) != NULL)
        note('R', inside(from), 0, inside(to), strlen(inside(to)));
    pthread_mutex_unlock(&turn);
    return done;
}

static void *mapped(void *begin, size_t length, int flags, int fd) {
    if (begin == MAP_FAILED || !(flags & MAP_SHARED) || name_of(fd) == NULL) return begin;
    for (int each = 0; each < MOST_MAPS; each++)
        if (maps[each].begin == NULL) {
            maps[each].begin = begin;
            maps[each].length = length;
            maps[each].name = name_of(fd);
            break;
        }
    return begin;
}

void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t at) {
    return mapped((void *)syscall(SYS_mmap, where, length, protection, flags, fd, at), length, flags, fd);
}

void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t at) {
    return mapped((void *)syscall(SYS_mmap, where, length, protection, flags, fd, at), length, flags, fd);
}

int msync(void *begin, size_t length, int flags) {
    pthread_mutex_lock(&turn);
    for (int each = 0; each < MOST_MAPS; each++)
        if (maps[each].begin != NULL && (char *)begin >= maps[each].begin &&
            (char *)begin < maps[each].begin + maps[each].length)
            note('W', maps[each].name, (uint64_t)((char *)begin - maps[each].begin), begin, length);
    int done = NEXT(msync)(begin, length, flags);
    for (int each = 0; done == 0 && each < MOST_MAPS; each++)
        if (maps[each].begin != NULL && (char *)begin >= maps[each].begin &&
            (char *)begin < maps[each].begin + maps[each].length)
            note('S', maps[each].name, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}
