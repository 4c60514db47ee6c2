/*
 * Connections: who dials, who is trusted, who is let in, and how long to wait
 * when it did not work.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/io.h"
#include "landfall/secret.h"
#include "source/dial.h"
#include "source/sftp/trunk-state.h"

unsigned
trunk_up(const struct trunk *l, enum slot_state s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->config->connections; i++)
		n += l->slot[i].state == s;
	return n;
}

static unsigned
coming(const struct trunk *l)
{
	return trunk_up(l, SLOT_WANTED) + trunk_up(l, SLOT_DIALING) +
		trunk_up(l, SLOT_COMING) + trunk_up(l, SLOT_TRUSTED);
}

void
trunk_kill(struct trunk *l, const struct err *why)
{
	if (!l->dead) {
		l->dead = true;
		l->why = *why;
	}
	pthread_cond_broadcast(&l->changed);
}

/* More than one where there is more than one thing to do. */
void
trunk_want(struct trunk *l)
{
	size_t work = l->queued + l->n_sent;
	unsigned most = l->config->connections, have = 0;
	int64_t now = clock_mono();

	if (l->dead || l->quit)
		return;
	if (work < most)
		most = work > 0 ? (unsigned)work : 1;
	for (unsigned i = 0; i < l->config->connections; i++)
		have += l->slot[i].state != SLOT_DOWN &&
			l->slot[i].state != SLOT_BARRED;
	for (unsigned i = 0; i < l->config->connections && have < most; i++) {
		struct slot *s = &l->slot[i];

		if (s->state != SLOT_DOWN || s->not_before > now)
			continue;
		/* The first one shows whether there is any use in more. */
		if (have > 0 && trunk_up(l, SLOT_UP) == 0)
			break;
		s->state = SLOT_WANTED;
		have++;
		pthread_cond_signal(&l->call);
	}
}

int64_t
trunk_next(const struct trunk *l)
{
	int64_t now = clock_mono(), next = INT64_MAX;

	for (unsigned i = 0; i < l->config->connections; i++) {
		const struct slot *s = &l->slot[i];

		if (s->state == SLOT_DOWN && s->not_before > now &&
			s->not_before - now < next)
			next = s->not_before - now;
	}
	return next;
}

/* Nothing is up or coming: what one found out holds for all of them. */
static void
all_wait(struct trunk *l)
{
	int64_t until = clock_mono() +
		backoff_wait(l->failures, l->config->retry.base,
			l->config->retry.ceiling);

	for (unsigned i = 0; i < l->config->connections; i++)
		l->slot[i].not_before = until;
}

/*
 * It did not come up, or is down. One more that is refused while others work
 * is one more than the partner wants.
 */
static void
slot_failed(struct trunk *l, struct slot *s, enum sftp_fault fault,
	const struct err *why)
{
	bool was_up = s->state == SLOT_UP;
	struct err end = *why;

	s->state = SLOT_DOWN;
	if (trunk_up(l, SLOT_UP) > 0) {
		if (!was_up)
			s->state = SLOT_BARRED;
		else
			s->not_before = clock_mono() +
				backoff_wait(1, l->config->retry.base,
					l->config->retry.ceiling);
		return;
	}
	for (unsigned i = 0; i < l->config->connections; i++)
		if (l->slot[i].state == SLOT_BARRED)
			l->slot[i].state = SLOT_DOWN;
	if (fault == SFTP_AUTH || fault == SFTP_UNTRUSTED ||
		fault == SFTP_MISMATCH) {
		if (fault == SFTP_AUTH)
			end.cause = EKEYREJECTED;
		trunk_kill(l, &end);
		return;
	}
	if (coming(l) > 0)
		return;
	if (++l->failures >= l->options.attempts) {
		if (l->failures > 1)
			err_add(&end, "given up after %u attempts in a row",
				l->failures);
		trunk_kill(l, &end);
		return;
	}
	all_wait(l);
}

void
trunk_slots_lost(struct trunk *l, const struct err *why)
{
	struct slot *first = NULL;

	for (unsigned i = 0; i < l->config->connections; i++) {
		struct slot *s = &l->slot[i];

		/* One that is dialed meets the new child. */
		if (s->state != SLOT_COMING && s->state != SLOT_TRUSTED &&
			s->state != SLOT_UP)
			continue;
		if (first == NULL)
			first = s;
		s->state = SLOT_DOWN;
	}
	slot_failed(l, first != NULL ? first : &l->slot[0], SFTP_NETWORK, why);
}

