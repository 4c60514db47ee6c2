/*
 * scratch.h - a directory of a test's own, and everything in it removed.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"

#define SCRATCH_PATH 64

static inline int UNUSED
scratch_make_below(char path[SCRATCH_PATH], const char *where)
{
	int fd;

	strcpy(path, where);
	strcat(path, "/landfall-test-XXXXXX");
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Absolute, so that it can be configured; asserts that it could be made. */
static inline int UNUSED
scratch_make(char path[SCRATCH_PATH])
{
	return scratch_make_below(path, "/tmp");
}

/* In memory if possible: for hundreds of syncs that nobody waits for. */
static inline int UNUSED
scratch_make_quick(char path[SCRATCH_PATH])
{
	return scratch_make_below(
		path, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static inline int
scratch_remove_one(const char *path, const struct stat *st UNUSED,
	int type UNUSED, struct FTW *ftw UNUSED)
{
	return remove(path);
}

static inline void UNUSED
scratch_remove(const char *path)
{
	assert_int_equal(
		nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* A file with this text; directories on the way must be there. */
static inline void UNUSED
scratch_file(int dir, const char *name, const char *text)
{
	int fd = openat(
		dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

#endif
