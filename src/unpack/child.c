/*
 * The child: one archive, from UNPACK_START to the last frame.
 */
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "landfall/proc.h"
#include "unpack/walk.h"

enum { NO_JOB = 3, NO_MEMORY = 4 };

struct unpacking {
	struct tell tell; /* first */
	struct walk walk;
	struct more more;
	uint8_t *slots;
	unsigned slot; /* the one being filled */
	bool busy[SLOTS];
	uint64_t done;
	int spool[UNPACK_DEPTH_MAX];
};

/* What is not heard is not worth the work. */
static void
say(struct message *m)
{
	struct err e = ERR_INIT;

	if (channel_send(CHILD_CHANNEL, m, CHANNEL_FOREVER, &e) != OK)
		_exit(0);
}

/* The next message; slots that came back are free. */
static void
listen(struct unpacking *u, struct message *m)
{
	struct err e = ERR_INIT;
	uint64_t slot;

	if (channel_recv(CHILD_CHANNEL, m, true, CHANNEL_FOREVER, &e) != OK)
		_exit(0);
	if (m->type != UNPACK_FREE)
		return;
	slot = message_take_u64(m);
	if (slot < SLOTS)
		u->busy[slot] = false;
}

static void
give_slot(struct tell *t)
{
	struct unpacking *u = (struct unpacking *)t;
	/* walk.m may hold what is to be told next. */
	static struct message m;

	message_begin(&m, UNPACK_SLOT);
	message_put_u64(&m, u->slot);
	message_put_u64(&m, t->len);
	message_put_u64(&m, u->done);
	say(&m);
	u->busy[u->slot] = true;
	u->slot = (u->slot + 1) % SLOTS;
	while (u->busy[u->slot])
		listen(u, &m);
	t->slot = u->slots + u->slot * SLOT_SIZE;
}

static enum rc
get_spool(struct walk *w, unsigned level, uint64_t bytes, bool fresh,
	int *ret_fd, struct err *e)
{
	struct unpacking *u = (struct unpacking *)w->tell;
	struct message *m = &w->m;

	tell_flush(w->tell);
	message_begin(m, UNPACK_SPOOL);
	message_put_u64(m, level);
	message_put_u64(m, bytes);
	message_put_u64(m, fresh);
	say(m);
	do
		listen(u, m);
	while (m->type != UNPACK_SPOOL);
	if (u->spool[level] < 0)
		u->spool[level] = m->fd;
	if (fresh && lseek(u->spool[level], 0, SEEK_SET) != 0)
		return err_set(e, BAD_ITEM, "the spool cannot be used");
	*ret_fd = u->spool[level];
	return OK;
}

static void
get_memory(struct more *m)
{
	struct unpacking *u = (struct unpacking *)((char *)m -
		offsetof(struct unpacking, more));
	static struct message said;

	tell_flush(&u->tell);
	message_begin(&said, UNPACK_MEMORY);
	say(&said);
	do
		listen(u, &said);
	while (said.type != UNPACK_MEMORY);
}

int
unpack_child(const struct child *c UNUSED)
{
	struct unpacking *u = mem_alloc(sizeof(*u));
	struct job job;

	/* libarchive asks for the local time of each zip member, and libc for
	 * the zone's file, which cannot be had here. */
	setenv("TZ", "UTC0", 1);
	listen(u, &u->walk.m);
	if (u->walk.m.type != UNPACK_START || !job_take(&u->walk.m, &job))
		return NO_JOB;
	u->slots = mmap(NULL, SLOTS * SLOT_SIZE, PROT_READ | PROT_WRITE,
		MAP_SHARED, FD_SLOTS, 0);
	if (u->slots == MAP_FAILED)
		return NO_MEMORY;
	for (size_t i = 0; i < ARRAY_LEN(u->spool); i++)
		u->spool[i] = -1;
	u->tell = (struct tell){.slot = u->slots, .give = give_slot};
	u->walk.tell = &u->tell;
	u->walk.job = &job;
	u->walk.budget =
		(struct budget){.limits = &job.limits, .object = job.size};
	u->walk.done = &u->done;
	u->walk.spool = get_spool;
	u->more.ask = get_memory;
	u->walk.more = &u->more;
	walk(&u->walk, FD_OBJECT);
	job_release(&job);
	/* What was told lies in slots that still come back: whoever goes first
	 * is taken for dead. */
	for (;;)
		listen(u, &u->walk.m);
}
