/*
 * clock.c - a wall clock that can be set, for one program: LD_PRELOAD it.
 *
 * TEST_CLOCK names a file of two numbers, nanoseconds as int64_t: when the
 * clock was set (by the real one), and how far it has been off since then.
 * The file may be written while the program runs. Change times of files
 * after that instant are off as well, as they would be; earlier ones are as
 * they were. The monotonic clock is left alone, as settimeofday(2) leaves it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static const volatile int64_t *setting; /* when, by how much */

__attribute__((constructor)) static void
open_setting(void)
{
	int fd = open(getenv("TEST_CLOCK"), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	setting =
		mmap(NULL, 2 * sizeof(*setting), PROT_READ, MAP_SHARED, fd, 0);
	if (setting == MAP_FAILED)
		abort();
	close(fd);
}

static void
shift(struct timespec *ts)
{
	int64_t t = ts->tv_sec * SECOND + ts->tv_nsec;

	if (setting == NULL || t < setting[0])
		return;
	t += setting[1];
	ts->tv_sec = t / SECOND;
	ts->tv_nsec = t % SECOND;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ts);

	if (rc == 0 && id == CLOCK_REALTIME)
		shift(ts);
	return rc;
}

static int
shift_stat(int rc, struct stat *st)
{
	if (rc == 0) {
		shift(&st->st_mtim);
		shift(&st->st_ctim);
	}
	return rc;
}

int
fstatat(int dir, const char *path, struct stat *st, int flags)
{
	return shift_stat(
		(int)syscall(SYS_newfstatat, dir, path, st, flags), st);
}

int
fstat(int fd, struct stat *st)
{
	return fstatat(fd, "", st, AT_EMPTY_PATH);
}

/* What ThreadSanitizer calls for fstat, with glibc's number of the struct. */
int __fxstat(int version, int fd, struct stat *st);

int
__fxstat(int version, int fd, struct stat *st)
{
	(void)version;
	/* Not fstat, which may be the one that asks. */
	return fstatat(fd, "", st, AT_EMPTY_PATH);
}

int
stat(const char *path, struct stat *st)
{
	return fstatat(AT_FDCWD, path, st, 0);
}
