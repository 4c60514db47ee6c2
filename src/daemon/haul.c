#include "daemon/haul.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "daemon/container.h"
#include "daemon/crew.h"
#include "daemon/member.h"

/* Up to here a member is read into memory and may be anybody's errand. */
#define SMALL (256u << 10)

/* A name is part of a ledger entry, three bytes for one at the worst. */
#define NAME_MOST 16384

#define TROUBLE_MOST 1000 /* bytes of words about what is bad */

/* One member on its way. */
struct piece {
	struct errand errand; /* first */
	struct piece *next;
	struct walk *walk;
	struct job *job; /* NULL: read, and gone */
	struct source *source;
	struct delivery *d; /* what came of it, or the note */
	char *lost;	    /* why its bytes could not be had */
	bool later;	    /* ... now, */
	bool no_room;	    /* for want of space */
	struct err *broken; /* our disk failed; NULL: it did not */
};

struct walk {
	const struct haul_plan *plan;
	struct haul *haul;
	struct crew crew;
	struct fetch_context fetch; /* ours, for members */
	atomic_uint_fast64_t unpacked;
	uint64_t told; /* bytes of the archive, to whom shows progress */
	struct piece *first, **last;
	atomic_bool spoiled; /* nothing will come of the archive */
	bool cut;	     /* the member taken last could not be read */
	uint8_t *small;
	struct str name;
};

/* ---- progress ---- */

static void
tell_progress(struct walk *w)
{
	uint64_t done = unpack_done(w->plan->unpack);

	/* What a filter has made of it may be larger. */
	if (done > w->plan->outer->size)
		done = w->plan->outer->size;
	if (done <= w->told)
		return;
	fetch_progress(w->plan->fetch, done - w->told);
	w->told = done;
}

/* ---- one member on a worker ---- */

static bool
is_good(const struct delivery *d)
{
	return d->staged && !d->quarantine;
}

static void
run_piece(struct errand *x, const struct fetch_context *fetch)
{
	struct piece *p = (struct piece *)x;
	struct fetch_context ours = *fetch;
	struct err e = ERR_INIT;
	const char *lost;
	enum rc rc;

	/* Of an archive its own bytes count as read, not those in it. */
	ours.bytes = &p->walk->unpacked;
	ours.own = NULL;
	rc = fetch_job(&ours, p->job, &p->d, &e);
	/* There may be more members than we may have descriptors. */
	if (rc == OK && p->d->fd >= 0)
		rc = io_close(&p->d->fd, BROKEN, &e);
	if (rc != OK)
		p->broken = mem_dup(&e, sizeof(e));
	lost = member_lost(p->source, &p->later, &p->no_room);
	if (lost != NULL)
		p->lost = mem_strdup(lost);
	job_free(p->job);
	member_free(p->source);
	p->job = NULL;
	p->source = NULL;
	if (rc != OK || (!is_good(p->d) && !p->walk->plan->partial))
		atomic_store(&p->walk->spoiled, true);
	atomic_fetch_add_explicit(fetch->members, 1, memory_order_relaxed);
}

static struct piece *
add_piece(struct walk *w)
{
	struct piece *p = mem_alloc(sizeof(*p));

	p->errand.run = run_piece;
	p->walk = w;
	*w->last = p;
	w->last = &p->next;
	return p;
}

/* ---- names ---- */

/* "outer.zip!/in.tar.gz!/a.csv", into w->name. */
static void
name_member(struct walk *w, const struct unpack_member *m)
{
	const struct container *outer = w->plan->outer;

	str_clear(&w->name);
	for (size_t i = 0; i < w->plan->n_outer; i++) {
		if (i > 0)
			str_add(&w->name, FORMAT_MEMBER);
		str_addn(&w->name, outer[i].name, outer[i].name_len);
	}
	for (unsigned i = 0; i < m->n_in; i++) {
		str_add(&w->name, FORMAT_MEMBER);
		str_addn(&w->name, m->in[i].name, m->in[i].name_len);
	}
	str_add(&w->name, FORMAT_MEMBER);
	str_addn(&w->name, m->name, m->name_len);
	if (m->nth > 1)
		str_addf(&w->name, "~%llu", (unsigned long long)m->nth);
	/* A hostile one is cut: it is only told, and never lands. */
	if (w->name.len > NAME_MOST)
		str_cut(&w->name, NAME_MOST);
}

