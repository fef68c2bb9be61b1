/* One process of a recording: does to memory and files what it is told, a command a line on standard input.
 *
 *   a PAGES        touches so many new anonymous pages
 *   f PAGES        gives the last so many back
 *   w PAGES PATH   appends so many pages to a file
 *   r PATH         reads a file from its begin to its end
 *   s              says how large it is: resident pages and page tables
 *
 * The answer is a line: pages done and errno, or the sizes. A process that the kernel kills answers nothing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096L
#define CHUNK 16L

static char *arena; /* 4 GiB of addresses, of which the first `used` pages are touched */
static long used;
static char chunk[CHUNK * PAGE];

static long write_file(const char *path, long pages) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    long done = 0;
    while (fd >= 0 && done < pages) {
        long want = (pages - done < CHUNK ? pages - done : CHUNK) * PAGE;
        long got = write(fd, chunk, want);
        if (got < 0)
            break;
        done += got / PAGE;
        if (got < want) /* a full mount: the next call says why */
            continue;
    }
    int why = done < pages ? errno : 0;
    if (fd >= 0)
        close(fd);
    errno = why;
    return done;
}

static long read_file(const char *path) {
    int fd = open(path, O_RDONLY);
    long done = 0, got;
    while (fd >= 0 && (got = read(fd, chunk, sizeof chunk)) > 0)
        done += got / PAGE;
    if (fd >= 0)
        close(fd);
    return done;
}

static void say_size(void) {
    char line[256];
    long resident = 0, tables = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status)) {
        sscanf(line, "VmRSS: %ld", &resident);
        sscanf(line, "VmPTE: %ld", &tables);
    }
    fclose(status);
    printf("%ld %ld\n", resident * 1024 / PAGE, tables * 1024 / PAGE);
}

int main(void) {
    char line[512], path[400];
    long pages;
    /* Addresses on a boundary of 2 MiB, without huge pages: a page touched is a page charged. */
    char *addresses = mmap(NULL, (4L << 30) + (2L << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    arena = (char *)(((unsigned long)addresses + (2L << 20) - 1) & ~((2UL << 20) - 1));
    madvise(arena, 4L << 30, MADV_NOHUGEPAGE);
    memset(chunk, 'x', sizeof chunk);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        errno = 0;
        if (sscanf(line, "a %ld", &pages) == 1) {
            for (long i = 0; i < pages; i++)
                arena[(used + i) * PAGE] = 1;
            used += pages;
            printf("%ld 0\n", pages);
        } else if (sscanf(line, "f %ld", &pages) == 1) {
            pages = pages < used ? pages : used;
            used -= pages;
            madvise(arena + used * PAGE, pages * PAGE, MADV_DONTNEED);
            printf("%ld 0\n", pages);
        } else if (sscanf(line, "w %ld %399s", &pages, path) == 2) {
            long done = write_file(path, pages);
            printf("%ld %d\n", done, errno);
        } else if (sscanf(line, "r %399s", path) == 1) {
            printf("%ld 0\n", read_file(path));
        } else if (line[0] == 's') {
            say_size();
        }
    }
    return 0;
}
