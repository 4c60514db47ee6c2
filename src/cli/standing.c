#include "cli/standing.h"

#include "base/clock.h"
#include "base/io.h"
#include "daemon/lock.h"
#include "daemon/next.h"
#include "daemon/stream.h"

const char *
standing_outcome(const struct catalog_pass *p)
{
	static const char *const outcomes[] = {
		[PASS_COMPLETE] = "complete",
		[PASS_COULD_NOT_LOOK] = "could-not-look",
		[PASS_STOPPED] = "stopped",
	};

	if (p->ended == 0)
		return "under-way";
	return p->outcome < ARRAY_LEN(outcomes) && p->outcome > 0
		? outcomes[p->outcome]
		: "unknown";
}

/* What another process left behind, or will write in a moment, is nothing. */
static enum rc
listen(int state, struct standing_daemon *d, struct err *e)
{
	enum rc rc = live_read(state, &d->live, e);

	d->watches = rc == OK && d->live.pid == d->pid;
	if (rc == OK && !d->watches)
		live_release(&d->live);
	return rc == END || rc == BAD_ITEM ? OK : rc;
}

enum rc
standing_daemon(const struct cli *c, struct standing_daemon *ret, struct err *e)
{
	int state = -1;
	enum rc rc;

	*ret = (struct standing_daemon){.pid = 0};
	rc = io_open(AT_FDCWD, c->config->state, O_RDONLY | O_DIRECTORY, 0,
		&state, BROKEN, e);
	if (rc == OK)
		rc = lock_holder(state, &ret->pid, e);
	ret->at_work = rc == OK;
	if (rc == OK)
		rc = listen(state, ret, e);
	io_drop(&state);
	return rc == END ? OK : rc;
}

void
standing_daemon_release(struct standing_daemon *d)
{
	live_release(&d->live);
}

/* By its schedule, whoever looks; else only a daemon knows. */
static enum rc
find_next(struct place *p, const struct standing_daemon *d, struct standing *s,
	struct err *e)
{
	const struct live_source *live =
		d->watches ? live_source(&d->live, s->source->name) : NULL;
	int64_t last, next;

	s->looking = live != NULL && live->looking;
	s->order = live != NULL ? live->order : NULL;
	s->until = live != NULL ? live->until : 0;
	s->why = live != NULL ? live->why : NULL;
	s->failures = live != NULL ? live->failures : 0;
	if (live != NULL &&
		(s->failures > 0 || !next_is_scheduled(s->source))) {
		s->next = live->next;
		return OK;
	}
	if (!next_is_scheduled(s->source))
		return OK;
	if (catalog_pass_looked(p->catalog, s->source->name, &last, e) != OK)
		return e->code;
	next = next_look(s->source, last, clock_wall());
	s->next = next != INT64_MAX ? next : 0;
	return OK;
}

static void
try_outbox(const struct source_config *source, struct err *ret)
{
	struct outbox_folder folder;
	struct outbox outbox;

	ret->code = OK;
	if (source->receipt.path != NULL &&
		outbox_open(source->receipt.path, &folder, &outbox, ret) == OK)
		outbox_close(&folder);
}

/* The oldest of all streams is the one that is shown. */
static enum rc
add_undecided(
	struct catalog *c, const char *name, struct standing *s, struct err *e)
{
	struct catalog_undecided u;
	enum rc rc = catalog_undecided(c, name, &u, e);

	if (rc != OK)
		return rc == END ? OK : rc;
	if (s->undecided.n == 0 ||
		u.oldest.version.index < s->undecided.entry) {
		s->undecided.entry = u.oldest.version.index;
		s->undecided.since = u.oldest.version.landed_at;
		str_clear(&s->undecided.name);
		str_addn(&s->undecided.name, u.oldest.name, u.oldest.name_len);
		str_clear(&s->undecided.reason);
		str_add(&s->undecided.reason, u.oldest.reason);
	}
	s->undecided.n += u.n;
	return OK;
}

