/*
 * One file, from its server to the spool: READs are asked for as far ahead as
 * there is room, their answers come in any order and in any size, and the
 * bytes go to the spool, and into the hash, in order.
 *
 *	OPEN		-> the handle
 *	FSTAT		-> before: size and time as expected
 *	READ ...	-> up to the size, and one more that must find the end
 *	FSTAT		-> after: as before
 *	CLOSE		   nobody waits for it
 *
 * A file whose size the server does not tell is read until its end; what was
 * asked for beyond it must be the end, too.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "source/sftp/answer.h"
#include "source/sftp/fill.h"
#include "source/sftp/flight.h"
#include "source/sftp/job.h"

#define PROBE 1024 /* bytes asked for behind the end */
#define TELL_BYTES (1u << 20)
#define TELL_TIME (CLOCK_SECOND / 10)
enum { WAITS_MAX = 4 }; /* for others to be closed */

enum tag { TAG_OPEN, TAG_BEFORE, TAG_AFTER, TAG_READ };

enum state {
	PREFIX, /* what the spool has is hashed */
	OPENING,
	READING,
	CHECKING, /* the end was seen; all answers come in */
	STATING,
};

struct fetch {
	struct job job; /* first */
	enum state state;
	struct str path, quoted;
	uint64_t max_size;
	struct sftp_attrs expected, before, after;
	bool has_before;
	struct fill fill;
	uint64_t received; /* of content */
	struct handle handle;
	bool probed;
	bool counted; /* in the server's n_open */
	unsigned waits;
	uint64_t next; /* offset of the next READ */
	struct flight flight;
	uint64_t told; /* of good */
	int64_t told_at;
};

static struct fetch *
fetch_of(struct job *j)
{
	return (struct fetch *)j;
}

/* It has a file open at the server, or will have. */
static void
fetch_count(struct fetch *f, bool open)
{
	if (f->counted == open)
		return;
	f->job.server->n_open += open ? 1 : -1u;
	f->counted = open;
}

/* ---- the end ---- */

static void
fetch_told(struct job *j, struct sftp_event *ev)
{
	struct fetch *f = fetch_of(j);

	answer_close(j->server, &f->handle);
	fetch_count(f, false);
	ev->attrs = f->after;
	ev->size = f->fill.good;
	ev->received = f->received;
	fill_sum(&f->fill, ev->sum);
}

static void
fetch_release(struct job *j)
{
	struct fetch *f = fetch_of(j);

	flight_release(&f->flight);
	fill_release(&f->fill);
	str_release(&f->path);
	str_release(&f->quoted);
}

/* ---- bytes ---- */

/* What the spool says. `unlike`: when what it has is not what it should be. */
static bool
fetch_goes_on(struct fetch *f, enum rc rc, enum sftp_fault unlike,
	const struct err *e)
{
	if (rc == BAD_ITEM)
		server_done(&f->job, unlike, "%s: %s", f->quoted.s, e->text);
	else if (rc != OK)
		server_done(&f->job, SFTP_SPOOL, "spool file of %s: %s",
			f->quoted.s, e->text);
	return rc == OK;
}

/* What was there is hashed, piece by piece. True: all of it, and it is good. */
static bool
fetch_prefix(struct fetch *f)
{
	struct err e = ERR_INIT;
	enum rc rc = fill_prefix(&f->fill, &e);

	f->job.busy = rc == AGAIN;
	return rc != AGAIN && fetch_goes_on(f, rc, SFTP_STALE, &e);
}

/* The next bytes, in order. False: it is over. */
static bool
fetch_take(struct fetch *f, const uint8_t *p, size_t n)
{
	struct err e = ERR_INIT;

	if (f->max_size > 0 && f->fill.at + n > f->max_size) {
		server_done(&f->job, SFTP_TOO_LARGE,
			"%s: more than %" PRIu64 " bytes, the limit",
			f->quoted.s, f->max_size);
		return false;
	}
	return fetch_goes_on(
		f, fill_take(&f->fill, p, n, &e), SFTP_CHANGED, &e);
}

static void
fetch_progress(struct fetch *f)
{
	struct shared *shared = f->job.server->shared;
	struct sftp_event ev = {
		.type = SFTP_PROGRESS, .id = f->job.id, .size = f->fill.good};

	if (f->fill.good == f->told ||
		(f->fill.good - f->told < TELL_BYTES &&
			shared->now - f->told_at < TELL_TIME))
		return;
	fill_sum(&f->fill, ev.sum);
	say_event(shared->say, &ev);
	f->told = f->fill.good;
	f->told_at = shared->now;
}

/* ---- asking ---- */

static void
ask_handle(struct fetch *f, uint8_t type, enum tag tag)
{
	packet_put_bytes(
		server_begin(f->job.server, type), f->handle.p, f->handle.len);
	server_ask(f->job.server, &f->job, tag, 0);
}

