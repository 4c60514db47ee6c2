/*
 * corpus.h - the test data beside the project, ../shared/data from its root.
 * or where $TEST_DATA says. Where it is absent, tests that need it skip and
 * say so.
 */
#ifndef TESTS_CORPUS_H
#define TESTS_CORPUS_H

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"

/* The directory `name` of the data, or NULL. make check sets srcdir. */
static inline const char *
corpus_dir(const char *name)
{
	static char path[PATH_MAX];
	const char *data = getenv("TEST_DATA");
	const char *root = getenv("srcdir");
	DIR *dir;

	if (data != NULL)
		snprintf(path, sizeof(path), "%s/%s", data, name);
	else
		snprintf(path, sizeof(path), "%s/../shared/data/%s",
			root != NULL ? root : ".", name);
	dir = opendir(path);
	if (dir == NULL) {
		print_message("skipped: no %s\n", path);
		return NULL;
	}
	closedir(dir);
	return path;
}

/* Calls see() for each regular file of a directory, in no order. */
static inline size_t
corpus_each(const char *path,
	void (*see)(const char *name, const uint8_t *p, size_t n))
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		struct err e = ERR_INIT;
		struct str s = STR_INIT;

		if (entry->d_name[0] == '.')
			continue;
		must(io_read_file(dirfd(dir), entry->d_name, 64 << 20, &s,
			     BAD_ITEM, &e),
			&e);
		see(entry->d_name, (const uint8_t *)s.s, s.len);
		str_release(&s);
		n++;
	}
	closedir(dir);
	return n;
}

#endif
