#include "landfall/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scan/state.h"

/* ---- the instruction sets, best first ---- */

static const struct isa *const isas[] = {
#ifdef __x86_64__
	&isa_avx512,
	&isa_avx2,
#endif
	&isa_portable,
	&isa_scalar,
};
static _Atomic(const struct isa *) chosen; /* seam: scan_use() */

const struct isa *
isa_current(void)
{
	const struct isa *isa = chosen;

	for (size_t i = 0; isa == NULL; i++)
		if (isas[i]->supported())
			isa = isas[i];
	return isa;
}

/* Whoever supports one supports those below it: the tail of a table. */
const char *const *
scan_isa_names(void)
{
	static const char *const names[] = {
#ifdef __x86_64__
		"avx512", "avx2",
#endif
		"portable", "scalar", NULL};
	size_t i = 0;

	while (!isas[i]->supported())
		i++;
	return names + i;
}

bool
scan_use(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(isas); i++)
		if (strcmp(isas[i]->name, name) == 0 && isas[i]->supported()) {
			chosen = isas[i];
			return true;
		}
	return false;
}

/* ---- the formats without lines ---- */

static bool
opaque_next(struct scan *s)
{
	s->at = s->limit;
	if (!s->last || s->at == s->start)
		return false;
	emit_span(s, 0, 0, true);
	return true;
}

static bool
fixed_next(struct scan *s)
{
	uint64_t left = s->limit - s->start;

	if (left >= s->d.length) {
		s->at = s->start + s->d.length;
		emit_span(s, 0, 0, true);
		return true;
	}
	if (!s->last || left == 0)
		return false;
	s->at = s->limit;
	emit_span(s, KIND_SHORT_RECORD, 0, true);
	return true;
}

static const struct format {
	bool (*next)(struct scan *s);
	bool text; /* may begin with a BOM */
} formats[] = {
	[SCAN_OPAQUE] = {opaque_next, false},
	[SCAN_CSV] = {csv_next, true},
	[SCAN_LINES] = {line_next, true},
	[SCAN_NDJSON] = {line_next_json, true},
	[SCAN_FIXED] = {fixed_next, false},
	[SCAN_JSON] = {document_next, false},
};

/* ---- the byte order mark ---- */

static const struct bom {
	uint8_t bytes[3];
	uint8_t len;
	enum scan_encoding encoding;
} boms[] = {
	{{0xef, 0xbb, 0xbf}, 3, ENCODING_UTF8},
	{{0xff, 0xfe}, 2, ENCODING_UTF16LE},
	{{0xfe, 0xff}, 2, ENCODING_UTF16BE},
};

/* Where a part begins only. It belongs to the first record, not to its first
 * field. */
static void
look_for_bom(struct scan *s)
{
	for (size_t i = 0; i < ARRAY_LEN(boms); i++)
		if (s->limit - s->part >= boms[i].len &&
			memcmp(s->win + (s->part - s->base), boms[i].bytes,
				boms[i].len) == 0) {
			s->totals.bom = true;
			s->totals.encoding = boms[i].encoding;
			s->body = s->at = s->part + boms[i].len;
			break;
		}
}

static bool
begin(struct scan *s)
{
	if (s->start == s->part && formats[s->d.format].text) {
		if (s->limit - s->part < 3 && !s->last)
			return false;
		look_for_bom(s);
	}
	if (formats[s->d.format].text &&
		(s->totals.encoding == ENCODING_UTF16LE ||
			s->totals.encoding == ENCODING_UTF16BE))
		s->width = 2;
	csv_begin(s);
	s->begun = true;
	return true;
}

/* ---- the scanner ---- */

struct scan *
scan_new(const struct dialect *d, const struct scan_sink *sink, void *arg)
{
	struct scan *s = mem_alloc(sizeof(*s));

	if (d->format == SCAN_FIXED && d->length == 0)
		abort();
	s->d = *d;
	s->sink = *sink;
	s->arg = arg;
	s->isa = isa_current();
	s->next = formats[d->format].next;
	s->width = 1;
	s->totals.encoding = d->encoding;
	if (d->format == SCAN_CSV && d->trailer > 0)
		s->hold.ring = mem_array(HOLD_MAX, sizeof(*s->hold.ring));
	return s;
}

struct scan *
scan_new_within(const struct dialect *d, enum scan_encoding encoding,
	uint64_t offset, const struct scan_sink *sink, void *arg)
{
	struct dialect plain = *d;
	struct scan *s;

	plain.trailer = 0;
	s = scan_new(&plain, sink, arg);
	s->within = true;
	/* Between two envelopes there is one record. */
	if (d->format == SCAN_JSON)
		s->next = opaque_next;
	s->totals.encoding = encoding;
	s->origin = s->base = s->limit = s->emitted = offset;
	s->start = s->body = s->at = offset;
	return s;
}

void
scan_free(struct scan *s)
{
	if (s == NULL)
		return;
	document_free(s);
	free(s->hold.ring);
	free(s->csv.header);
	free(s);
}

size_t
scan_step(struct scan *s, const uint8_t *win, size_t len, bool last)
{
	uint64_t settled;

	/* What was left unsettled must be shown again. */
	if (s->base + len < s->limit)
		abort();
	s->win = win;
	s->limit = s->base + len;
	s->last = last;
	if (!s->begun && !begin(s))
		return 0;
	while (s->next(s))
		;
	if (last)
		emit_last(s);
	settled = emit_settle(s);
	len = (size_t)(settled - s->base);
	s->base = settled;
	return len;
}

void
scan_expect_header(struct scan *s, const uint8_t *p, size_t n, uint32_t fields)
{
	struct csv *m = &s->csv;

	if (s->d.format != SCAN_CSV || s->d.header != 1 || n > SCAN_HEADER_MAX)
		return;
	free(m->header);
	m->header = mem_dup(p, n);
	m->header_len = n;
	m->header_fields = fields;
}

void
scan_part(struct scan *s)
{
	const struct scan_exception x = {
		.offset = s->base,
		.length = 1,
		.record = s->totals.records,
		.count = 1,
		.kind = KIND_SEPARATOR,
	};

	s->totals.exceptions++;
	if (s->sink.exception != NULL)
		s->sink.exception(s->arg, &x);
	s->base++;
	s->part = s->limit = s->emitted = s->start = s->body = s->at = s->base;
	s->fed = s->base;
	s->utf8 = (struct utf8)UTF8_INIT;
	s->nul = s->last = s->begun = false;
	s->fault = 0;
	s->width = 1;
	s->totals.encoding = s->d.encoding;
	s->csv = (struct csv){
		.header = s->csv.header,
		.header_len = s->csv.header_len,
		.header_fields = s->csv.header_fields,
	};
	document_restart(s);
}

void
scan_totals(const struct scan *s, struct scan_totals *ret)
{
	*ret = s->totals;
	ret->bytes = s->base - s->origin;
	ret->columns = s->csv.columns > 0 ? (uint32_t)s->csv.columns : 0;
}

bool
scan_exception_join(
	struct scan_exception *run, const struct scan_exception *next)
{
	if (run->kind != next->kind || run->record != next->record ||
		run->offset + run->length != next->offset ||
		run->count > UINT32_MAX - next->count)
		return false;
	run->length += next->length;
	run->count += next->count;
	return true;
}
