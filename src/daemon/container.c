#include "daemon/container.h"

#include <stdatomic.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/container-state.h"
#include "daemon/haul.h"

#define STEP (256u << 10)

enum rc
container_look(const struct job *j, struct feed *f, struct unpack_look *ret,
	struct err *e)
{
	const uint8_t *head;
	size_t got;
	enum rc rc;

	if (!j->config->unpack.set || j->member)
		return END;
	rc = feed_head(f, UNPACK_HEAD, &head, &got, e);
	if (rc != OK)
		return rc;
	unpack_look(head, got, j->name, j->name_len, ret);
	/* With a filter everything goes through it. */
	if (j->config->unpack.filter.command.n > 0)
		return OK;
	if (ret->document)
		return END;
	return ret->content != UNPACK_NOTHING || ret->named != UNPACK_NOTHING
		? OK
		: END;
}

/* ---- the archive's own bytes ---- */

/* Its SHA-256, and whether it is what checksum files say. END: it is not. */
static enum rc
hash_all(struct container_run *r, struct str *why, struct err *e)
{
	CLEANUP(reckoning_release) struct reckoning reckoning = {0};
	CLEANUP(mem_release) uint8_t *part = mem_alloc(STEP);
	struct hash h;
	size_t got = STEP;
	enum rc rc = reckoning_begin(&reckoning, &r->job->claims, e);

	hash_init(&h);
	while (rc == OK && got == STEP) {
		rc = feed_read(r->feed, part, STEP, &got, e);
		if (rc != OK)
			break;
		hash_add(&h, part, got);
		reckoning_add(&reckoning, part, got);
		r->outer[0].size += got;
	}
	hash_end(&h, r->outer[0].bytes_sha256);
	if (rc != OK)
		return rc;
	r->d->landed.size = r->outer[0].size;
	memcpy(r->d->landed.bytes_sha256, r->outer[0].bytes_sha256, HASH_LEN);
	if (r->job->lenient ||
		reckoning_end(&reckoning, r->outer[0].bytes_sha256, why))
		return OK;
	return END;
}

static void
add_agreement(const struct container_run *r, struct str *s)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (r->job->config->unpack.filter.command.n == 0 &&
		unpack_disagrees(r->look, &why))
		str_addf(s, "; %s", why.s);
}

/* ---- is it known? ---- */

static void
note_same(struct delivery *d, const struct catalog_version *v)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_addf(&s, "same bytes again, unpacked as ledger entry %llu",
		(unsigned long long)v->index);
	fetch_leave(d, DISPOSITION_DUPLICATE, s.s);
	d->generation = v->generation;
	d->index = v->index;
}

/* A new fact, though no new bytes: this name has them too. */
static void
record_again(struct container_run *r, const struct catalog_version *v)
{
	struct delivery *d = r->d;

	d->recorded = true;
	d->is_again = true;
	d->again = v->index;
	d->disposition = DISPOSITION_DUPLICATE;
	d->relation = RELATION_IDENTICAL;
	d->generation = r->job->generation + 1;
	str_add(&d->file, v->file);
	memcpy(d->file_sha256, v->file_sha256, HASH_LEN);
}

static bool
has_bytes(const struct container_run *r, const struct catalog_version *v)
{
	return v->id != 0 &&
		memcmp(v->bytes_sha256, r->outer[0].bytes_sha256, HASH_LEN) ==
		0;
}

/* OK: it was unpacked before, and d says so. END: it was not. */
static enum rc
find_before(struct container_run *r, struct err *e)
{
	const struct job *j = r->job;
	struct catalog_version first;
	struct catalog_name known;
	enum rc rc = catalog_find_unpacked(r->catalog, j->config->name,
		r->outer[0].bytes_sha256, r->outer[0].size, &first, e);

	if (rc != OK)
		return rc;
	rc = catalog_find(
		r->catalog, j->config->name, j->name, j->name_len, &known, e);
	if (rc != OK && rc != END)
		return rc;
	if (rc == OK && has_bytes(r, &known.version) &&
		(known.version.disposition == DISPOSITION_UNPACKED ||
			known.version.disposition == DISPOSITION_DUPLICATE)) {
		note_same(r->d, &first);
		return OK;
	}
	if (j->config->duplicates == DUPLICATE_LAND)
		return END;
	record_again(r, &first);
	return OK;
}

/* ---- taking it apart ---- */

void
container_warn(const char *weak)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;

	if (weak != NULL && !atomic_flag_test_and_set(&told))
		log_say(LOG_WARNING, "sandbox", "unpacking is held by less: %s",
			weak);
}

void
container_limits(const struct unpack_config *u, struct unpack_limits *l)
{
	l->member_bytes = u->max_member;
	l->total_bytes = u->max_bytes;
	l->members = u->max_members;
	l->ratio = u->max_ratio;
	l->depth = u->max_depth;
	l->widened = u->max_memory;
	l->wall = u->max_time;
	l->cpu = (uint64_t)(u->max_time / INT64_C(1000000000)) + 1;
}

