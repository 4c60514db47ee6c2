#include "source/sftp/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define READ_MOST (128u << 10)

/* Of requests that are the conversation's own. */
enum { TAG_PING, TAG_LIMITS };

/* ---- coming and going ---- */

void
server_init(struct server *s, struct shared *shared, unsigned slot)
{
	*s = (struct server){
		.shared = shared, .slot = slot, .link = {.fd = -1}};
}

/* The first words of SFTP go as soon as there is somebody to hear them. */
static void
greet(struct server *s)
{
	static const uint8_t init[] = {0, 0, 0, 5, PACKET_INIT, 0, 0, 0, 3};

	link_write(&s->link, init, sizeof(init));
}

void
server_open(struct server *s, int fd, const struct wire_connect *c)
{
	struct shared *shared = s->shared;
	/* Twice what is asked for, so that the window is never the limit. */
	uint32_t window = (uint32_t)(shared->flight_max * 2);

	server_init(s, shared, s->slot);
	s->in = mem_alloc(SERVER_IN);
	s->read_max = SERVER_READ;
	link_open(&s->link, fd, (unsigned)c->old, c->key_types, window,
		shared->now + (int64_t)shared->options.auth_timeout);
	greet(s);
}

static void
job_free(struct job *j)
{
	j->ops->release(j);
	free(j);
}

/* Its requests are answered into the void. */
static void
job_orphan(struct job *j)
{
	struct server *s = j->server;

	for (unsigned i = 0; i < SERVER_PENDING; i++)
		if (s->pending[i].used && s->pending[i].job == j)
			s->pending[i].job = NULL;
}

static void
job_end(struct job *j, enum sftp_fault f, const char *text)
{
	struct sftp_event ev = {
		.type = SFTP_DONE, .id = j->id, .fault = f, .text = text};

	if (j->over)
		return;
	j->ops->told(j, &ev);
	say_event(j->server->shared->say, &ev);
	j->over = true;
	j->busy = false;
	job_orphan(j);
}

/* Frees what is over. */
static void
server_sweep(struct server *s)
{
	struct job **at = &s->jobs;

	s->jobs_end = NULL;
	while (*at != NULL) {
		struct job *j = *at;

		if (!j->over) {
			s->jobs_end = j;
			at = &j->next;
			continue;
		}
		*at = j->next;
		s->n_jobs--;
		s->n_fetches -= j->is_fetch;
		job_free(j);
	}
}

void
server_close(struct server *s, enum sftp_fault f, const char *why)
{
	struct sftp_event ev = {
		.type = SFTP_DOWN, .slot = s->slot, .fault = f, .text = why};

	if (s->link.state == LINK_NONE)
		return;
	/* Jobs last: what they tell has a reason that was told. */
	say_event(s->shared->say, &ev);
	for (struct job *j = s->jobs; j != NULL; j = j->next)
		job_end(j, f, why);
	server_sweep(s);
	s->shared->flight -= s->flight;
	link_close(&s->link);
	free(s->in);
	server_init(s, s->shared, s->slot);
}

void
server_add(struct server *s, struct job *j)
{
	j->server = s;
	j->next = NULL;
	if (s->jobs == NULL)
		s->jobs = j;
	else
		s->jobs_end->next = j;
	s->jobs_end = j;
	s->n_jobs++;
	s->n_fetches += j->is_fetch;
	j->ops->step(j);
}

/* ---- asking ---- */

bool
server_room(struct server *s, uint32_t cost)
{
	const struct shared *all = s->shared;

	return s->up && s->n_pending < SERVER_PENDING &&
		(s->flight == 0 ||
			(s->flight + cost <= all->share &&
				all->flight + cost <= all->flight_max)) &&
		link_room(&s->link, PACKET_OUT_MAX);
}

struct packet_out *
server_begin(struct server *s, uint8_t type)
{
	unsigned i = 0;

	while (s->pending[i].used)
		i++;
	/* The place is in the number, so that an answer finds it. */
	s->next_id = (s->next_id + SERVER_PENDING) & ~(SERVER_PENDING - 1u);
	s->pending[i] = (struct pending){.id = s->next_id | i, .type = type};
	packet_begin(&s->out, type, s->next_id | i);
	return &s->out;
}

static struct pending *
last_begun(struct server *s)
{
	unsigned i = 0;

	while (s->pending[i].used)
		i++;
	return &s->pending[i];
}

