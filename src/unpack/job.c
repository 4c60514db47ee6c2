#include "unpack/job.h"

#include <string.h>

void
job_put(struct message *m, const struct unpack_options *o)
{
	const struct unpack_limits *l = &o->limits;

	message_begin(m, UNPACK_START);
	message_put_u64(m, o->size);
	message_put_bytes(m, o->name, o->name_len);
	message_put_bytes(m, o->password, o->password_len);
	message_put_u64(m, o->number);
	message_put_u64(m, o->keep_deeper);
	message_put_u64(m, o->spool >= 0);
	message_put_u64(m, l->member_bytes);
	message_put_u64(m, l->total_bytes);
	message_put_u64(m, l->members);
	message_put_u64(m, l->ratio);
	message_put_u64(m, l->depth);
	message_put_u64(m, l->name_len);
}

static void
take_bytes(struct message *m, struct str *s)
{
	size_t n;
	const uint8_t *p = message_take_bytes(m, &n);

	*s = (struct str)STR_INIT;
	str_addn(s, p, n);
}

bool
job_take(struct message *m, struct job *ret)
{
	struct unpack_limits *l = &ret->limits;

	*ret = (struct job){.size = message_take_u64(m)};
	take_bytes(m, &ret->name);
	take_bytes(m, &ret->password);
	ret->number = message_take_u64(m) != 0;
	ret->keep_deeper = message_take_u64(m) != 0;
	ret->spool = message_take_u64(m) != 0;
	l->member_bytes = message_take_u64(m);
	l->total_bytes = message_take_u64(m);
	l->members = message_take_u64(m);
	l->ratio = message_take_u64(m);
	l->depth = (unsigned)message_take_u64(m);
	l->name_len = (unsigned)message_take_u64(m);
	return message_end(m);
}

void
job_release(struct job *j)
{
	explicit_bzero(j->password.s, j->password.len);
	str_release(&j->name);
	str_release(&j->password);
}
