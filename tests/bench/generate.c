/*
 * generate.c - CSV of any size on stdout, different for every seed.
 *
 *	tests/bench/generate mixed|plain BYTES [SEED] > FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "mixed.h"

#define PART ((size_t)1 << 20)

static bool
parse(int argc, char **argv, struct mixed *m, uint64_t *ret_size)
{
	bool mixed = argc > 1 && strcmp(argv[1], "mixed") == 0;

	if (argc < 3 || argc > 4 || (!mixed && strcmp(argv[1], "plain") != 0))
		return false;
	mixed_init(m, mixed, argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
	*ret_size = strtoull(argv[2], NULL, 10);
	return *ret_size >= 3 * MIXED_RECORD_MAX;
}

int
main(int argc, char **argv)
{
	CLEANUP(mem_release) char *part = mem_alloc(2 * PART);
	struct err e = ERR_INIT;
	struct mixed m;
	uint64_t left;

	if (!parse(argc, argv, &m, &left)) {
		fprintf(stderr,
			"usage: generate mixed|plain BYTES [SEED], at least "
			"%d bytes\n",
			3 * MIXED_RECORD_MAX);
		return 1;
	}
	while (left > 0) {
		/* The last part may be larger, never too small to fill. */
		size_t n = left < 2 * PART ? (size_t)left : PART;

		mixed_fill(&m, part, n);
		if (io_write(STDOUT_FILENO, part, n, BROKEN, &e) != OK) {
			fprintf(stderr, "generate: %s\n", e.text);
			return 1;
		}
		left -= n;
	}
	return 0;
}
