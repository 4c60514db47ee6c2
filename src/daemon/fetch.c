#include "daemon/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "daemon/account.h"
#include "daemon/container.h"
#include "daemon/shape.h"

void
fetch_leave(struct delivery *d, enum disposition as, const char *reason)
{
	d->disposition = as;
	free(d->reason);
	d->reason = mem_strdup(reason);
}

void
fetch_progress(const struct fetch_context *c, uint64_t n)
{
	atomic_fetch_add_explicit(c->bytes, n, memory_order_relaxed);
	if (c->own != NULL)
		atomic_fetch_add_explicit(c->own, n, memory_order_relaxed);
}

/* All bytes of a feed into l. *ret_unfit: it is no error of the feed's. */
static enum rc
read_all(const struct fetch_context *c, struct feed *f, struct land *l,
	struct reckoning *r, bool *ret_unfit, struct err *e)
{
	size_t n, got;

	do {
		uint8_t *p = land_room(l, &n);

		if (feed_read(f, p, n, &got, e) != OK)
			return e->code;
		reckoning_add(r, p, got);
		if (got > 0 && land_add(l, got, e) != OK) {
			*ret_unfit = e->code == BAD_ITEM;
			return e->code;
		}
		fetch_progress(c, got);
	} while (got == n);
	return OK;
}

/* SHA-256 over the first `left` bytes of a landing file. */
struct prefix {
	struct hash hash;
	uint64_t left;
};

static enum rc
add_prefix(void *arg, const uint8_t *p, size_t n, struct err *e UNUSED)
{
	struct prefix *x = arg;

	if (n > x->left)
		n = (size_t)x->left;
	hash_add(&x->hash, p, n);
	x->left -= n;
	return x->left > 0 ? OK : END;
}

/* Are the new bytes a prefix of the old ones? */
static bool
is_truncated(const struct fetch_context *c, const struct job *j,
	const struct landed *now)
{
	struct err ignored = ERR_INIT;
	struct landing *old;
	struct prefix x = {.left = now->size};
	uint8_t sum[HASH_LEN];
	int fd;

	if (now->size >= j->previous_size || j->previous_file == NULL)
		return false;
	if (zone_read(c->zone, j->previous_file, &fd, &ignored) != OK ||
		landing_open(fd, &old, &ignored) != OK)
		return false;
	hash_init(&x.hash);
	if (now->size > 0 &&
		landing_bytes(old, add_prefix, &x, &ignored) == BAD_ITEM)
		x.left = 1;
	landing_close(old);
	hash_end(&x.hash, sum);
	return x.left == 0 && memcmp(sum, now->bytes_sha256, HASH_LEN) == 0;
}

static enum relation
relation_of(const struct fetch_context *c, const struct job *j,
	const struct landed *now)
{
	if (j->generation == 0)
		return RELATION_FIRST;
	if (memcmp(now->bytes_sha256, j->previous_sha256, HASH_LEN) == 0)
		return RELATION_IDENTICAL;
	if (now->has_prefix &&
		memcmp(now->prefix_sha256, j->previous_sha256, HASH_LEN) == 0)
		return RELATION_APPENDED;
	return is_truncated(c, j, now) ? RELATION_TRUNCATED : RELATION_REPLACED;
}

/* The item goes to quarantine, with the bytes as they are. */
static void
quarantine(struct delivery *d, struct provenance *p, const char *why)
{
	d->quarantine = true;
	free(d->reason);
	p->reason = d->reason = mem_strdup(why);
}

/*
 * The shape goes into the provenance; one that differs from that of the
 * delivery before is told, held or quarantined. END: held.
 */