static void
descend(struct job *j, const struct haul_plan *p, const struct unpack_member *m)
{
	struct container all[CONTAINERS_MAX];
	size_t n = p->n_outer;

	memcpy(all, p->outer, n * sizeof(*all));
	for (unsigned i = 0; i < m->n_in && n < CONTAINERS_MAX; i++, n++) {
		all[n] = (struct container){
			.name = mem_dup(m->in[i].name, m->in[i].name_len),
			.name_len = m->in[i].name_len,
			.size = m->in[i].size,
		};
		memcpy(all[n].bytes_sha256, m->in[i].sha256, HASH_LEN);
	}
	job_descend(j, all, n);
	while (n-- > p->n_outer)
		free(all[n].name);
}

/* ---- members that do not land ---- */

static struct delivery *
new_note(struct walk *w, const struct unpack_member *m, enum disposition as,
	const char *reason)
{
	struct delivery *d = delivery_new(w->plan->job->config->name,
		(const uint8_t *)w->name.s, w->name.len);

	d->member = true;
	d->disposition = as;
	d->reason = mem_strdup(reason);
	d->signature.size = m->size != UNPACK_UNKNOWN ? m->size : 0;
	d->signature.mtime = m->has_mtime ? m->mtime : 0;
	return d;
}

static void
note(struct walk *w, const struct unpack_member *m, enum disposition as,
	const char *reason)
{
	add_piece(w)->d = new_note(w, m, as, reason);
}

/* It should have landed, and cannot be had. */
static void
lose(struct walk *w, const struct unpack_member *m, const char *why)
{
	struct piece *p = add_piece(w);

	p->d = new_note(w, m, DISPOSITION_QUARANTINED, "");
	p->lost = mem_strdup(why);
	w->cut = true;
	if (!w->plan->partial)
		atomic_store(&w->spoiled, true);
}

/* ---- members that do ---- */

/* Its job, without a source yet. size: UNPACK_UNKNOWN, or told in advance. */
static enum rc
make_job(struct walk *w, const struct unpack_member *m, uint64_t size,
	struct piece **ret, struct err *e)
{
	const struct haul_plan *plan = w->plan;
	const struct job *outer = plan->job;
	struct job *j =
		job_new(outer->config, (const uint8_t *)w->name.s, w->name.len);
	struct catalog_name known;
	struct piece *p;
	enum rc rc;

	j->ops = &member_ops;
	j->signature = (struct signature){
		.size = size != UNPACK_UNKNOWN ? size : 0,
		.mtime = m->has_mtime ? m->mtime : outer->signature.mtime,
	};
	j->by_hand = outer->by_hand;
	j->lenient = outer->lenient;
	j->member = true;
	j->seen_at = outer->seen_at;
	j->evidence = mem_strdup(plan->evidence);
	j->transport = outer->transport;
	descend(j, plan, m);
	rc = catalog_find(plan->catalog, outer->config->name, j->name,
		j->name_len, &known, e);
	if (rc == END)
		known.version.id = 0;
	if (rc == OK || rc == END)
		rc = job_know(j, plan->catalog, &known.version, e);
	if (rc != OK) {
		job_free(j);
		return err_raise(e, BROKEN);
	}
	p = add_piece(w);
	p->job = j;
	*ret = p;
	return OK;
}

/* BAD_ITEM: this member; the caller asks unpack_over. */
static enum rc
take_file(struct walk *w, const struct unpack_member *m, struct err *e)
{
	struct piece *p = NULL;
	size_t got;
	enum rc rc;

	if (w->name.len >= NAME_MOST) {
		lose(w, m, "a name that is too long for the ledger");
		return OK;
	}
	rc = unpack_read(w->plan->unpack, w->small, SMALL, &got, e);
	if (rc != OK)
		return rc;
	if (make_job(w, m, got < SMALL ? got : m->size, &p, e) != OK)
		return e->code;
	p->source = p->job->source =
		member_new(&p->job->signature, w->small, got);
	if (got < SMALL) {
		crew_add(&w->crew, &p->errand, &w->fetch);
		return OK;
	}
	member_follow(p->source, w->plan->unpack, p->job->signature.size,
		w->plan->fetch->room);
	run_piece(&p->errand, &w->fetch);
	w->cut = p->lost != NULL;
	return OK;
}

