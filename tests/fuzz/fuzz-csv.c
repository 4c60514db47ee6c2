/*
 * fuzz-csv.c - any bytes, any dialect, any cut: every instruction set says
 * what the scalar machine says, and the spans tile the input.
 *
 * Input: 8 bytes of dialect and seed, then the object.
 */
#include "../spans.h"
#include "fuzz.h"

#include "scan/state.h"

#define HEAD 8

static const uint8_t delimiters[] = {',', ';', '\t', '|'};
static const uint64_t limits[] = {
	SCAN_MAX_RECORD, SCAN_MAX_RECORD, 8, 40, 100, 300, 1000, 4000};
static const int32_t columns[] = {
	SCAN_COLUMNS_HEADER, SCAN_COLUMNS_HEADER, SCAN_COLUMNS_ANY, 2};

static void
read_dialect(const uint8_t *p, struct dialect *d)
{
	dialect_init(d, SCAN_CSV);
	d->delimiter = delimiters[p[0] & 3];
	d->quote = p[0] & 4 ? SCAN_NONE : '"';
	d->comment = p[0] & 8 ? '#' : SCAN_NONE;
	d->escape = p[0] & 16 ? ESCAPE_BACKSLASH : ESCAPE_DOUBLE;
	d->strict = p[0] & 32;
	d->resync = !(p[0] & 64);
	d->terminator = p[1] & 3;
	d->encoding = (p[1] >> 2 & 7) % 5;
	d->header = p[1] >> 5 & 3;
	d->max_record = limits[p[2] & 7];
	d->columns = columns[p[2] >> 3 & 3];
	d->trailer = p[2] & 32 ? (p[3] & 3) + 1 : 0;
	if (p[2] & 64) {
		d->trailer_prefix[0] = 'T';
		d->trailer_prefix[1] = d->delimiter;
		d->trailer_prefix_len = 2;
	}
}

/* Fields are decoded, whatever they are; only what is one record may pass. */
static void
take_field(void *arg, const uint8_t *p, size_t n)
{
	size_t *bytes = arg;

	for (size_t i = 0; i < n; i++)
		*bytes += p[i] != 0;
}

static void
decode(const struct dialect *d, const uint8_t *p, const struct spans *l)
{
	uint64_t from = 0;

	for (size_t i = 0; i < l->n && i < 16; i++) {
		struct err e = ERR_INIT;
		size_t bytes = 0;
		enum rc rc = scan_fields(d, l->totals.encoding, p + from,
			(size_t)(l->v[i].end - from), take_field, &bytes, &e);

		SPANS_CHECK(rc == OK || rc == BAD_ITEM);
		from = l->v[i].end;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct spans want = {.n = 0};
	struct dialect d;
	struct scan *s;

	if (n < HEAD)
		return 0;
	read_dialect(p, &d);
	SPANS_CHECK(scan_use("scalar"));
	s = scan_new(&d, &spans_sink, &want);
	spans_walk(s, &d, p + HEAD, 0, n - HEAD, cut_never, NULL, &want);
	SPANS_CHECK(s->csv.steps <= 4 * (n - HEAD) + 16);
	scan_free(s);
	for (const char *const *isa = scan_isa_names(); *isa != NULL; isa++) {
		uint64_t seed = (uint64_t)p[4] << 16 | p[5] << 8 | p[6] | 1;

		for (unsigned k = 0; k < 3; k++) {
			struct spans got = {.n = 0};

			SPANS_CHECK(scan_use(*isa));
			spans_of(&d, p + HEAD, n - HEAD,
				k == 0 ? cut_never : cut_random, &seed, &got);
			SPANS_CHECK(spans_equal(&want, &got));
			spans_release(&got);
		}
	}
	decode(&d, p + HEAD, &want);
	spans_release(&want);
	return 0;
}
