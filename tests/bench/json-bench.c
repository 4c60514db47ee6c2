/*
 * json-bench.c - the JSON reader beside jansson's json_loadb, in one thread,
 * on the same pages in memory.
 *
 *	tests/bench/json-bench [MIB [ISA]]
 *
 * MIB (512) of pages of 100 records (pages.h). Ours tells where each record
 * is, its id and time, and the link to the next page; theirs builds the tree
 * of each page. With ISA only that one runs, for a profiler. Prints the best
 * of three, in processor time: other load on the machine counts less.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "landfall/json.h"
#include "landfall/scan.h"
#include "pages.h"

#define PIECE (64u << 10) /* as a body comes in */
#define NEXT "https://api.example.com/api/events?page%5Bcursor%5D=1a9bf002c4"

struct set {
	struct str text;
	size_t *end; /* of each page */
	size_t n;
};

static struct set
make(size_t size)
{
	struct set set = {.text = STR_INIT};
	struct pages m;

	pages_init(&m, 1);
	while (set.text.len < size) {
		pages_add(&m, &set.text, 100, NEXT);
		set.end = mem_resize(set.end, set.n + 1, sizeof(*set.end));
		set.end[set.n++] = set.text.len;
	}
	return set;
}

struct seen {
	uint64_t records;
	uint64_t sum; /* so that nothing is optimised away */
};

static void
see_record(void *arg, unsigned query UNUSED, uint64_t offset UNUSED,
	uint64_t length)
{
	struct seen *seen = arg;

	seen->records++;
	seen->sum += length;
}

static void
see_value(void *arg, unsigned query UNUSED, enum jsonr_type type UNUSED,
	const uint8_t *p, size_t n)
{
	((struct seen *)arg)->sum += n > 0 ? p[0] : 0;
}

static struct jsonpath
path(const char *text)
{
	struct err e = ERR_INIT;
	struct jsonpath p;

	if (jsonpath_parse(text, strlen(text), &p, &e) != OK) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	return p;
}

static uint64_t
run_ours(const struct set *set)
{
	static const struct jsonr_sink sink = {see_record, see_value};
	struct jsonpath paths[] = {path("$.data[*]"), path("$.id"),
		path("$.attributes.updated_at"), path("$.links.next")};
	struct jsonr_query query[] = {
		{.path = &paths[0], .within = JSONR_DOCUMENT, .records = true},
		{.path = &paths[1], .within = 0},
		{.path = &paths[2], .within = 0},
		{.path = &paths[3], .within = JSONR_DOCUMENT},
	};
	struct jsonr_spec spec = {
		.query = query, .n = 4, .max_record = 16 << 20};
	struct seen seen = {0};
	struct jsonr *j = jsonr_new(&spec, &sink, &seen);
	struct err e = ERR_INIT;
	size_t at = 0;

	for (size_t i = 0; i < set->n; i++) {
		while (at < set->end[i]) {
			size_t n = set->end[i] - at;

			n = n < PIECE ? n : PIECE;
			if (jsonr_add(j, (const uint8_t *)set->text.s + at, n,
				    &e) != OK)
				abort();
			at += n;
		}
		if (jsonr_end(j, &e) != OK)
			abort();
		jsonr_reset(j);
	}
	jsonr_free(j);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		jsonpath_release(&paths[i]);
	return seen.records;
}

static uint64_t
run_peer(const struct set *set)
{
	uint64_t records = 0;
	size_t at = 0;

	for (size_t i = 0; i < set->n; i++) {
		json_t *v =
			json_loadb(set->text.s + at, set->end[i] - at, 0, NULL);

		records += json_array_size(json_object_get(v, "data"));
		json_decref(v);
		at = set->end[i];
	}
	return records;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
rate(uint64_t (*run)(const struct set *), const struct set *set,
	uint64_t *ret_records)
{
	double best = 0;

	for (int i = 0; i < 3; i++) {
		double from = seconds();
		double r;

		*ret_records = run(set);
		r = (double)set->text.len / (seconds() - from) / 1e6;
		best = r > best ? r : best;
	}
	return best;
}

int
main(int argc, char **argv)
{
	size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 512) << 20;
	const char *only = argc > 2 ? argv[2] : NULL;
	struct set set = make(size);
	uint64_t records = 0, same;
	double peer = 0, r;

	if (only == NULL) {
		peer = rate(run_peer, &set, &records);
		printf("pages: %.0f MiB, %zu pages, %.0f bytes a record\n",
			(double)set.text.len / 1048576, set.n,
			(double)set.text.len / (double)records);
		printf("  %-10s %8.0f MB/s\n", "jansson", peer);
	}
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++) {
		if (only != NULL && strcmp(only, *isa) != 0)
			continue;
		if (!scan_use(*isa))
			abort();
		r = rate(run_ours, &set, &same);
		printf("  %-10s %8.0f MB/s", *isa, r);
		if (only == NULL)
			printf("  %5.1f x", r / peer);
		putchar('\n');
		if (only == NULL && same != records)
			abort();
	}
	str_release(&set.text);
	free(set.end);
	return 0;
}