static enum rc
check_shape(const struct job *j, struct feed *f, struct delivery *d,
	struct provenance *p, struct err *e)
{
	CLEANUP(shape_release) struct shape s = SHAPE_INIT;
	CLEANUP(str_release) struct str why = STR_INIT;
	enum drift_policy policy = j->lenient ? DRIFT_LAND : j->config->drift;
	enum rc rc = shape_read(&p->dialect, f, &s, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	p->has_header = s.facts.has_header;
	memcpy(p->header_sha256, s.facts.header_sha256, HASH_LEN);
	if (d->quarantine ||
		!shape_differs(
			&s, &p->dialect, j->has_shape ? &j->shape : NULL, &why))
		return OK;
	if (policy == DRIFT_QUARANTINE) {
		quarantine(d, p, why.s);
		return OK;
	}
	if (policy == DRIFT_HOLD && !j->by_hand) {
		str_add(&why,
			"; held: `landfall land` takes it as it is, or "
			"change drift or the dialect");
		fetch_leave(d, DISPOSITION_PENDING, why.s);
		d->needs = CONDITION_DRIFT;
		return END;
	}
	d->drift = str_take(&why);
	p->drift = d->drift;
	return OK;
}

/* Do the bytes add up to what the partner's checksums say? */
static void
check_claims(const struct job *j, struct reckoning *r, struct delivery *d,
	struct provenance *p)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (d->quarantine || j->lenient ||
		(reckoning_end(r, d->landed.bytes_sha256, &why) &&
			(d->unpacked ||
				claims_check_records(&j->claims,
					d->landed.totals.records, &why))))
		return;
	quarantine(d, p, why.s);
}

/* Control totals, where the source has them. */
static enum rc
check_totals(const struct job *j, struct land *l, struct delivery *d,
	struct provenance *p, struct str *told, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum rc rc;

	if (j->config->totals.n == 0 || d->quarantine || d->unpacked ||
		j->lenient)
		return OK;
	rc = account_check(j, l, &d->landed, told, &why, e);
	if (rc == OK)
		p->compared = told->s;
	if (rc != END)
		return rc;
	quarantine(d, p, why.s);
	return OK;
}

/*
 * Read, scan and stage under this dialect; reason: into quarantine. BAD_ITEM
 * with *ret_unfit: no index can hold these bytes under it.
 */
static enum rc
stage_bytes(const struct fetch_context *c, const struct job *j, struct feed *f,
	const struct dialect *dialect, const char *reason, struct delivery *d,
	bool *ret_unfit, struct err *e)
{
	struct provenance p = {
		.source = d->source,
		.name = d->name,
		.name_len = d->name_len,
		.mtime = d->signature.mtime,
		.seen_at = j->seen_at,
		.transport = j->transport,
		.evidence = j->evidence,
		.lineage = j->lineage,
		.n_lineage = j->n_lineage,
		.unpacked = d->unpacked,
		.reason = reason,
		.released = j->release.why,
		.settles = j->release.entry,
		.dialect = *dialect,
		.dialect_origin = reason != NULL ? "quarantine" : "declared",
	};
	CLEANUP(str_release) struct str told = STR_INIT;
	CLEANUP(reckoning_release) struct reckoning reckoning = {0};
	struct land *l;
	enum rc rc;

	rc = reckoning_begin(&reckoning, &j->claims, e);
	if (rc == OK)
		rc = check_shape(j, f, d, &p, e);
	if (rc != OK)
		return rc;
	if (zone_stage(c->zone, &d->stage, &d->fd, e) != OK)
		return e->code;
	l = land_new(c->pool, dialect, d->fd, c->spool,
		j->generation > 0 ? j->previous_size : 0);
	rc = read_all(c, f, l, &reckoning, ret_unfit, e);
	if (rc == OK) {
		rc = land_settle(l, &d->landed, e);
		*ret_unfit = rc == BAD_ITEM;
	}
	if (rc == OK) {
		p.size = d->landed.size;
		p.totals = d->landed.totals;
		memcpy(p.bytes_sha256, d->landed.bytes_sha256, HASH_LEN);
		p.staged_at = clock_wall();
		d->relation = p.relation = relation_of(c, j, &d->landed);
		d->generation = p.generation = j->generation + 1;
		memcpy(p.previous_sha256, j->previous_sha256, HASH_LEN);
		d->has_shape = provenance_shape(&p, &d->shape);
		check_claims(j, &reckoning, d, &p);
		rc = check_totals(j, l, d, &p, &told, e);
	}
	if (rc == OK) {
		rc = land_finish(l, &p, &d->landed, e);
		*ret_unfit = rc == BAD_ITEM;
	}
	land_free(l);
	if (rc == OK) {
		d->staged = true;
		return OK;
	}
	io_drop(&d->fd);
	zone_unstage(c->zone, d->stage);
	return rc;
}