void
server_ask(struct server *s, struct job *j, uint64_t tag, uint32_t cost)
{
	struct pending *p = last_begun(s);

	p->used = true;
	p->job = j;
	p->tag = tag;
	p->cost = cost;
	/* An answer is due from now on. */
	if (s->n_pending++ == 0)
		s->heard = s->shared->now;
	s->flight += cost;
	s->shared->flight += cost;
	packet_finish(&s->out);
	link_write(&s->link, s->out.p, s->out.len);
}

void
server_release(struct server *s, const uint8_t *handle, size_t len)
{
	if (s->n_pending == SERVER_PENDING ||
		!link_room(&s->link, PACKET_OUT_MAX))
		return; /* it has more of ours open than it should anyway */
	packet_put_bytes(server_begin(s, PACKET_CLOSE), handle, len);
	server_ask(s, NULL, 0, 0);
}

bool
server_may_open(const struct server *s)
{
	return s->most_open == 0 || s->n_open < s->most_open;
}

bool
server_open_fewer(struct server *s, bool tried)
{
	if (s->n_open == 0 || tried) {
		s->most_open = 0;
		return false;
	}
	if (s->most_open == 0 || s->n_open < s->most_open)
		s->most_open = s->n_open;
	return true;
}

void
server_done(struct job *j, enum sftp_fault f, const char *fmt, ...)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	char buf[1500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	str_add(&text, buf);
	job_end(j, f, text.s);
}

void
server_garbage(struct server *s, const char *what)
{
	link_fail(&s->link, SFTP_GARBAGE, "the server breaks the protocol: %s",
		what);
}

/* ---- answers ---- */

/* What nobody waits for any more. */
static void
reply_void(struct server *s, const struct pending *p, struct packet *k)
{
	size_t len;
	const uint8_t *handle;

	if (k->type != PACKET_HANDLE ||
		(p->type != PACKET_OPEN && p->type != PACKET_OPENDIR))
		return;
	handle = packet_bytes(k, &len);
	if (packet_end(k) && len <= PACKET_HANDLE_MAX)
		server_release(s, handle, len);
}

/* limits@openssh.com: packet, read, write, handles. */
static void
reply_limits(struct server *s, struct packet *k)
{
	uint64_t most;

	if (k->type != PACKET_EXTENDED_REPLY)
		return;
	packet_u64(k);
	most = packet_u64(k);
	if (k->bad || most < SERVER_READ)
		return;
	s->read_max = most > READ_MOST ? READ_MOST : (uint32_t)most;
}

static void
reply(struct server *s, struct packet *k)
{
	struct pending *at = &s->pending[k->id % SERVER_PENDING];
	struct pending p = *at;

	if (!p.used || p.id != k->id) {
		server_garbage(s, "an answer to nothing");
		return;
	}
	at->used = false;
	s->n_pending--;
	s->flight -= p.cost;
	s->shared->flight -= p.cost;
	s->heard = s->shared->now;
	if (p.job != NULL)
		p.job->ops->reply(p.job, &p, k);
	else if (p.type == PACKET_EXTENDED)
		reply_limits(s, k);
	else
		reply_void(s, &p, k);
}

static void
come_up(struct server *s)
{
	CLEANUP(str_release)
	struct str algorithms = STR_INIT, banner = STR_INIT;
	const char *text = link_banner(&s->link);
	struct sftp_event ev = {.type = SFTP_UP, .slot = s->slot};

	link_agreed(&s->link, &algorithms);
	str_cut(&algorithms, 500);
	str_add_quoted(&banner, text, strnlen(text, 100));
	ev.algorithms = algorithms.s;
	ev.banner = banner.s;
	s->up = true;
	say_event(s->shared->say, &ev);
}

static void
reply_version(struct server *s, struct packet *k)
{
	uint32_t version = packet_u32(k);
	bool limits = false;

	if (k->type != PACKET_VERSION || k->bad) {
		server_garbage(s, "no version in front");
		return;
	}
	if (version != 3) {
		link_fail(&s->link, SFTP_MISMATCH,
			"the server speaks SFTP version %u, not 3", version);
		return;
	}
	while (k->at < k->len && !k->bad) {
		size_t n, m;
		const uint8_t *name = packet_bytes(k, &n);

		packet_bytes(k, &m);
		if (n == 18 && memcmp(name, "limits@openssh.com", n) == 0)
			limits = true;
	}
	come_up(s);
	if (limits && server_room(s, 0)) {
		packet_put_text(
			server_begin(s, PACKET_EXTENDED), "limits@openssh.com");
		server_ask(s, NULL, TAG_LIMITS, 0);
	}
}

