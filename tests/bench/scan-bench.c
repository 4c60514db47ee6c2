/*
 * scan-bench.c - the scanner beside libcsv, in one thread, on the same bytes
 * in memory.
 *
 *	tests/bench/scan-bench [MIB] [FILE]
 *
 * Without FILE it makes two objects of MIB (512): `mixed` has CRLF, quoted
 * commas, doubled quotes, newlines in quotes and UTF-8, in records of about
 * 80 bytes; `plain` is the same without quotes. Prints the best of three.
 */
#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
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
rate(uint64_t (*run)(const struct dialect *, const struct str *),
	const struct dialect *d, const struct str *in, uint64_t *ret_records)
{
	double best = 0;

	for (int i = 0; i < 3; i++) {
		int64_t from = clock_mono();
		double r;

		*ret_records = run(d, in);
		r = (double)in->len / (double)(clock_mono() - from) * 1e3;
		best = r > best ? r : best;
	}
	return best;
}

static void
compare(const char *name, const struct str *in)
{
	uint64_t records;
	struct dialect d;
	double peer;

	dialect_init(&d, SCAN_CSV);
	peer = rate(run_peer, &d, in, &records);
	printf("%s: %.0f MiB, %.0f bytes a record\n", name,
		(double)in->len / 1048576, (double)in->len / (double)records);
	printf("  %-10s %8.0f MB/s\n", "libcsv", peer);
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++) {
		double r;

		if (!scan_use(*isa))
			abort();
		r = rate(run_scan, &d, in, &records);
		printf("  %-10s %8.0f MB/s  %5.1f x\n", *isa, r, r / peer);
	}
}

int
main(int argc, char **argv)
{
	size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 512) << 20;
	struct err e = ERR_INIT;
	struct str in = STR_INIT;

	if (argc > 2) {
		if (io_read_file(AT_FDCWD, argv[2], size, &in, BAD_ITEM, &e) !=
			OK) {
			fprintf(stderr, "scan-bench: %s\n", e.text);
			return 1;
		}
		compare(argv[2], &in);
		str_release(&in);
		return 0;
	}
	in = make(true, size);
	compare("mixed", &in);
	str_release(&in);
	in = make(false, size);
	compare("plain", &in);
	str_release(&in);
	return 0;
}
