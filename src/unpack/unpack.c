/*
 * The supervisor: starts the child, gives it what it may have, and takes what
 * it tells through hear.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "landfall/proc.h"
#include "unpack/hear.h"
#include "unpack/job.h"
#include "unpack/ration.h"

#define LOOK_UP (CLOCK_SECOND / 5) /* so often for somebody who cancels */

struct unpack {
	struct unpack_options o;
	struct proc *proc;
	int slots_fd;
	uint8_t *slots;
	bool widened;  /* it has the memory that one at a time may have */
	bool has_slot; /* `slot` is being heard */
	uint64_t slot;
	uint64_t done;
	int64_t waited; /* ns */
	int spool[UNPACK_DEPTH_MAX];
	struct hear hear;
	struct message m;
};

/* ---- the beginning and the end ---- */

/*
 * A file in memory whose size nobody can change: a slot that is cut off while
 * it is read would be a SIGBUS here.
 */
static enum rc
make_slots(struct unpack *u, struct err *e)
{
	const size_t size = SLOTS * SLOT_SIZE;

	u->slots_fd =
		memfd_create("landfall-slots", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (u->slots_fd < 0)
		return err_sys(e, AGAIN, errno, "memfd_create");
	if (ftruncate(u->slots_fd, (off_t)size) != 0 ||
		fcntl(u->slots_fd, F_ADD_SEALS,
			F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return err_sys(e, AGAIN, errno, "memory for a child");
	u->slots = mmap(NULL, size, PROT_READ, MAP_SHARED, u->slots_fd, 0);
	if (u->slots == MAP_FAILED) {
		u->slots = NULL;
		return err_sys(e, AGAIN, errno, "mmap");
	}
	return OK;
}

/* How much a spool may grow to, with what is free now. */
static enum rc
free_for_spool(const struct unpack *u, uint64_t *ret, struct err *e)
{
	struct statvfs v;
	uint64_t free;

	if (fstatvfs(u->o.spool, &v) != 0)
		return err_sys(e, BROKEN, errno, "statvfs of the spool");
	free = (uint64_t)v.f_bavail * v.f_frsize;
	*ret = free > u->o.limits.free_space ? free - u->o.limits.free_space
					     : 0;
	return OK;
}

static enum rc
start(struct unpack *u, struct err *e)
{
	const struct unpack_limits *l = &u->o.limits;
	const int fds[] = {u->o.fd, u->slots_fd};
	struct proc_start s = {.kind = UNPACK_CHILD,
		.fds = fds,
		.n_fds = 2,
		.limits = {.memory = l->memory,
			.widened = l->widened,
			.file_size = l->member_bytes,
			.cpu = l->cpu}};
	uint64_t free = 0;
	enum rc rc;

	if (u->o.spool >= 0 && free_for_spool(u, &free, e) != OK)
		return e->code;
	/* Whatever becomes of the child, no spool grows beyond this. */
	if (s.limits.file_size > free)
		s.limits.file_size = free;
	rc = proc_spawn(&s, &u->proc, e);
	if (rc != OK)
		return rc;
	job_put(&u->m, &u->o);
	rc = proc_send(u->proc, &u->m, CHANNEL_FOREVER, e);
	explicit_bzero(u->m.body, u->m.len);
	return rc;
}

/* An object that is no archive is refused before anything is started. */
static enum rc
look(const struct unpack_options *o, struct err *e)
{
	uint8_t head[UNPACK_HEAD];
	struct unpack_look l;
	size_t n;

	if (io_pread(o->fd, head, sizeof(head), 0, &n, AGAIN, e) != OK)
		return e->code;
	unpack_look(head, n, o->name, o->name_len, &l);
	if (l.content == UNPACK_NOTHING)
		return err_set(e, BAD_ITEM,
			"its bytes are no archive that is known here (zip, "
			"tar, gzip, bzip2, xz, zstd)%s%s",
			l.named == UNPACK_NOTHING ? ""
						  : ", though its name "
						    "says ",
			l.named == UNPACK_NOTHING ? ""
						  : unpack_kind_name(l.named));
	return OK;
}

static enum rc
check_options(const struct unpack_options *o, struct err *e)
{
	const struct unpack_limits *l = &o->limits;

	if (o->name_len > UNPACK_NAME_MAX || o->password_len > PASSWORD_MAX)
		return err_set(e, BAD_ITEM, "a name or password too long");
	if (l->ratio == 0 || l->depth == 0 || l->depth > UNPACK_DEPTH_MAX ||
		l->name_len > UNPACK_NAME_MAX || l->cpu == 0)
		return err_set(e, BROKEN, "unpack: limits that cannot be");
	return OK;
}

enum rc
unpack_open(const struct unpack_options *o, struct unpack **ret, struct err *e)
{
	struct unpack *u;
	enum rc rc = check_options(o, e);

	if (rc == OK)
		rc = look(o, e);
	if (rc != OK)
		return rc;
	u = mem_alloc(sizeof(*u));
	u->o = *o;
	u->slots_fd = -1;
	for (size_t i = 0; i < ARRAY_LEN(u->spool); i++)
		u->spool[i] = -1;
	hear_init(&u->hear, &u->o.limits, o->size);
	rc = make_slots(u, e);
	if (rc == OK)
		rc = start(u, e);
	if (rc != OK) {
		unpack_free(u);
		return rc;
	}
	*ret = u;
	return OK;
}

void
unpack_free(struct unpack *u)
{
	if (u == NULL)
		return;
	proc_free(u->proc);
	if (u->widened)
		ration_give();
	if (u->slots != NULL)
		munmap(u->slots, SLOTS * SLOT_SIZE);
	io_drop(&u->slots_fd);
	for (size_t i = 0; i < ARRAY_LEN(u->spool); i++)
		io_drop(&u->spool[i]);
	hear_release(&u->hear);
	free(u);
}

const char *
unpack_weak(const struct unpack *u)
{
	return proc_weak(u->proc);
}

uint64_t
unpack_done(const struct unpack *u)
{
	return u->done;
}

bool
unpack_over(const struct unpack *u)
{
	return u->hear.state == HEAR_OVER || u->hear.state == HEAR_END;
}

/* ---- what the child asks for ---- */

static bool
is_cancelled(const struct unpack *u)
{
	return u->o.cancel != NULL && atomic_load(u->o.cancel);
}

static enum rc
too_long(const struct unpack *u, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_duration(&s, (uint64_t)u->o.limits.wall);
	return err_set(e, BAD_ITEM,
		"unpacking took longer than %s (max_time), at %" PRIu64
		" of %" PRIu64 " bytes",
		s.s, u->done, u->o.size);
}

/* It has room for m, or does not read any more and is no use. */
static enum rc
answer(struct unpack *u, struct err *e)
{
	int64_t deadline = clock_mono() + u->o.limits.wall - u->waited;

	enum rc rc = proc_send(u->proc, &u->m, deadline + CLOCK_SECOND, e);

	return rc == AGAIN ? too_long(u, e) : rc;
}

static enum rc
make_spool(struct unpack *u, int *ret_fd, struct err *e)
{
	return io_open(
		u->o.spool, ".", O_TMPFILE | O_RDWR, 0600, ret_fd, BROKEN, e);
}

/* Grants or refuses; only a broken disk of ours is an error. */
static enum rc
spool(struct unpack *u, struct err *e)
{
	struct message *m = &u->m;
	uint64_t level = message_take_u64(m), bytes = message_take_u64(m);
	bool fresh = message_take_u64(m) != 0;
	uint64_t room;
	int fd = -1;

	if (!message_end(m) || u->o.spool < 0 || level + 1 >= u->o.limits.depth)
		return err_set(e, BAD_ITEM,
			"the unpack child talks nonsense: a spool");
	if (free_for_spool(u, &room, e) != OK)
		return e->code;
	if (u->spool[level] < 0) {
		if (make_spool(u, &u->spool[level], e) != OK)
			return e->code;
		fd = u->spool[level];
	} else if (fresh && ftruncate(u->spool[level], 0) != 0) {
		return err_sys(e, BROKEN, errno, "ftruncate of a spool file");
	}
	if (room < SPOOL_STEP) {
		CLEANUP(str_release) struct str s = STR_INIT;

		str_add_size(&s, bytes);
		return err_set(e, AGAIN,
			"no room on disk for an archive inside of %s and more, "
			"beside what is to stay free",
			s.s);
	}
	u->hear.has_spool = true;
	message_begin(m, UNPACK_SPOOL);
	m->fd = fd;
	return answer(u, e);
}

/* ---- memory for one at a time ---- */

/*
 * Only between members: whoever waits in the middle of one may hold what the
 * other needs to come to an end. The wait is none for the child.
 */
static enum rc
more_memory(struct unpack *u, struct err *e)
{
	if (!message_end(&u->m) || u->widened || u->hear.state == HEAR_FILE)
		return err_set(
			e, BAD_ITEM, "the unpack child talks nonsense: memory");
	while (!ration_take(LOOK_UP))
		if (is_cancelled(u))
			return err_set(e, AGAIN, "stopped while unpacking");
	u->widened = true;
	if (proc_widen(u->proc, e) != OK)
		return e->code;
	message_begin(&u->m, UNPACK_MEMORY);
	return answer(u, e);
}

/* ---- slots ---- */

/* A message from the child, within what is left of the time it has. */
static enum rc
listen(struct unpack *u, struct err *e)
{
	for (;;) {
		int64_t begin = clock_mono();
		enum rc rc;

		if (is_cancelled(u))
			return err_set(e, AGAIN, "stopped while unpacking");
		rc = proc_recv(u->proc, &u->m, begin + LOOK_UP, e);
		u->waited += clock_mono() - begin;
		if (u->waited > u->o.limits.wall)
			return too_long(u, e);
		if (rc != AGAIN)
			return rc;
		*e = (struct err)ERR_INIT;
	}
}

static enum rc
give_back(struct unpack *u, struct err *e)
{
	if (!u->has_slot)
		return OK;
	u->has_slot = false;
	message_begin(&u->m, UNPACK_FREE);
	message_put_u64(&u->m, u->slot);
	return answer(u, e);
}

static enum rc
take_slot(struct unpack *u, struct err *e)
{
	uint64_t index = message_take_u64(&u->m);
	uint64_t len = message_take_u64(&u->m);
	uint64_t done = message_take_u64(&u->m);

	if (!message_end(&u->m) || index >= SLOTS || len == 0 ||
		len > SLOT_SIZE || done > u->o.size)
		return err_set(
			e, BAD_ITEM, "the unpack child talks nonsense: a slot");
	u->done = done;
	u->slot = index;
	u->has_slot = true;
	hear_slot(&u->hear, u->slots + index * SLOT_SIZE, len);
	return OK;
}

/* The next slot; not OK: the archive is over. */
static enum rc
refill(struct unpack *u, struct err *e)
{
	enum rc rc = give_back(u, e);

	while (rc == OK) {
		rc = listen(u, e);
		if (rc != OK)
			break;
		if (u->m.type == UNPACK_SLOT) {
			rc = take_slot(u, e);
			if (rc == OK)
				return OK;
		} else if (u->m.type == UNPACK_SPOOL) {
			rc = spool(u, e);
		} else if (u->m.type == UNPACK_MEMORY) {
			rc = more_memory(u, e);
		} else {
			rc = err_set(
				e, BAD_ITEM, "the unpack child talks nonsense");
		}
	}
	return hear_give_up(&u->hear, e);
}

enum rc
unpack_next(struct unpack *u, struct unpack_member *ret, struct err *e)
{
	enum rc rc;

	while ((rc = hear_next(&u->hear, ret, e)) == AGAIN && !unpack_over(u)) {
		rc = refill(u, e);
		if (rc != OK)
			return rc;
	}
	return rc;
}

enum rc
unpack_read(struct unpack *u, void *p, size_t n, size_t *ret_got, struct err *e)
{
	size_t got = 0, some;
	enum rc rc;

	while ((rc = hear_read(&u->hear, (uint8_t *)p + got, n - got, &some,
			e)) == AGAIN &&
		!unpack_over(u)) {
		got += some;
		rc = refill(u, e);
		if (rc != OK)
			return rc;
	}
	*ret_got = got + some;
	return rc;
}
