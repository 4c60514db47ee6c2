/*
 * here.h - the walk through an archive and the judge of what it tells, in one
 * process and without a child: for thousands of archives in a second, and for
 * a fuzzer.
 *
 *	here_run(p, n, "x.zip", &limits, &h);	h says what came of it
 */
#ifndef TESTS_HERE_H
#define TESTS_HERE_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unpack/hear.h"
#include "unpack/walk.h"

struct here {
	struct tell tell; /* first */
	struct walk walk;
	struct hear hear;
	struct job job;
	const struct unpack_limits *limits;
	int fd, spool[UNPACK_DEPTH_MAX];
	uint64_t done;
	bool in_file;
	struct hash hash;

	/* What came of it. */
	enum rc end; /* OK: it has not ended */
	struct err why;
	unsigned files, findings, folders, archives, spoiled;
	uint64_t bytes;
	bool full; /* the disk of the spools; set before */
	/* Called with the sum of each file that is whole; may be NULL. */
	void (*whole)(struct here *h, const uint8_t sum[HASH_LEN]);
};

static inline int
here_memory(void)
{
	int fd = memfd_create("here", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static inline bool
here_is_over(const struct here *h)
{
	return h->hear.state == HEAR_OVER || h->hear.state == HEAR_END;
}

static inline void
here_file(struct here *h)
{
	static uint8_t piece[4096];
	uint8_t sum[HASH_LEN];
	size_t got = sizeof(piece);
	enum rc rc = OK;

	while (rc == OK && got == sizeof(piece)) {
		rc = hear_read(&h->hear, piece, sizeof(piece), &got, &h->why);
		hash_add(&h->hash, piece, got);
		h->bytes += got;
	}
	if (rc == AGAIN && !here_is_over(h))
		return;
	hash_end(&h->hash, sum);
	h->in_file = false;
	if (rc != OK) {
		h->spoiled++;
		return;
	}
	h->files++;
	if (h->whole != NULL)
		h->whole(h, sum);
}

/* One step; false: the slot is empty. */
static inline bool
here_step(struct here *h)
{
	struct unpack_member m;
	enum rc rc;

	if (h->in_file) {
		here_file(h);
		return !h->in_file;
	}
	rc = hear_next(&h->hear, &m, &h->why);
	if (rc == AGAIN && !here_is_over(h))
		return false;
	if (rc == OK && m.type == UNPACK_FILE) {
		h->in_file = true;
		hash_init(&h->hash);
	}
	h->folders += rc == OK && m.type == UNPACK_FOLDER;
	h->archives += rc == OK && m.type == UNPACK_ARCHIVE;
	h->findings += rc == OK && m.type == UNPACK_FINDING;
	if (rc == BAD_ITEM && !here_is_over(h))
		h->spoiled++;
	else if (rc != OK)
		h->end = rc;
	return h->end == OK;
}

static inline void
here_give(struct tell *t)
{
	struct here *h = (struct here *)t;

	if (here_is_over(h))
		return;
	hear_slot(&h->hear, t->slot, t->len);
	while (here_step(h))
		continue;
}

static inline enum rc
here_spool(struct walk *w, unsigned level, uint64_t bytes, bool fresh,
	int *ret_fd, struct err *e)
{
	struct here *h = (struct here *)w->tell;

	(void)bytes, (void)e;
	tell_flush(w->tell);
	if (level + 1 >= h->limits->depth)
		abort();
	h->hear.has_spool = true;
	if (h->spool[level] < 0)
		h->spool[level] = h->full
			? open("/dev/full", O_RDWR | O_CLOEXEC)
			: here_memory();
	else if (fresh && ftruncate(h->spool[level], 0) != 0)
		abort();
	if (fresh && lseek(h->spool[level], 0, SEEK_SET) != 0)
		abort();
	*ret_fd = h->spool[level];
	return OK;
}

static inline void
here_run(const void *p, size_t n, const char *name,
	const struct unpack_limits *limits, struct here *h)
{
	static _Alignas(8) uint8_t slot[SLOT_SIZE];

	h->tell = (struct tell){.slot = slot, .give = here_give};
	h->job = (struct job){.size = n,
		.name = STR_INIT,
		.password = STR_INIT,
		.spool = true,
		.limits = *limits};
	str_add(&h->job.name, name);
	h->limits = limits;
	h->walk = (struct walk){.tell = &h->tell,
		.job = &h->job,
		.budget = {.limits = limits, .object = n},
		.done = &h->done,
		.spool = here_spool};
	hear_init(&h->hear, limits, n);
	h->fd = here_memory();
	for (size_t i = 0; i < UNPACK_DEPTH_MAX; i++)
		h->spool[i] = -1;
	if (write(h->fd, p, n) != (ssize_t)n)
		abort();
	walk(&h->walk, h->fd);
	if (h->in_file)
		hash_release(&h->hash);
	close(h->fd);
	for (size_t i = 0; i < UNPACK_DEPTH_MAX; i++)
		if (h->spool[i] >= 0)
			close(h->spool[i]);
	hear_release(&h->hear);
	job_release(&h->job);
}

#endif
