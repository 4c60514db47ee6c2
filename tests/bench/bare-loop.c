/*
 * bare-loop.c - the least that makes many small files durable: create, write
 * and close each, and one syncfs. No names are checked, nothing is hashed,
 * compressed or recorded. It also makes the deliveries landfall is timed on.
 *
 *	tests/bench/bare-loop DIR FILES BYTES
 *
 * Prints the seconds of loop and syncfs; making the contents is not in them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/mem.h"
#include "mixed.h"

static enum rc
write_files(
	int dir, const char *bytes, size_t files, size_t size, struct err *e)
{
	for (size_t i = 0; i < files; i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "orders_%06zu.csv", i);
		if (io_open(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0644, &fd,
			    BROKEN, e) != OK)
			return e->code;
		if (io_write(fd, bytes + i * size, size, BROKEN, e) != OK) {
			io_drop(&fd);
			return e->code;
		}
		if (io_close(&fd, BROKEN, e) != OK)
			return e->code;
	}
	return durable_sync_fs(dir, e);
}

int
main(int argc, char **argv)
{
	size_t files = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	size_t size = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	CLEANUP(mem_release) char *bytes = NULL;
	struct err e = ERR_INIT;
	int64_t from;
	int dir;

	if (files == 0 || size < 3 * MIXED_RECORD_MAX) {
		fprintf(stderr, "usage: bare-loop DIR FILES BYTES\n");
		return 1;
	}
	bytes = mem_array(files, size);
	for (size_t i = 0; i < files; i++) {
		struct mixed m;

		mixed_init(&m, true, i);
		mixed_fill(&m, bytes + i * size, size);
	}
	if (io_open(AT_FDCWD, argv[1], O_RDONLY | O_DIRECTORY, 0, &dir, BROKEN,
		    &e) != OK)
		goto fail;
	from = clock_mono();
	if (write_files(dir, bytes, files, size, &e) != OK)
		goto fail;
	printf("%.6f\n", (double)(clock_mono() - from) / CLOCK_SECOND);
	return 0;
fail:
	fprintf(stderr, "bare-loop: %s\n", e.text);
	return 1;
}