static void
ask_read(struct fetch *f, uint64_t offset, uint32_t len)
{
	struct server *s = f->job.server;
	struct packet_out *o = server_begin(s, PACKET_READ);

	packet_put_bytes(o, f->handle.p, f->handle.len);
	packet_put_u64(o, offset);
	packet_put_u32(o, len);
	server_ask(s, &f->job, TAG_READ + offset, len);
	pace_spend(&s->shared->pace, len, s->shared->now);
}

/*
 * How far content goes, as far as anybody says: before the first FSTAT, what
 * the listing said.
 */
static bool
size_known(const struct fetch *f, uint64_t *ret)
{
	const struct sftp_attrs *a = f->has_before ? &f->before : &f->expected;

	*ret = a->size;
	return a->has_size;
}

/* Of one file, so that others on the connection come to their turn. */
static uint64_t
most_in_flight(const struct server *s)
{
	return s->shared->share / (s->n_fetches > 1 ? 2 : 1);
}

static void
fetch_ask(struct fetch *f)
{
	struct server *s = f->job.server;
	uint64_t size;
	bool known = size_known(f, &size);

	while (f->state == READING && !f->probed) {
		uint32_t len = pace_piece(&s->shared->pace, s->read_max);
		bool probe = known && f->next >= size;

		/* Before the server has told a size, a little is enough. */
		if (!f->has_before && !known && f->flight.n > 0)
			return;
		if (known && !probe && size - f->next < len)
			len = (uint32_t)(size - f->next);
		if (probe)
			len = PROBE;
		if (!server_room(s, len) ||
			!pace_may(&s->shared->pace, s->shared->now) ||
			(f->flight.n > 0 &&
				f->next - f->fill.at + len > most_in_flight(s)))
			return;
		if (f->next > UINT64_MAX / 2 - len)
			return; /* its own answers will tell of the end */
		flight_add(&f->flight, f->next, len);
		ask_read(f, f->next, len);
		f->next += len;
		f->probed = probe;
	}
}

static void
fetch_step(struct job *j)
{
	struct fetch *f = fetch_of(j);
	struct server *s = j->server;

	if (f->state == PREFIX) {
		if (!fetch_prefix(f))
			return;
		f->state = OPENING;
		f->next = f->fill.at;
	}
	if (f->state == OPENING) {
		struct packet_out *o;

		if (!server_room(s, 0) || !server_may_open(s))
			return;
		fetch_count(f, true);
		o = server_begin(s, PACKET_OPEN);
		packet_put_bytes(o, f->path.s, f->path.len);
		packet_put_u32(o, PACKET_OPEN_READ);
		packet_put_u32(o, 0); /* no attributes */
		server_ask(s, j, TAG_OPEN, 0);
		f->state = READING; /* once there is a handle */
		return;
	}
	if (!f->handle.open)
		return;
	fetch_ask(f);
	if (f->state == CHECKING && f->flight.first == NULL &&
		server_room(s, 0)) {
		f->state = STATING;
		ask_handle(f, PACKET_FSTAT, TAG_AFTER);
	}
	fetch_progress(f);
}

/* ---- answers ---- */

/* Refused: because others are open? Then it is asked for once more. */
static bool
fetch_waits(struct fetch *f, enum sftp_fault fault)
{
	fetch_count(f, false);
	if (fault != SFTP_REFUSED ||
		!server_open_fewer(f->job.server, f->waits++ >= WAITS_MAX))
		return false;
	f->state = OPENING;
	return true;
}

static void
reply_open(struct fetch *f, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum sftp_fault fault =
		answer_handle(f->job.server, k, &f->handle, &why);

	if (fault != SFTP_FINE) {
		if (!fetch_waits(f, fault))
			server_done(&f->job, fault, "open %s: %s", f->quoted.s,
				why.s);
		return;
	}
	/* There is room: this answer has just made some. */
	ask_handle(f, PACKET_FSTAT, TAG_BEFORE);
	fetch_step(&f->job);
}

static bool
take_attrs(struct fetch *f, struct packet *k, struct sftp_attrs *ret)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	enum sftp_fault fault = answer_attrs(f->job.server, k, ret, &why);

	if (fault != SFTP_FINE)
		server_done(&f->job, fault, "attributes of %s: %s", f->quoted.s,
			why.s);
	return fault == SFTP_FINE;
}

static void
reply_before(struct fetch *f, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (!take_attrs(f, k, &f->before))
		return;
	f->after = f->before;
	f->has_before = true;
	if (packet_type_of(&f->before, NULL, 0) == SFTP_TYPE_DIRECTORY)
		server_done(&f->job, SFTP_CHANGED, "%s: it is a folder now",
			f->quoted.s);
	else if (!job_expected(&f->expected, &f->before, &why))
		server_done(&f->job, SFTP_CHANGED,
			"%s: it is another file than was listed: %s",
			f->quoted.s, why.s);
	else if (f->before.has_size && f->max_size > 0 &&
		f->before.size > f->max_size)
		server_done(&f->job, SFTP_TOO_LARGE,
			"%s: %" PRIu64 " bytes, more than %" PRIu64
			", the limit",
			f->quoted.s, f->before.size, f->max_size);
	else if (f->before.has_size && f->before.size < f->fill.offset)
		server_done(&f->job, SFTP_CHANGED,
			"%s: %" PRIu64 " bytes, and %" PRIu64
			" were fetched before",
			f->quoted.s, f->before.size, f->fill.offset);
	else
		fetch_step(&f->job);
}