/* ---- events ---- */

static void
host_key(struct trunk *l, const struct sftp_event *ev)
{
	struct slot *s = &l->slot[ev->slot];
	struct err e = ERR_INIT;

	switch (trust_judge(l->trust, ev->key, ev->key_len, &e)) {
	case OK:
		s->state = SLOT_TRUSTED;
		str_clear(&l->key);
		str_add(&l->key, trust_shown(l->trust));
		pthread_cond_signal(&l->call);
		return;
	case AGAIN:
		break;
	default:
		trunk_kill(l, &e);
		break;
	}
	if (sftp_trust(l->sftp, ev->slot, NULL, &e) != OK)
		l->child_gone = true;
}

static void
came_up(struct trunk *l, const struct sftp_event *ev)
{
	l->slot[ev->slot].state = SLOT_UP;
	str_clear(&l->algorithms);
	str_add(&l->algorithms, ev->algorithms);
	pthread_cond_broadcast(&l->changed);
}

static void
went_down(struct trunk *l, const struct sftp_event *ev)
{
	struct slot *s = &l->slot[ev->slot];
	struct err e = ERR_INIT;

	if (ev->fault == SFTP_UNTRUSTED && !l->dead) {
		/* It may have another key: ask for that at once. */
		s->state = SLOT_DOWN;
		return;
	}
	if (ev->fault == SFTP_MISMATCH && trust_has_refused(l->trust)) {
		(void)!trust_refuse(l->trust, &e);
		slot_failed(l, s, SFTP_UNTRUSTED, &e);
		return;
	}
	err_set(&e, BAD_SOURCE, "%s port %u: %s", l->config->host,
		l->config->port, ev->text);
	slot_failed(l, s, ev->fault, &e);
}

void
trunk_slot_event(struct trunk *l, const struct sftp_event *ev)
{
	switch (ev->type) {
	case SFTP_HOST_KEY:
		host_key(l, ev);
		break;
	case SFTP_UP:
		came_up(l, ev);
		break;
	default:
		went_down(l, ev);
		break;
	}
}

/* ---- the dialer ---- */

/* Outside the lock. */
static enum rc
connect_agent(const char *path, int *ret_fd, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(
			e, BAD_SOURCE, "agent %s: too long for a socket", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		err_sys(e, BAD_SOURCE, errno, "agent %s", path);
		io_drop(&fd);
		return BAD_SOURCE;
	}
	*ret_fd = fd;
	return OK;
}

struct secrets {
	struct buf key, passphrase, password;
	int agent;
	struct sftp_credential credential[3];
	unsigned n;
};

static enum rc
add_secret(struct secrets *x, const struct secret *from, struct buf *b,
	enum sftp_credential_kind kind, const char *name, struct err *e)
{
	if (from->n == 0)
		return OK;
	if (secret_resolve(from, b, e) != OK)
		return err_add(e, "%s", name);
	if (b->len > SFTP_SECRET_MAX)
		return err_set(e, BAD_SOURCE, "%s: more than %d bytes", name,
			SFTP_SECRET_MAX);
	x->credential[x->n++] = (struct sftp_credential){
		.kind = kind,
		.name = name,
		.secret = b->data,
		.len = b->len,
		.agent = -1,
	};
	return OK;
}

/* A passphrase is a text. secret_resolve leaves room behind. */
static enum rc
add_passphrase(struct secrets *x, const struct secret *from, struct err *e)
{
	struct buf *b = &x->passphrase;

	if (from->n == 0)
		return OK;
	if (secret_resolve(from, b, e) != OK)
		return err_add(e, "passphrase");
	if (memchr(b->data, '\0', b->len) != NULL || b->len > SFTP_SECRET_MAX)
		return err_set(e, BAD_SOURCE,
			"passphrase: it is too long, or holds a NUL byte");
	b->data[b->len] = '\0';
	x->credential[0].passphrase = (const char *)b->data;
	return OK;
}

