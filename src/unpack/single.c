/*
 * One file in a stream: its name is the stream's without the suffix.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "unpack/reader.h"

struct reader {
	struct stream *stream;
	struct str name, finding;
	bool given;
};

/* The last part of a path, without what says how it is compressed. */
static void
name_of(const struct reader_from *from, struct str *s)
{
	const uint8_t *p = from->name;
	size_t len = from->name_len, begin = len, end = len;
	struct unpack_look look;

	while (begin > 0 && p[begin - 1] != '/')
		begin--;
	unpack_look(NULL, 0, p, len, &look);
	if (look.named == from->kind)
		while (end > begin + 1 && p[--end] != '.')
			continue;
	str_addn(s, p + begin, end - begin);
}

static enum rc
single_open(const struct reader_from *from, struct reader **ret,
	struct err *e UNUSED)
{
	struct reader *r = mem_alloc(sizeof(*r));

	r->stream = from->stream;
	r->name = (struct str)STR_INIT;
	r->finding = (struct str)STR_INIT;
	name_of(from, &r->name);
	*ret = r;
	return OK;
}

static void
single_close(struct reader *r)
{
	stream_free(r->stream);
	str_release(&r->name);
	str_release(&r->finding);
	free(r);
}

static enum rc
single_next(struct reader *r, struct reader_entry *ret, struct err *e)
{
	const uint8_t *p;
	size_t n;

	/* After a failure the stream fails again. */
	if (r->given)
		return stream_next(r->stream, &p, &n, e);
	r->given = true;
	*ret = (struct reader_entry){.type = UNPACK_FILE,
		.name = (const uint8_t *)r->name.s,
		.name_len = r->name.len,
		.size = UNPACK_UNKNOWN,
		.finding = &r->finding};
	return OK;
}

static enum rc
single_data(struct reader *r, const uint8_t **p, size_t *n, struct err *e)
{
	return stream_next(r->stream, p, n, e);
}

const struct reader_ops reader_single = {
	single_open, single_next, single_data, single_close};