static enum rc
take_member(struct walk *w, const struct unpack_member *m, struct err *e)
{
	enum rc rc;

	w->cut = false;
	if (m->type == UNPACK_FOLDER)
		return OK;
	name_member(w, m);
	if (m->type == UNPACK_FINDING) {
		w->haul->findings++;
		note(w, m, DISPOSITION_IGNORED, m->finding);
		return OK;
	}
	if (m->type == UNPACK_ARCHIVE) {
		note(w, m, DISPOSITION_UNPACKED, "an archive in the archive");
		return OK;
	}
	if (container_leaves_out(&w->plan->job->config->unpack, m)) {
		note(w, m, DISPOSITION_IGNORED,
			"no pattern of unpack.members fits");
		return OK;
	}
	rc = take_file(w, m, e);
	if (rc == BAD_ITEM) {
		lose(w, m, e->text);
		*e = (struct err)ERR_INIT;
		return OK;
	}
	return rc;
}

/* ---- what came of them ---- */

static void
add_trouble(struct haul *h, const struct delivery *d, const char *why)
{
	h->bad++;
	if (h->trouble.len > TROUBLE_MOST)
		return;
	if (h->trouble.len > 0)
		str_add(&h->trouble, "; ");
	if (d != NULL) {
		str_add_quoted(&h->trouble, d->name, d->name_len);
		str_add(&h->trouble, ": ");
	}
	str_add(&h->trouble, why);
}

static void
wait_with(struct haul *h, const struct delivery *d, const char *why)
{
	struct str s = STR_INIT;

	if (h->wait != NULL)
		return;
	str_add_quoted(&s, d->name, d->name_len);
	str_addf(&s, ": %s", why);
	h->wait = str_take(&s);
	h->needs = d->needs;
	h->no_room = d->no_room;
}

static void
keep(struct haul *h, struct delivery *d)
{
	d->next = NULL;
	*h->last = d;
	h->last = &d->next;
	h->n++;
	if (!is_good(d))
		return;
	h->landing++;
	h->records += d->landed.totals.records;
}

/* A note of what is missing; its bytes lie in the archive, which is kept. */
static void
miss(struct haul *h, struct delivery *d, const char *why)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	/* The text names it. */
	add_trouble(h, NULL, why);
	h->missing++;
	str_addf(&s, "missing: %s; the archive is kept as it came", why);
	free(d->reason);
	d->reason = mem_strdup(s.s);
	d->disposition = DISPOSITION_QUARANTINED;
	keep(h, d);
}

static void
gather_piece(struct haul *h, struct piece *p)
{
	struct delivery *d = p->d;

	if (p->lost != NULL && !p->later) {
		miss(h, d, p->lost);
	} else if (d->staged && d->quarantine) {
		add_trouble(h, d, d->reason);
		keep(h, d);
	} else if (d->staged || d->disposition != DISPOSITION_PENDING) {
		keep(h, d);
	} else {
		wait_with(h, d, d->reason);
		h->no_room |= p->no_room;
		delivery_free(d);
	}
}

/* In order; the first BROKEN is told. */
static enum rc
gather(struct walk *w, struct err *e)
{
	struct piece *p;

	while ((p = w->first) != NULL) {
		w->first = p->next;
		if (p->broken != NULL) {
			if (e->code != BROKEN)
				*e = *p->broken;
			delivery_free(p->d);
		} else {
			gather_piece(w->haul, p);
		}
		free(p->broken);
		free(p->lost);
		free(p);
	}
	return e->code;
}

/* ---- the whole archive ---- */

/*
 * BAD_ITEM of what stands in no name: the archive, or one inside it. Where it
 * ends in the middle of a member, that is missing, and nothing beside it.
 */