/* What landed last, and how all names stand, of one source in the catalog. */
static enum rc
add_source(struct catalog *c, const char *name, bool counted,
	struct standing *s, struct err *e)
{
	uint64_t count[DISPOSITIONS] = {0};
	struct catalog_name newest;
	enum rc rc = catalog_find_newest(c, name, &newest, e);

	if (rc != OK && rc != END)
		return rc;
	if (rc == OK && newest.version.landed_at > s->newest)
		s->newest = newest.version.landed_at;
	if (counted && catalog_count(c, name, count, e) != OK)
		return e->code;
	for (unsigned i = 0; i < DISPOSITIONS; i++)
		s->count[i] += count[i];
	return add_undecided(c, name, s, e);
}

/* The streams of an API are sources of their own there. */
static enum rc
add_streams(struct catalog *c, const struct source_config *source, bool counted,
	struct standing *s, struct err *e)
{
	for (size_t i = 0; i < source->api->n_streams; i++) {
		CLEANUP(str_release) struct str name = STR_INIT;

		stream_source(&name, source->name, &source->api->stream[i]);
		if (add_source(c, name.s, counted, s, e) != OK)
			return e->code;
	}
	return OK;
}

enum rc
standing_take(struct place *p, const struct source_config *source,
	const struct standing_daemon *d, bool counted, struct standing *ret,
	struct err *e)
{
	CLEANUP(standing_release)
	struct standing s = {.source = source,
		.undecided = {.name = STR_INIT, .reason = STR_INIT}};
	struct lesson lesson = {.due = 0};
	enum rc rc;

	rc = catalog_pass_last(p->catalog, source->name, &s.pass, e);
	if (rc != OK && rc != END)
		return rc;
	s.looked = rc == OK;
	rc = source->kind == SOURCE_HTTP
		? add_streams(p->catalog, source, counted, &s, e)
		: add_source(p->catalog, source->name, counted, &s, e);
	if (rc != OK)
		return rc;
	rc = catalog_waiting(p->catalog, source->name, &s.waiting, e);
	if (rc != OK && rc != END)
		return rc;
	if (find_next(p, d, &s, e) != OK ||
		arrival_judge(p->catalog, source, clock_wall(), &lesson,
			&s.arrival, e) != OK ||
		receipts_count(p->catalog, source, &s.owed, e) != OK)
		return e->code;
	try_outbox(source, &s.outbox);
	*ret = s;
	s.undecided.name = s.undecided.reason = (struct str)STR_INIT;
	return OK;
}

void
standing_release(struct standing *s)
{
	str_release(&s->undecided.name);
	str_release(&s->undecided.reason);
}

/* What a look ended in that could not do all of it: the source's, or ours. */
static enum status
status_of_look(const struct standing *s)
{
	if (s->failures > 0)
		return STATUS_UNREACHED;
	if (!s->looked || *s->pass.trouble == '\0')
		return STATUS_DONE;
	return s->pass.outcome == PASS_COULD_NOT_LOOK ? STATUS_UNREACHED
						      : STATUS_BROKEN;
}

static enum status
status_of_arrival(enum arrival a)
{
	switch (a) {
	case ARRIVAL_LATE:
	case ARRIVAL_SHORT:
	case ARRIVAL_MISSING:
		return STATUS_ATTENTION;
	case ARRIVAL_COULD_NOT_LOOK:
		return STATUS_UNREACHED;
	default:
		return STATUS_DONE;
	}
}

enum status
standing_status(const struct standing *s)
{
	enum status look = status_of_look(s);
	enum status arrival = status_of_arrival(s->arrival.outcome);
	enum status worst = look > arrival ? look : arrival;

	if (worst == STATUS_DONE &&
		(s->outbox.code != OK || s->undecided.n > 0))
		return STATUS_ATTENTION;
	return worst;
}