static enum rc
get_secrets(struct secrets *x, const struct sftp_config *c, struct err *e)
{
	enum rc rc = add_secret(x, &c->key, &x->key, SFTP_KEY, "key", e);

	if (rc == OK && x->n > 0)
		rc = add_passphrase(x, &c->passphrase, e);
	if (rc == OK && c->agent != NULL) {
		rc = connect_agent(c->agent, &x->agent, e);
		if (rc == OK)
			x->credential[x->n++] = (struct sftp_credential){
				.kind = SFTP_AGENT,
				.name = "agent",
				.agent = x->agent,
			};
	}
	if (rc == OK)
		rc = add_secret(x, &c->password, &x->password, SFTP_PASSWORD,
			"password", e);
	return rc;
}

static void
forget_secrets(struct secrets *x)
{
	secret_forget(&x->key);
	secret_forget(&x->passphrase);
	secret_forget(&x->password);
	io_drop(&x->agent);
}

/* The server is who it should be: now it may know who we are. Under lock. */
static void
log_in(struct trunk *l, unsigned i)
{
	struct secrets x = {.agent = -1};
	struct sftp_login login = {.user = l->config->user};
	struct err e = ERR_INIT;
	enum rc rc;

	l->slot[i].state = SLOT_COMING;
	l->dialing = true;
	pthread_mutex_unlock(&l->lock);
	rc = get_secrets(&x, l->config, &e);
	pthread_mutex_lock(&l->lock);
	l->dialing = false;
	login.credential = x.credential;
	login.n_credentials = x.n;
	if (l->slot[i].state != SLOT_COMING || l->sftp == NULL) {
		/* Lost meanwhile: nobody is there to be told. */
	} else if (rc != OK) {
		/* No secret: nothing that another attempt would change. */
		struct err ignored = ERR_INIT;

		e.cause = EKEYREJECTED;
		trunk_kill(l, &e);
		(void)!sftp_drop(l->sftp, i, &ignored);
	} else if (sftp_trust(l->sftp, i, &login, &e) != OK) {
		l->child_gone = true;
	}
	forget_secrets(&x);
	trunk_ring(l);
}

/* Under lock. */
static void
dial(struct trunk *l, unsigned i)
{
	CLEANUP(str_release) struct str address = STR_INIT;
	const struct dial d = {
		.host = l->config->host,
		.port = l->config->port,
		.timeout = l->config->connect_timeout,
		.cancel = &l->cancel,
	};
	struct sftp_connection c = {
		.slot = i, .socket = -1, .old = l->config->algorithms};
	struct err e = ERR_INIT;
	enum rc rc;

	l->slot[i].state = SLOT_DIALING;
	l->dialing = true;
	pthread_mutex_unlock(&l->lock);
	rc = dial_open(&d, &c.socket, &address, &e);
	pthread_mutex_lock(&l->lock);
	l->dialing = false;
	if (rc != OK) {
		err_raise(&e, BAD_SOURCE);
		slot_failed(l, &l->slot[i], SFTP_NETWORK, &e);
	} else if (l->sftp == NULL || l->child_gone) {
		l->slot[i].state = SLOT_WANTED;
	} else {
		str_clear(&l->address);
		str_add(&l->address, address.s);
		c.key_types = trust_types(l->trust);
		l->slot[i].state = SLOT_COMING;
		if (sftp_connect(l->sftp, &c, &e) != OK)
			l->child_gone = true;
	}
	io_drop(&c.socket);
	trunk_ring(l);
}

/* The next slot in this state; false: none. */
static bool
find_slot(const struct trunk *l, enum slot_state s, unsigned *ret)
{
	for (unsigned i = 0; i < l->config->connections; i++)
		if (l->slot[i].state == s) {
			*ret = i;
			return true;
		}
	return false;
}

void *
trunk_dialer(void *arg)
{
	struct trunk *l = arg;
	unsigned i;

	pthread_mutex_lock(&l->lock);
	while (!l->quit) {
		if (find_slot(l, SLOT_TRUSTED, &i))
			log_in(l, i);
		else if (!l->dead && l->sftp != NULL && !l->child_gone &&
			find_slot(l, SLOT_WANTED, &i))
			dial(l, i);
		else
			pthread_cond_wait(&l->call, &l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}
