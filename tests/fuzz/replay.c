/*
 * replay.c - runs a fuzz target over the files of its corpus, so that what
 * fuzzing once found stays found in every `make check`, with any compiler.
 *
 *	fuzz-NAME [FILE|DIRECTORY...]	default: $srcdir/tests/fuzz/corpus/NAME
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "fuzz.h"

static int
replay_file(const char *path)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct err e = ERR_INIT;
	uint8_t *copy;

	if (io_read_file(AT_FDCWD, path, 16 << 20, &s, BAD_ITEM, &e) != OK) {
		fprintf(stderr, "%s: %s\n", path, e.text);
		return 1;
	}
	fprintf(stderr, "%s\n", path);
	/* Of exactly this size, so that a sanitizer sees its end. */
	copy = malloc(s.len + (s.len == 0));
	if (copy == NULL)
		abort();
	memcpy(copy, s.s, s.len);
	LLVMFuzzerTestOneInput(copy, s.len);
	free(copy);
	return 0;
}

static int
replay(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int failed = 0;

	if (dir == NULL && errno == ENOTDIR)
		return replay_file(path);
	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		char file[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path,
			    entry->d_name) >= (int)sizeof(file))
			abort();
		failed |= replay_file(file);
	}
	closedir(dir);
	return failed;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	const char *name = strrchr(argv[0], '/');
	char path[PATH_MAX];
	int failed = 0;

	if (argc == 1) {
		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
			srcdir != NULL ? srcdir : ".",
			name != NULL ? name + 1 : argv[0]);
		return replay(path);
	}
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed;
}