bool
container_leaves_out(
	const struct unpack_config *u, const struct unpack_member *m)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	size_t skip;

	if (u->members.n == 0)
		return false;
	str_addn(&path, m->name, m->name_len);
	/* As `tar cf x.tar .` writes them. */
	skip = strncmp(path.s, "./", 2) == 0 ? 2 : 0;
	return !source_matches(&u->members, path.s + skip);
}

static enum rc
open_archive(struct container_run *r, int fd, const struct buf *password,
	struct unpack **ret, struct err *e)
{
	const struct unpack_config *u = &r->job->config->unpack;
	struct unpack_options o = {
		.fd = fd,
		.size = r->outer[r->n_outer - 1].size,
		.name = r->outer[r->n_outer - 1].name,
		.name_len = r->outer[r->n_outer - 1].name_len,
		.password = password->len > 0 ? password->data : NULL,
		.password_len = password->len,
		.number = u->same_name == SAME_NAME_NUMBER,
		.spool = r->fetch->spool,
		.cancel = r->job->cancel,
		.limits = UNPACK_LIMITS_DEFAULT,
	};
	enum rc rc;

	container_limits(u, &o.limits);
	rc = room_floor(r->fetch->room, &o.limits.free_space, e);
	if (rc == OK)
		rc = unpack_open(&o, ret, e);
	if (rc == OK)
		container_warn(unpack_weak(*ret));
	return rc;
}

enum rc
container_password(
	const struct container_run *r, struct buf *ret, struct err *e)
{
	const struct secret *secret = &r->job->config->unpack.password;

	if (secret->n == 0 || secret_resolve(secret, ret, e) == OK)
		return OK;
	err_add(e, "unpack.password");
	return err_raise(e, AGAIN);
}

/* BAD_ITEM: it cannot even be opened. */
static enum rc
haul_archive(struct container_run *r, int fd, struct haul_plan *p,
	struct haul *ret, struct err *e)
{
	CLEANUP(secret_forget) struct buf password;
	enum rc rc;

	buf_init(&password, 0);
	/*
	 * With a filter the password is the filter's. Few archives need one:
	 * whether this does is known once it could not be read without.
	 */
	if (r->filtered < 0)
		(void)!container_password(r, &password, &r->locked);
	rc = open_archive(r, fd, &password, &p->unpack, e);
	if (rc == OK)
		rc = haul_take(p, ret, e);
	unpack_free(p->unpack);
	return rc;
}

/* What came out of the filter is one file. */
static enum rc
haul_file(struct container_run *r, struct haul_plan *p, struct haul *ret,
	struct err *e)
{
	const struct unpack_member m = {
		.type = UNPACK_FILE,
		.name = r->outer[1].name,
		.name_len = r->outer[1].name_len,
		.size = r->outer[1].size,
	};
	int fd = r->filtered;

	r->filtered = -1;
	p->n_outer = 1;
	return haul_take_file(p, &m, fd, ret, e);
}

static enum rc
haul(struct container_run *r, int fd, bool partial, struct haul *ret,
	struct err *e)
{
	CLEANUP(str_release) struct str evidence = STR_INIT;
	struct haul_plan p = {
		.fetch = r->fetch,
		.job = r->job,
		.outer = r->outer,
		.n_outer = r->n_outer,
		.catalog = r->catalog,
		.partial = partial,
	};

	str_add(&evidence, r->job->evidence);
	add_agreement(r, &evidence);
	if (r->job->release.why != NULL)
		str_addf(&evidence, "; %s", r->job->release.why);
	p.evidence = evidence.s;
	if (r->filtered < 0)
		return haul_archive(r, fd, &p, ret, e);
	if (r->filtered_look.content != UNPACK_NOTHING &&
		!r->filtered_look.document)
		return haul_archive(r, r->filtered, &p, ret, e);
	return haul_file(r, &p, ret, e);
}

/* ---- what becomes of it ---- */

/* Not now: its members are forgotten, and it stands for them. */
static enum rc
wait(struct container_run *r, const char *why)
{
	fetch_leave(r->d, DISPOSITION_PENDING, why);
	return END;
}

static enum rc
quarantine(struct container_run *r, const char *what, const char *why,
	struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_addf(&s, "%s%s", what, why);
	add_agreement(r, &s);
	return fetch_whole(r->fetch, r->job, r->feed, s.s, r->d, e);
}

static enum relation
relation_of(const struct container_run *r)
{
	if (r->job->generation == 0)
		return RELATION_FIRST;
	return memcmp(r->job->previous_sha256, r->outer[0].bytes_sha256,
		       HASH_LEN) == 0
		? RELATION_IDENTICAL
		: RELATION_REPLACED;
}

