/* content.c - what is kept and worth knowing: NUL, invalid UTF-8. */
#include <string.h>

#include "scan/state.h"

/* In UTF-16 a NUL is a unit, and half the bytes of English are zero. */
static bool
has_nul(const struct scan *s, const uint8_t *p, size_t n)
{
	if (s->width == 1)
		return memchr(p, 0, n) != NULL;
	for (size_t i = 0; i + 1 < n; i += 2)
		if (p[i] == 0 && p[i + 1] == 0)
			return true;
	return false;
}

/*
 * One look at all the batch; single spans only when there is something. The
 * validity of the whole is that of each, because records end in ASCII;
 * fixed-length ones may not.
 */
void
content_batch(struct scan *s)
{
	const uint8_t *p = s->win + (s->batch - s->base);
	size_t n = (size_t)(s->ends[s->n_ends - 1] - s->batch);
	uint64_t from = s->batch;
	unsigned bytes = s->bytes;
	bool utf8, nul;

	/* NUL is rare, so that "may be" is worth a look. */
	if (bytes & BYTES_NUL)
		bytes = s->isa->bytes(p, n);
	nul = bytes & BYTES_NUL;
	utf8 = (bytes & BYTES_HIGH) && s->totals.encoding == ENCODING_UTF8 &&
		(s->d.format == SCAN_FIXED || !s->isa->utf8(p, n));
	if (!utf8 && !nul)
		return;
	for (size_t i = 0; i < s->n_ends; i++) {
		size_t len = (size_t)(s->ends[i] - from);

		if (nul && has_nul(s, p, len))
			s->totals.nul_bytes++;
		if (utf8 && !s->isa->utf8(p, len))
			s->totals.invalid_utf8++;
		p += len;
		from = s->ends[i];
	}
}

void
content_feed(struct scan *s, uint64_t end)
{
	uint64_t from = s->fed > s->emitted ? s->fed : s->emitted;
	const uint8_t *p;

	if (end <= from)
		return;
	p = s->win + (from - s->base);
	if (!s->nul)
		s->nul = has_nul(s, p, (size_t)(end - from));
	if (s->totals.encoding == ENCODING_UTF8)
		utf8_add(&s->utf8, p, (size_t)(end - from));
	s->fed = end;
}

void
content_end(struct scan *s, uint64_t end)
{
	content_feed(s, end);
	s->totals.nul_bytes += s->nul;
	s->totals.invalid_utf8 += !utf8_end(&s->utf8);
	s->nul = false;
	s->utf8 = (struct utf8)UTF8_INIT;
}