static void
bad_archive(struct walk *w, struct err *e)
{
	add_trouble(w->haul, NULL, e->text);
	w->haul->missing += !w->cut;
	w->cut = false;
	*e = (struct err)ERR_INIT;
	if (!w->plan->partial)
		atomic_store(&w->spoiled, true);
}

static enum rc
walk(struct walk *w, struct err *e)
{
	struct unpack *u = w->plan->unpack;
	enum rc rc = OK;

	while (!atomic_load(&w->spoiled)) {
		struct unpack_member m;

		rc = unpack_next(u, &m, e);
		if (rc == OK)
			rc = take_member(w, &m, e);
		tell_progress(w);
		if (rc == BAD_ITEM) {
			bad_archive(w, e);
			rc = OK;
		}
		if (rc != OK || unpack_over(u))
			break;
	}
	return rc == END ? OK : rc;
}

static void
walk_init(struct walk *w, const struct haul_plan *p, struct haul *h)
{
	*w = (struct walk){
		.plan = p,
		.haul = h,
		.fetch = *p->fetch,
		.last = &w->first,
		.name = STR_INIT,
	};
	*h = (struct haul){.trouble = STR_INIT};
	h->last = &h->first;
	crew_begin(&w->crew, p->job->lane);
}

/* What came of it all; ended is how the walk did. */
static enum rc
walk_end(struct walk *w, enum rc rc, struct err *ended, struct err *e)
{
	struct haul *h = w->haul;

	crew_wait(&w->crew, w->plan->fetch);
	if (rc == AGAIN)
		h->wait = mem_strdup(ended->text);
	else if (rc != OK)
		*e = *ended;
	(void)gather(w, e);
	free(w->small);
	str_release(&w->name);
	if (e->code == OK)
		return OK;
	haul_drop(w->plan, h);
	haul_release(h);
	return err_raise(e, BROKEN);
}

/* What a filter made of the delivery is an archive in it. */
static void
note_filtered(struct walk *w)
{
	const struct haul_plan *p = w->plan;
	struct haul_plan above = *p;
	const struct unpack_member m = {
		.name = p->outer[1].name,
		.name_len = p->outer[1].name_len,
		.size = p->outer[1].size,
	};

	above.n_outer = 1;
	w->plan = &above;
	name_member(w, &m);
	w->plan = p;
	note(w, &m, DISPOSITION_UNPACKED, "an archive in the delivery");
}

enum rc
haul_take(const struct haul_plan *p, struct haul *ret, struct err *e)
{
	struct err ended = ERR_INIT;
	struct walk w;
	enum rc rc;

	walk_init(&w, p, ret);
	w.small = mem_alloc(SMALL);
	if (p->n_outer > 1)
		note_filtered(&w);
	rc = walk(&w, &ended);
	return walk_end(&w, rc, &ended, e);
}

enum rc
haul_take_file(const struct haul_plan *p, const struct unpack_member *m, int fd,
	struct haul *ret, struct err *e)
{
	struct err ended = ERR_INIT;
	struct piece *piece = NULL;
	struct walk w;
	enum rc rc = OK;

	walk_init(&w, p, ret);
	name_member(&w, m);
	if (container_leaves_out(&p->job->config->unpack, m))
		note(&w, m, DISPOSITION_IGNORED,
			"no pattern of unpack.members fits");
	else
		rc = make_job(&w, m, m->size, &piece, &ended);
	if (piece == NULL) {
		io_drop(&fd);
		return walk_end(&w, rc, &ended, e);
	}
	piece->source = piece->job->source =
		member_new_file(&piece->job->signature, fd);
	run_piece(&piece->errand, &w.fetch);
	return walk_end(&w, OK, &ended, e);
}

void
haul_drop(const struct haul_plan *p, struct haul *h)
{
	struct delivery *d;

	while ((d = h->first) != NULL) {
		h->first = d->next;
		if (d->staged)
			zone_unstage(p->fetch->zone, d->stage);
		delivery_free(d);
	}
	h->last = &h->first;
	h->n = h->landing = 0;
}

void
haul_release(struct haul *h)
{
	str_release(&h->trouble);
	free(h->wait);
}