/* Members first, the archive behind them: one group. */
static struct delivery *
chain(struct delivery *d, struct haul *h)
{
	for (struct delivery *m = h->first; m != NULL; m = m->next)
		if (m->staged || m->disposition != DISPOSITION_QUARANTINED)
			m->container = d;
	d->members.findings = h->findings;
	d->members.missing = h->missing;
	*h->last = d;
	return h->first;
}

/*
 * All that can land does. What could not be had, or is not fit to be a file,
 * is still in the archive: then that is kept too.
 */
static enum rc
accept(struct container_run *r, struct haul *h, struct delivery **ret,
	struct err *e)
{
	bool kept = r->job->config->unpack.keep_container || h->missing > 0 ||
		h->findings > 0;
	struct delivery *d = r->d;
	enum rc rc;

	d->unpacked = true;
	if (kept)
		rc = fetch_whole(r->fetch, r->job, r->feed, NULL, d, e);
	else
		rc = fetch_look_again(r->job, d, e);
	if (rc != OK) {
		d->unpacked = false;
		return rc;
	}
	if (!kept) {
		d->recorded = true;
		d->disposition = DISPOSITION_UNPACKED;
		d->generation = r->job->generation + 1;
		d->relation = relation_of(r);
	}
	if (h->missing > 0)
		d->reason = mem_strdup(h->trouble.s);
	*ret = chain(d, h);
	h->first = NULL;
	return OK;
}

/* END: d says what became of it. */
static enum rc
judge(struct container_run *r, struct haul *h, bool partial,
	struct delivery **ret, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (h->wait != NULL) {
		r->d->needs = h->needs;
		r->d->no_room = h->no_room;
		return wait(r, h->wait);
	}
	if (h->missing > 0 && r->locked.code != OK)
		return wait(r, r->locked.text);
	if (h->bad > 0 && (!partial || h->landing == 0))
		return quarantine(r, "", h->trouble.s, e);
	/* A manifest counts what is in it, all members together. */
	if (!r->job->lenient &&
		!claims_check_records(&r->job->claims, h->records, &why))
		return quarantine(r, "", why.s, e);
	return accept(r, h, ret, e);
}

static enum rc
take_apart(struct container_run *r, struct delivery **ret, struct err *e)
{
	bool partial = r->job->config->unpack.partial == PARTIAL_ALLOW ||
		r->job->lenient;
	const struct haul_plan gone = {.fetch = r->fetch};
	struct err why = ERR_INIT;
	struct haul h;
	int fd = -1;
	enum rc rc = feed_whole(r->feed, &fd, &why);

	if (rc == END)
		return wait(r, "an archive must lie there as a whole");
	if (rc == OK && r->job->config->unpack.filter.command.n > 0)
		rc = container_filter(r, fd, &why);
	if (rc == OK)
		rc = haul(r, fd, partial, &h, &why);
	if (rc == BAD_ITEM)
		return quarantine(r, "", why.text, e);
	if (rc == BROKEN) {
		*e = why;
		return rc;
	}
	if (rc != OK)
		return wait(r, why.text);
	rc = judge(r, &h, partial, ret, e);
	haul_drop(&gone, &h);
	haul_release(&h);
	return rc;
}

static enum rc
run(struct container_run *r, struct delivery **ret, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct err failed = ERR_INIT;
	enum rc rc = hash_all(r, &why, &failed);

	if (rc == END)
		return quarantine(r, "", why.s, e);
	if (rc == BROKEN) {
		*e = failed;
		return rc;
	}
	if (rc != OK)
		return wait(r, failed.text);
	if (r->look->content == UNPACK_NOTHING &&
		r->job->config->unpack.filter.command.n == 0)
		return quarantine(r, "not an archive", "", e);
	rc = find_before(r, e);
	if (rc == END)
		return take_apart(r, ret, e);
	return rc == OK ? fetch_look_again(r->job, r->d, e) : rc;
}

enum rc
container_run(const struct fetch_context *c, const struct job *j,
	struct feed *f, const struct unpack_look *look, struct delivery *d,
	struct delivery **ret, struct err *e)
{
	struct container_run r = {
		.fetch = c,
		.job = j,
		.feed = f,
		.look = look,
		.d = d,
		.outer = {{.name = j->name, .name_len = j->name_len}},
		.n_outer = 1,
		.inner = STR_INIT,
		.filtered = -1,
	};
	enum rc rc = engine_catalog(c->engine, &r.catalog, e);

	*ret = d;
	if (rc == OK)
		rc = run(&r, ret, e);
	catalog_close(r.catalog);
	io_drop(&r.filtered);
	str_release(&r.inner);
	return rc == OK || rc == END ? OK : err_raise(e, BROKEN);
}
