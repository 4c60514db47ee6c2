/*
 * scan-bench.c - the scanner beside libcsv, in one thread, on the same bytes
 * in memory.
 *
 *	tests/bench/scan-bench [MIB [ISA]]
 *
 * Two objects of MIB (512): `mixed` has CRLF, quoted commas, doubled quotes,
 * newlines in quotes and UTF-8, in records of about 80 bytes; `plain` is the
 * same without quotes. With ISA only that one runs, for a profiler. Prints the
 *best of three, in processor time: other load on the machine counts less.
 */
#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "landfall/scan.h"
#include "mixed.h"

#define WINDOW (1u << 20)

static struct str
make(bool quotes, size_t size)
{
	CLEANUP(mem_release) char *part = mem_alloc(WINDOW);
	struct str out = STR_INIT;
	struct mixed m;

	mixed_init(&m, quotes, 0);
	while (out.len + WINDOW <= size) {
		mixed_fill(&m, part, WINDOW);
		str_addn(&out, part, WINDOW);
	}
	return out;
}

/* ---- the two ---- */

struct seen {
	uint64_t records;
	uint64_t sum; /* so that nothing is optimised away */
};

static void
see_records(void *arg, const uint64_t *ends, size_t n)
{
	struct seen *seen = arg;

	seen->records += n;
	seen->sum += ends[n - 1];
}

static void
see_exception(void *arg, const struct scan_exception *x)
{
	((struct seen *)arg)->sum += x->length;
}

static uint64_t
run_scan(const struct dialect *d, const struct str *in)
{
	static const struct scan_sink sink = {see_records, see_exception};
	struct seen seen = {0};
	struct scan *s = scan_new(d, &sink, &seen);
	struct scan_totals t;
	size_t from = 0, to = 0;

	while (to < in->len) {
		to = in->len - to > WINDOW ? to + WINDOW : in->len;
		from += scan_step(s, (const uint8_t *)in->s + from, to - from,
			to == in->len);
	}
	scan_totals(s, &t);
	scan_free(s);
	if (t.malformed > 0)
		printf("%llu malformed\n", (unsigned long long)t.malformed);
	return seen.records;
}

static void
see_field(void *p UNUSED, size_t n, void *arg)
{
	((struct seen *)arg)->sum += n;
}

static void
see_row(int c UNUSED, void *arg)
{
	((struct seen *)arg)->records++;
}

static uint64_t
run_peer(const struct dialect *d, const struct str *in)
{
	struct seen seen = {0};
	struct csv_parser csv;

	if (csv_init(&csv, 0) != 0)
		abort();
	csv_set_delim(&csv, d->delimiter);
	for (size_t at = 0, n; at < in->len; at += n) {
		n = in->len - at > WINDOW ? WINDOW : in->len - at;
		csv_parse(&csv, in->s + at, n, see_field, see_row, &seen);
	}
	csv_fini(&csv, see_field, see_row, &seen);
	csv_free(&csv);
	return seen.records;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
rate(uint64_t (*run)(const struct dialect *, const struct str *),
	const struct dialect *d, const struct str *in, uint64_t *ret_records)
{
	double best = 0;

	for (int i = 0; i < 3; i++) {
		double from = seconds();
		double r;

		*ret_records = run(d, in);
		r = (double)in->len / (seconds() - from) / 1e6;
		best = r > best ? r : best;
	}
	return best;
}

static void
compare(const char *name, const struct str *in, const char *only)
{
	uint64_t records = 0, same;
	double peer = 0, r;
	struct dialect d;

	dialect_init(&d, SCAN_CSV);
	if (only == NULL) {
		peer = rate(run_peer, &d, in, &records);
		printf("%s: %.0f MiB, %.0f bytes a record\n", name,
			(double)in->len / 1048576,
			(double)in->len / (double)records);
		printf("  %-10s %8.0f MB/s\n", "libcsv", peer);
	}
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++) {
		if (only != NULL && strcmp(only, *isa) != 0)
			continue;
		if (!scan_use(*isa))
			abort();
		r = rate(run_scan, &d, in, &same);
		printf("  %-10s %8.0f MB/s", *isa, r);
		if (only == NULL)
			printf("  %5.1f x", r / peer);
		putchar('\n');
		/* The header is a record for libcsv. */
		if (only == NULL && same + 16 < records)
			printf("  %llu records less\n",
				(unsigned long long)(records - same));
	}
}

int
main(int argc, char **argv)
{
	size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 512) << 20;
	const char *only = argc > 2 ? argv[2] : NULL;
	struct str in = make(true, size);

	compare("mixed", &in, only);
	str_release(&in);
	in = make(false, size);
	compare("plain", &in, only);
	str_release(&in);
	return 0;
}