static void
reply_after(struct fetch *f, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (!take_attrs(f, k, &f->after))
		return;
	if (!job_expected(&f->before, &f->after, &why))
		server_done(&f->job, SFTP_CHANGED,
			"%s: it changed while it was read: %s", f->quoted.s,
			why.s);
	else if (f->after.has_size && f->after.size != f->fill.at)
		server_done(&f->job, SFTP_CHANGED,
			"%s: it ended after %" PRIu64
			" bytes, and the server says it has %" PRIu64,
			f->quoted.s, f->fill.at, f->after.size);
	else
		server_done(&f->job, SFTP_FINE, "%s", f->quoted.s);
}

/* What has come in order goes to the spool. False: it is over. */
static bool
fetch_drain(struct fetch *f)
{
	struct chunk *c;

	while ((c = f->flight.first) != NULL && f->state != STATING) {
		if (c->have > 0 && !fetch_take(f, c->data, c->have))
			return false;
		flight_taken(&f->flight);
		if (c->eof && f->state == READING)
			f->state = CHECKING;
		if (c->len > 0 && !c->eof)
			return true;
		flight_pop(&f->flight);
	}
	return true;
}

/* Answers come in any order, but bytes behind an end cannot be. */
static bool
fetch_is_torn(struct fetch *f)
{
	if (!flight_is_torn(&f->flight))
		return false;
	server_done(&f->job, SFTP_CHANGED, "%s: bytes come from behind its end",
		f->quoted.s);
	return true;
}

static void
reply_data(struct fetch *f, struct chunk *c, struct packet *k)
{
	uint32_t asked = c->len;
	size_t n;
	const uint8_t *p = packet_bytes(k, &n);
	bool its_turn;

	if (!packet_end(k) || n == 0 || n > asked) {
		server_garbage(f->job.server, "data that was not asked for");
		return;
	}
	f->received += n;
	its_turn = flight_came(&f->flight, c, p, n);
	if (fetch_is_torn(f))
		return;
	if (f->probed && c == f->flight.last) {
		server_done(&f->job, SFTP_CHANGED,
			"%s: it is longer than the server says", f->quoted.s);
		return;
	}
	if (flight_is_crumbs(&f->flight, n, asked)) {
		server_done(&f->job, SFTP_NETWORK,
			"%s: the server sends it in crumbs", f->quoted.s);
		return;
	}
	if (its_turn && !fetch_take(f, p, n))
		return;
	/* The rest of it; its place in the flight is free again. */
	if (c->len > 0)
		ask_read(f, c->offset + c->have, c->len);
}

static void
reply_read(struct fetch *f, uint64_t offset, struct packet *k)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct chunk *c = flight_at(&f->flight, offset);
	enum sftp_fault fault;

	if (c == NULL)
		return; /* cannot be: each READ has its chunk */
	if (k->type == PACKET_DATA) {
		reply_data(f, c, k);
	} else {
		fault = answer_status(f->job.server, k, &why);
		if (fault != SFTP_FINE) {
			server_done(&f->job, fault,
				"read %s at %" PRIu64 ": %s", f->quoted.s,
				offset, why.s);
			return;
		}
		flight_ended(&f->flight, c);
		if (fetch_is_torn(f))
			return;
	}
	if (!f->job.over && fetch_drain(f))
		fetch_step(&f->job);
}

static void
fetch_reply(struct job *j, const struct pending *p, struct packet *k)
{
	struct fetch *f = fetch_of(j);

	switch (p->tag) {
	case TAG_OPEN:
		reply_open(f, k);
		break;
	case TAG_BEFORE:
		reply_before(f, k);
		break;
	case TAG_AFTER:
		reply_after(f, k);
		break;
	default:
		reply_read(f, p->tag - TAG_READ, k);
	}
}

static const struct job_ops fetch_ops = {
	.step = fetch_step,
	.reply = fetch_reply,
	.told = fetch_told,
	.release = fetch_release,
};

struct job *
job_fetch_new(const struct wire_order *o, int file)
{
	struct fetch *f = mem_alloc(sizeof(*f));

	f->job.ops = &fetch_ops;
	f->job.id = o->id;
	f->job.is_fetch = true;
	f->path = (struct str)STR_INIT;
	f->quoted = (struct str)STR_INIT;
	str_addn(&f->path, o->path, o->path_len);
	str_add_quoted(&f->quoted, o->path, o->path_len);
	f->max_size = o->max_size;
	f->expected = o->expected;
	fill_init(&f->fill, file, o->offset, o->window, o->prefix_sum);
	flight_init(&f->flight);
	return &f->job;
}