static void
no_room(struct delivery *d)
{
	d->no_room = true;
	d->needs = CONDITION_SPACE;
}

/* Nobody takes what would fill the disk. END: it waits. */
static enum rc
take_room(const struct fetch_context *c, struct delivery *d, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum rc rc = room_take(c->room, d->signature.size, &why, e);

	if (rc == END) {
		fetch_leave(d, DISPOSITION_PENDING, why.s);
		no_room(d);
	}
	return rc;
}

/* Not complete while a side file of its control totals is missing. */
static enum rc
check_side_files(const struct job *j, struct delivery *d, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum rc rc = account_side_files(j, &why, e);

	if (rc == END) {
		fetch_leave(d, DISPOSITION_PENDING, why.s);
		d->tried = false;
	} else if (rc != OK && rc != BROKEN) {
		fetch_leave(d, DISPOSITION_PENDING, e->text);
		if (e->cause == ENOSPC)
			no_room(d);
		return END;
	}
	return rc;
}

/*
 * Did it stay as it was until the last byte was read? If not it was not
 * complete, whatever the evidence said.
 */
enum rc
fetch_look_again(const struct job *j, struct delivery *d, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct signature now;
	enum rc rc =
		j->ops->look(j->source, j->name, j->name_len, NULL, &now, e);

	if (rc == OK && signature_equal(&now, &d->signature))
		return OK;
	if (rc == END) {
		fetch_leave(
			d, DISPOSITION_IGNORED, "removed while it was read");
		return END;
	}
	if (rc != OK) {
		fetch_leave(d, DISPOSITION_PENDING, e->text);
		return END;
	}
	str_addf(&why,
		"changed while it was read (%llu bytes before, %llu after): "
		"not complete yet",
		(unsigned long long)d->signature.size,
		(unsigned long long)now.size);
	fetch_leave(d, DISPOSITION_PENDING, why.s);
	d->signature = now;
	return END;
}

/* What was staged is given up. Always END. */
static enum rc
unstage(const struct fetch_context *c, struct delivery *d)
{
	d->staged = d->quarantine = false;
	io_drop(&d->fd);
	zone_unstage(c->zone, d->stage);
	return END;
}

/* There is room: from bytes to a staged file, or a reason to wait. */
static enum rc
stage_open(const struct fetch_context *c, const struct job *j, struct feed *f,
	struct delivery *d, struct err *e)
{
	struct err why = ERR_INIT;
	bool unfit = false;
	enum rc rc;

	rc = stage_bytes(c, j, f, &j->config->dialect, NULL, d, &unfit, &why);
	if (unfit && !j->lenient && feed_rewind(f, e) == OK) {
		/* Nothing is wrong but that no index can hold them: keep them.
		 */
		struct dialect opaque;

		dialect_init(&opaque, SCAN_OPAQUE);
		d->quarantine = true;
		d->reason = mem_strdup(why.text);
		why = (struct err)ERR_INIT;
		rc = stage_bytes(c, j, f, &opaque, d->reason, d, &unfit, &why);
	}
	if (rc == END)
		return OK;
	if (rc == BROKEN) {
		*e = why;
		return rc;
	}
	if (rc != OK) {
		fetch_leave(d, DISPOSITION_PENDING, why.text);
		return OK;
	}
	if (fetch_look_again(j, d, e) != OK)
		(void)unstage(c, d);
	return OK;
}

/* An archive that is to be taken apart is another story. */
static enum rc
fetch_open(const struct fetch_context *c, const struct job *j, struct feed *f,
	struct delivery *d, struct delivery **ret, struct err *e)
{
	uint64_t size = d->signature.size;
	struct unpack_look look;
	struct err why = ERR_INIT;
	enum rc rc;