/* All whole packets that are there. */
static void
take_packets(struct server *s)
{
	size_t at = 0, used;
	struct packet k;
	enum rc rc = OK;

	while (s->link.state == LINK_UP &&
		(rc = packet_take(s->in + at, s->in_len - at, &k, &used)) ==
			OK) {
		if (s->up)
			reply(s, &k);
		else
			reply_version(s, &k);
		at += used;
	}
	if (rc == BAD_ITEM)
		server_garbage(s, "a packet of an impossible length");
	s->in_len -= at;
	memmove(s->in, s->in + at, s->in_len);
}

static void
server_hear(struct server *s)
{
	size_t n;

	while (!say_full(s->shared->say) &&
		(n = link_read(&s->link, s->in + s->in_len,
			 SERVER_IN - s->in_len)) > 0) {
		s->in_len += n;
		take_packets(s);
	}
	/* What libssh2 has taken off the socket wakes nobody. */
	s->held = say_full(s->shared->say);
}

/* ---- a turn ---- */

static void
tell_key(struct server *s)
{
	CLEANUP(str_release) struct str algorithms = STR_INIT;
	struct sftp_event ev = {.type = SFTP_HOST_KEY, .slot = s->slot};

	ev.key = link_key(&s->link, &ev.key_len);
	link_agreed(&s->link, &algorithms);
	str_cut(&algorithms, 500);
	ev.algorithms = algorithms.s;
	say_event(s->shared->say, &ev);
}

/* An answer is due that does not come; or nothing was said for long. */
static void
check_time(struct server *s)
{
	const struct wire_options *o = &s->shared->options;
	int64_t quiet = s->shared->now - s->heard;

	if ((s->n_pending > 0 || !s->up) && quiet >= (int64_t)o->idle_timeout) {
		link_fail(&s->link, SFTP_NETWORK,
			"no answer from the server for %lld s",
			(long long)(quiet / CLOCK_SECOND));
		return;
	}
	if (s->n_pending == 0 && quiet >= (int64_t)o->keepalive &&
		server_room(s, 0)) {
		packet_put_text(server_begin(s, PACKET_REALPATH), ".");
		server_ask(s, NULL, TAG_PING, 0);
	}
}

void
server_flush(struct server *s)
{
	if (s->link.state == LINK_UP)
		link_step(&s->link);
}

void
server_step(struct server *s)
{
	enum link_state before = s->link.state;

	if (before == LINK_NONE)
		return;
	link_step(&s->link);
	if (before == LINK_HANDSHAKE && s->link.state == LINK_KEY)
		tell_key(s);
	if (before != LINK_UP && s->link.state == LINK_UP)
		s->heard = s->shared->now;
	if (s->link.state == LINK_UP) {
		/* Who does not listen cannot complain of silence. */
		if (say_full(s->shared->say))
			s->heard = s->shared->now;
		server_hear(s);
		server_sweep(s);
		for (struct job *j = s->jobs; j != NULL; j = j->next)
			if (!j->over)
				j->ops->step(j);
		server_sweep(s);
		check_time(s);
		server_flush(s);
	}
	if (s->link.state == LINK_DEAD) {
		struct err e = s->link.e;

		server_close(s, s->link.fault, e.text);
	}
}

int64_t
server_deadline(const struct server *s)
{
	const struct wire_options *o = &s->shared->options;

	switch (s->link.state) {
	case LINK_NONE:
	case LINK_KEY:
		return INT64_MAX;
	case LINK_DEAD:
		return 0; /* to be told */
	case LINK_UP:
		return s->heard +
			(int64_t)(s->n_pending > 0 || !s->up ? o->idle_timeout
							     : o->keepalive);
	default:
		return s->link.deadline;
	}
}

bool
server_busy(const struct server *s)
{
	for (const struct job *j = s->jobs; j != NULL; j = j->next)
		if (j->busy)
			return true;
	return s->held && !say_full(s->shared->say);
}
