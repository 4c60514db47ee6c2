
#include "base/io.h"
#include "unpack/stream.h"

static void
input_tell(struct input *in)
{
	if (in->done != NULL)
		*in->done = in->at;
}

bool
input_more(struct input *in)
{
	if (in->more == NULL || in->more->had)
		return false;
	in->more->had = true;
	in->more->ask(in->more);
	return true;
}

enum rc
input_next(struct input *in, void *p, size_t *ret_n, struct err *e)
{
	uint64_t left = in->size - in->at;
	size_t n = left < INPUT_PIECE ? (size_t)left : INPUT_PIECE;
	enum rc rc = input_at(in, p, n, in->at, e);

	if (rc != OK)
		return rc;
	in->at += n;
	input_tell(in);
	*ret_n = n;
	return OK;
}

enum rc
input_at(struct input *in, void *p, size_t n, uint64_t offset, struct err *e)
{
	size_t got;

	if (offset > in->size || n > in->size - offset)
		return err_set(e, BAD_ITEM,
			"%zu bytes at offset %llu are outside of it", n,
			(unsigned long long)offset);
	if (io_pread(in->fd, p, n, offset, &got, BAD_ITEM, e) != OK) {
		/* Whoever asked may tell it as damage: here it is known. */
		if (in->fault != NULL && in->fault->code == OK)
			*in->fault = *e;
		return e->code;
	}
	if (got < n)
		return err_set(e, BAD_ITEM,
			"it became shorter while it was read: %llu bytes",
			(unsigned long long)(offset + got));
	return OK;
}