	*ret = d;
	rc = container_look(j, f, &look, &why);
	if (rc == OK)
		return container_run(c, j, f, &look, d, ret, e);
	if (rc != END && rc != BROKEN) {
		fetch_leave(d, DISPOSITION_PENDING, why.text);
		return OK;
	}
	rc = j->lenient || j->member ? OK : check_side_files(j, d, e);
	if (rc == OK)
		rc = take_room(c, d, e);
	if (rc != OK)
		return rc == END ? OK : rc;
	rc = stage_open(c, j, f, d, e);
	room_give(c->room, size);
	return rc;
}

enum rc
fetch_whole(const struct fetch_context *c, const struct job *j, struct feed *f,
	const char *reason, struct delivery *d, struct err *e)
{
	struct dialect opaque;
	struct err why = ERR_INIT;
	bool unfit = false;
	enum rc rc = take_room(c, d, e);

	if (rc != OK)
		return rc;
	dialect_init(&opaque, SCAN_OPAQUE);
	d->quarantine = reason != NULL;
	if (reason != NULL) {
		free(d->reason);
		d->reason = mem_strdup(reason);
	}
	rc = feed_rewind(f, &why);
	if (rc == OK)
		rc = stage_bytes(c, j, f, &opaque,
			reason != NULL ? d->reason : NULL, d, &unfit, &why);
	room_give(c->room, d->signature.size);
	if (rc == OK)
		return fetch_look_again(j, d, e) == OK ? OK : unstage(c, d);
	if (rc == BROKEN) {
		*e = why;
		return rc;
	}
	d->quarantine = false;
	fetch_leave(d, DISPOSITION_PENDING, why.text);
	return END;
}

/*
 * A release that came to nothing leaves the name as it stands. So does one
 * that would end in quarantine again: the bytes are there, and nobody's
 * decision has been carried out.
 */
static void
settle(const struct fetch_context *c, const struct job *j, struct delivery *d)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	d->signature = j->signature;
	if (d->staged && d->quarantine)
		(void)unstage(c, d);
	if (d->staged || d->recorded) {
		CLEANUP(str_release) struct str s = STR_INIT;

		d->settles = true;
		d->settled = j->release.entry;
		str_add(&s, j->release.why);
		if (d->reason != NULL)
			str_addf(&s, "; %s", d->reason);
		free(d->reason);
		d->reason = str_take(&s);
		return;
	}
	str_addf(&why, "entry %llu stays quarantined: %s",
		(unsigned long long)j->release.entry,
		d->reason != NULL ? d->reason : "");
	fetch_leave(d, j->release.stands, why.s);
}

/* Whoever ends does not wait for it: nothing is wrong with it or its source. */
static void
leave_off(const struct job *j, struct delivery *d)
{
	if (j->cancel == NULL || !*j->cancel || d->staged || d->recorded ||
		d->disposition != DISPOSITION_PENDING)
		return;
	fetch_leave(d, DISPOSITION_PENDING,
		"left off because landfall was told to end or to reload: the "
		"next look goes on");
	d->tried = d->no_room = false;
	d->needs = CONDITION_NONE;
}

enum rc
fetch_job(const struct fetch_context *c, const struct job *j,
	struct delivery **ret, struct err *e)
{
	struct delivery *d =
		delivery_new(j->config->name, j->name, j->name_len);
	struct delivery *first = d;
	struct feed *f = NULL;
	enum rc rc;

	d->tried = true;
	d->member = j->member;
	d->duplicates = j->config->duplicates;
	d->signature = j->signature;
	rc = j->ops->fetch(
		j->source, j->name, j->name_len, &f, &d->signature, e);
	if (rc == END) {
		fetch_leave(
			d, DISPOSITION_IGNORED, "removed before it was read");
	} else if (rc != OK && rc != BROKEN) {
		fetch_leave(d, DISPOSITION_PENDING, e->text);
	} else if (rc == OK && !j->by_hand &&
		!signature_equal(&d->signature, &j->signature)) {
		fetch_leave(d, DISPOSITION_PENDING,
			"changed since it was listed: not complete yet");
	} else if (rc != OK || fetch_open(c, j, f, d, &first, e) != OK) {
		feed_free(f);
		delivery_free(d);
		return err_raise(e, BROKEN);
	}
	feed_free(f);
	leave_off(j, d);
	if (j->release.why != NULL)
		settle(c, j, d);
	*ret = first;
	return OK;
}
