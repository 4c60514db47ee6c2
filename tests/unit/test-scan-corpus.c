/* scan/: public and real files; every split of the small, libcsv as a peer. */
#include "landfall/scan.h"

#include <csv.h>

#include "unit.h"

#include "../corpus.h"
#include "../spans.h"

static void
csv_dialect(struct dialect *d, bool header)
{
	dialect_init(d, SCAN_CSV);
	d->header = header ? 1 : 0;
	d->columns = SCAN_COLUMNS_ANY;
}

static bool
has_header(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && strcmp(dot, ".csv") == 0;
}

/* Every ISA, whole and at random cuts, says what the scalar machine says. */
static void
see_splits(const char *name, const uint8_t *p, size_t n)
{
	CLEANUP(spans_release) struct spans whole = {.n = 0};
	uint64_t seed = n * 2654435761u + 1;
	struct dialect d;

	csv_dialect(&d, has_header(name));
	assert_true(scan_use("scalar"));
	spans_of(&d, p, n, cut_never, NULL, &whole);
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++)
		for (size_t i = 0; i <= (n < 1000 ? n : 3); i++) {
			CLEANUP(spans_release) struct spans cut = {.n = 0};
			uint64_t arg = i;

			assert_true(scan_use(*isa));
			spans_of(&d, p, n,
				i == 0		   ? cut_never
					: n < 1000 ? cut_once
						   : cut_random,
				n < 1000 ? &arg : &seed, &cut);
			if (!spans_equal(&whole, &cut))
				fail_msg("%s: %s at split %zu", name, *isa, i);
		}
}

static void
test_every_split_gives_the_same(void **state UNUSED)
{
	const char *path = corpus_dir("csv-spectrum/csvs");

	if (path == NULL)
		skip();
	assert_true(corpus_each(path, see_splits) >= 12);
	assert_true(corpus_each(corpus_dir("real"), see_splits) >= 11);
}

/* ---- libcsv ---- */

struct peer {
	size_t rows;
	size_t fields;
	uint32_t *per_row;
};

static void
peer_field(void *p UNUSED, size_t n UNUSED, void *arg)
{
	((struct peer *)arg)->fields++;
}

static void
peer_row(int c UNUSED, void *arg)
{
	struct peer *peer = arg;

	peer->per_row[peer->rows++] = (uint32_t)peer->fields;
	peer->fields = 0;
}

static int
never(unsigned char c UNUSED)
{
	return 0;
}

static void
count_field(void *arg, const uint8_t *p UNUSED, size_t n UNUSED)
{
	++*(uint32_t *)arg;
}

/*
 * Where both know rules: no stray quotes or junk, blank lines aside (libcsv
 * skips them). Rows must be as many, and each of as many fields.
 */
static void
see_peer(const char *name, const uint8_t *p, size_t n)
{
	CLEANUP(spans_release) struct spans l = {.n = 0};
	struct peer peer = {.per_row = calloc(n + 1, sizeof(uint32_t))};
	struct csv_parser csv;
	uint64_t from = 0;
	size_t row = 0;
	struct dialect d;

	assert_non_null(peer.per_row);
	assert_int_equal(csv_init(&csv, 0), 0);
	csv_set_space_func(&csv, never);
	assert_int_equal(csv_parse(&csv, p, n, peer_field, peer_row, &peer), n);
	csv_fini(&csv, peer_field, peer_row, &peer);
	csv_free(&csv);

	csv_dialect(&d, has_header(name));
	assert_true(scan_use(scan_isa_names()[0]));
	spans_of(&d, p, n, cut_never, NULL, &l);
	if (l.totals.malformed > 0 || l.totals.stray_quotes > 0) {
		print_message("%s: not for libcsv\n", name);
		free(peer.per_row);
		return;
	}
	for (size_t i = 0; i < l.n; i++) {
		struct err e = ERR_INIT;
		uint32_t fields = 0;

		if (l.v[i].kind != KIND_BLANK) {
			must(scan_fields(&d, ENCODING_UTF8, p + from,
				     (size_t)(l.v[i].end - from), count_field,
				     &fields, &e),
				&e);
			assert_true(row < peer.rows);
			if (fields != peer.per_row[row])
				fail_msg("%s: record %zu: %u fields, not %u",
					name, row, fields, peer.per_row[row]);
			row++;
		}
		from = l.v[i].end;
	}
	assert_int_equal(row, peer.rows);
	free(peer.per_row);
}

static void
test_libcsv_agrees(void **state UNUSED)
{
	const char *path = corpus_dir("csv-spectrum/csvs");

	if (path == NULL)
		skip();
	corpus_each(path, see_peer);
	corpus_each(corpus_dir("real"), see_peer);
}

static void
see_sniff(const char *name, const uint8_t *p, size_t n)
{
	struct sniff got;

	scan_sniff(p, n < 65536 ? n : 65536, n < 65536, &got);
	print_message("%s: %s (%u%%)\n", name, got.why.s, got.confidence);
	assert_int_equal(got.dialect.format, SCAN_CSV);
	assert_int_equal(got.dialect.delimiter, ',');
	/* Text above text: nobody can tell, and it says so. */
	if (got.confidence > 80)
		assert_int_equal(got.dialect.header, has_header(name));
	str_release(&got.why);
}

static void
test_real_files_are_recognised(void **state UNUSED)
{
	const char *path = corpus_dir("real");

	if (path == NULL)
		skip();
	corpus_each(path, see_sniff);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_split_gives_the_same),
		cmocka_unit_test(test_libcsv_agrees),
		cmocka_unit_test(test_real_files_are_recognised),
	};

	return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
