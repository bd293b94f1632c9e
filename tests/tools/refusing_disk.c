/* Preloaded into a process: while the file REFUSE_WHILE exists, writing below the folder REFUSE_BELOW fails as on a disk
   that has become read-only (EROFS), which no ordinary user can bring about on one that is in use. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int below(const char *path) {
    const char *folder = getenv("REFUSE_BELOW");
    return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int refused(void) {
    const char *sign = getenv("REFUSE_WHILE");
    if (sign == NULL || access(sign, F_OK) != 0) return 0;
    errno = EROFS;
    return 1;
}

static int refused_file(int fd) {
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = before;
    if (size <= 0) return 0;
    path[size] = 0;
    return below(path) && refused();
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return refused_file(fd) ? -1 : NEXT(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return refused_file(fd) ? -1 : NEXT(pwrite64)(fd, data, size, at);
}

int ftruncate64(int fd, off64_t size) { return refused_file(fd) ? -1 : NEXT(ftruncate64)(fd, size); }

int unlink(const char *path) { return below(path) && refused() ? -1 : NEXT(unlink)(path); }

#define OPEN(function)                                                                          \
    int function(const char *path, int flags, ...) {                                            \
        va_list more;                                                                           \
        va_start(more, flags);                                                                  \
        mode_t mode = va_arg(more, mode_t);                                                     \
        va_end(more);                                                                           \
        if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) && below(path) && refused()) return -1;     \
        return NEXT(function)(path, flags, mode);                                               \
    }
OPEN(open)
OPEN(open64)
