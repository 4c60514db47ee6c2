#include "source/sftp/link.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "source/sftp/algorithms.h"
#include "source/sftp/rsa.h"

enum { LEFT = 4 << 20, TURN = 256 << 10, WORDS_MAX = 300, GREETING = 8192 };

/* ---- how it ends ---- */

void
link_fail(struct link *l, enum sftp_fault f, const char *fmt, ...)
{
	char text[2000];
	va_list ap;

	if (l->state == LINK_DEAD)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->state = LINK_DEAD;
	l->fault = f;
	err_set(&l->e, BAD_SOURCE, "%s", text);
}

/* What failed and what libssh2 says of it, which may quote the server. */
static void
link_break(struct link *l, const char *doing)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	char *text = NULL;
	int len = 0;
	int code = libssh2_session_last_error(l->session, &text, &len, 0);
	enum sftp_fault f = SFTP_NETWORK;

	str_add_quoted(&why, text, len < WORDS_MAX ? (size_t)len : WORDS_MAX);
	switch (code) {
	case LIBSSH2_ERROR_KEX_FAILURE:
	case LIBSSH2_ERROR_METHOD_NONE:
	case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
	case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED:
	case LIBSSH2_ERROR_CHANNEL_FAILURE:
	case LIBSSH2_ERROR_ALGO_UNSUPPORTED:
		f = SFTP_MISMATCH;
		break;
	case LIBSSH2_ERROR_INVALID_MAC:
	case LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
	case LIBSSH2_ERROR_HOSTKEY_INIT:
	case LIBSSH2_ERROR_HOSTKEY_SIGN:
	case LIBSSH2_ERROR_DECRYPT:
	case LIBSSH2_ERROR_PROTO:
	case LIBSSH2_ERROR_OUT_OF_BOUNDARY:
	case LIBSSH2_ERROR_BUFFER_TOO_SMALL:
	case LIBSSH2_ERROR_CHANNEL_UNKNOWN:
	case LIBSSH2_ERROR_CHANNEL_OUTOFORDER:
	case LIBSSH2_ERROR_BANNER_RECV:
		f = SFTP_GARBAGE;
		break;
	}
	link_fail(l, f, "%s: %s (libssh2 error %d)", doing, why.s, code);
}

/* ---- the seam ---- */

/*
 * One connection with much to say must not keep the others, the supervisor
 * and the deadlines waiting. And libssh2 takes all that is there before it
 * gives any of it, and gives none of it once the connection is lost.
 */
static ssize_t
receive(libssh2_socket_t fd, void *p, size_t n, int flags, void **abstract)
{
	struct link *l = *abstract;
	ssize_t got;

	if (l->turn == 0)
		return -EAGAIN;
	if (n > l->turn)
		n = l->turn;
	do
		got = recv(fd, p, n, flags);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (l->greeting != NULL && l->greeted < GREETING) {
		size_t room = GREETING - l->greeted;

		if (room > (size_t)got)
			room = (size_t)got;
		memcpy(l->greeting + l->greeted, p, room);
		l->greeted += room;
	}
	l->turn -= (size_t)got;
	l->left -= (size_t)got;
	l->came += (uint64_t)got;
	return got;
}

/* The server says why it hangs up; libssh2 would keep that to itself. */
static void
hung_up(LIBSSH2_SESSION *session, int reason, const char *message,
	int message_len, const char *language, int language_len,
	void **abstract)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct link *l = *abstract;
	enum sftp_fault f = SFTP_NETWORK;

	(void)session, (void)language, (void)language_len;
	if (message_len > WORDS_MAX)
		message_len = WORDS_MAX;
	if (message_len > 0)
		str_add_quoted(&why, message, (size_t)message_len);
	/* One that takes no RSA key at all may not even talk about one. */
	if (l->state == LINK_AUTH && l->auth.asking &&
		reason != SSH_DISCONNECT_CONNECTION_LOST &&
		reason != SSH_DISCONNECT_BY_APPLICATION &&
		reason != SSH_DISCONNECT_TOO_MANY_CONNECTIONS) {
		link_fail(l, SFTP_AUTH,
			"not let in as %s: key: %s (the server hung up: %s)",
			l->auth.user.s, rsa_no_list, why.s);
		return;
	}
	/* After too many attempts OpenSSH calls it a protocol error. */
	if (l->state == LINK_AUTH && l->auth.refused.len > 0 &&
		(reason == SSH_DISCONNECT_PROTOCOL_ERROR ||
			reason ==
				SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE))
		f = SFTP_AUTH;
	link_fail(l, f, "the server hung up%s%s (reason %d)",
		why.len > 0 ? ": " : "", why.s, reason);
}

static void
set_callbacks(LIBSSH2_SESSION *session)
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
	libssh2_session_callback_set2(
		session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)receive);
	libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_DISCONNECT,
		(libssh2_cb_generic *)hung_up);
#else
	libssh2_session_callback_set(
		session, LIBSSH2_CALLBACK_RECV, (void *)receive);
	libssh2_session_callback_set(
		session, LIBSSH2_CALLBACK_DISCONNECT, (void *)hung_up);
#endif
}

/* ---- up ---- */

void
link_open(struct link *l, int fd, unsigned old, const char *key_types,
	uint32_t window, int64_t deadline)
{
	struct err e = ERR_INIT;

	*l = (struct link){.state = LINK_HANDSHAKE,
		.fd = fd,
		.window = window,
		.deadline = deadline,
		.left = LEFT,
		.turn = TURN,
		.e = ERR_INIT};
	auth_init(&l->auth, old);
	l->out = mem_alloc(LINK_OUT);
	l->greeting = mem_alloc(GREETING);
	l->session = libssh2_session_init_ex(NULL, NULL, NULL, l);
	if (l->session == NULL) {
		link_fail(l, SFTP_NETWORK, "libssh2_session_init failed");
		return;
	}
	libssh2_session_set_blocking(l->session, 0);
	set_callbacks(l->session);
	if (!algorithms_offer(l->session, old, key_types, &e))
		link_fail(l, SFTP_MISMATCH, "%s", e.text);
}

void
link_close(struct link *l)
{
	if (l->state == LINK_NONE)
		return;
	if (l->session != NULL) {
		if (l->state != LINK_DEAD && l->state != LINK_HANDSHAKE)
			(void)libssh2_session_disconnect(
				l->session, "that was all, thank you");
		/* Freeing may want to say something; nobody waits for it. */
		for (int i = 0; i < 8; i++)
			if (libssh2_session_free(l->session) !=
				LIBSSH2_ERROR_EAGAIN)
				break;
	}
	auth_release(&l->auth);
	io_drop(&l->fd);
	free(l->out);
	free(l->greeting);
	*l = (struct link){.state = LINK_NONE, .fd = -1};
}

const uint8_t *
link_key(const struct link *l, size_t *ret_len)
{
	int type;

	return (const uint8_t *)libssh2_session_hostkey(
		l->session, ret_len, &type);
}

void
link_agreed(const struct link *l, struct str *ret)
{
	algorithms_agreed(l->session, ret);
}

const char *
link_banner(const struct link *l)
{
	const char *text = libssh2_session_banner_get(l->session);

	return text != NULL ? text : "";
}

void
link_login(struct link *l, int64_t deadline)
{
	l->deadline = deadline;
	l->state = LINK_AUTH;
}

static bool
would_block(int rc)
{
	return rc == LIBSSH2_ERROR_EAGAIN;
}

/* RFC 4253 4.2: lines of text may come before the one that begins so. */
static bool
is_ssh(const struct link *l)
{
	return memmem(l->greeting, l->greeted, "SSH-", 4) != NULL;
}

static void
fail_handshake(struct link *l, int rc)
{
	CLEANUP(str_release) struct str why = STR_INIT;

	if (rc == LIBSSH2_ERROR_KEX_FAILURE &&
		algorithms_explain(l->auth.old, l->greeting, l->greeted, &why))
		link_fail(l, SFTP_MISMATCH, "SSH handshake: %s", why.s);
	else if ((rc == LIBSSH2_ERROR_SOCKET_RECV ||
			 rc == LIBSSH2_ERROR_SOCKET_DISCONNECT) &&
		!is_ssh(l)) {
		str_add_quoted(&why, l->greeting,
			l->greeted < WORDS_MAX ? l->greeted : WORDS_MAX);
		link_fail(l, SFTP_NETWORK,
			"the server hung up before it said who it is%s%s: it "
			"may have too many connections, or shut our address "
			"out for a while, as OpenSSH does to who was refused",
			why.len > 0 ? "; it said: " : "", why.s);
	} else
		link_break(l, "SSH handshake");
}

static void
step_handshake(struct link *l)
{
	size_t len;
	int rc = libssh2_session_handshake(l->session, l->fd);

	if (would_block(rc) || l->state == LINK_DEAD)
		return;
	if (rc != 0)
		fail_handshake(l, rc);
	else if (link_key(l, &len) == NULL || len == 0)
		link_fail(l, SFTP_GARBAGE, "the server has no host key");
	else
		l->state = LINK_KEY;
	if (l->state != LINK_KEY)
		return;
	free(l->greeting);
	l->greeting = NULL;
}

static void
step_auth(struct link *l)
{
	struct err e = ERR_INIT;
	enum rc rc = auth_step(&l->auth, l->session, &e);

	if (rc == AGAIN || l->state == LINK_DEAD)
		return;
	if (rc == BAD_ITEM) {
		link_fail(l, SFTP_AUTH, "not let in as %s: %s", l->auth.user.s,
			e.text);
	} else if (rc != OK) {
		link_break(l, "logging in");
	} else {
		auth_release(&l->auth);
		l->state = LINK_CHANNEL;
	}
}

static void
step_channel(struct link *l)
{
	l->channel = libssh2_channel_open_ex(l->session, "session", 7,
		l->window, LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL, 0);
	if (l->state == LINK_DEAD)
		return;
	if (l->channel != NULL)
		l->state = LINK_SUBSYSTEM;
	else if (!would_block(libssh2_session_last_errno(l->session)))
		link_break(l, "opening a channel");
}

static void
step_out(struct link *l)
{
	while (l->out_at < l->out_end && l->state != LINK_DEAD) {
		ssize_t n = libssh2_channel_write(l->channel,
			(const char *)l->out + l->out_at,
			l->out_end - l->out_at);

		if (would_block((int)n))
			return;
		if (n < 0) {
			link_break(l, "sending");
			return;
		}
		l->out_at += (size_t)n;
	}
	if (l->out_at == l->out_end)
		l->out_at = l->out_end = 0;
}

/*
 * What is to be said to the subsystem follows the request for it at once: the
 * server reads it once it has one. Not while the request itself waits to be
 * sent.
 */
static void
step_subsystem(struct link *l)
{
	int rc = libssh2_channel_process_startup(
		l->channel, "subsystem", 9, "sftp", 4);

	if (l->state == LINK_DEAD)
		return;
	if (would_block(rc) &&
		!(libssh2_session_block_directions(l->session) &
			LIBSSH2_SESSION_BLOCK_OUTBOUND)) {
		step_out(l);
		/* Which may have taken the answer off the socket. */
		rc = libssh2_channel_process_startup(
			l->channel, "subsystem", 9, "sftp", 4);
	}
	if (l->state == LINK_DEAD || would_block(rc))
		return;
	if (rc != 0) {
		link_break(l, "the server does not offer SFTP");
	} else {
		l->state = LINK_UP;
	}
}

void
link_step(struct link *l)
{
	enum link_state before;

	l->left = LEFT;
	l->turn = TURN;
	do {
		before = l->state;
		switch (l->state) {
		case LINK_HANDSHAKE:
			step_handshake(l);
			break;
		case LINK_AUTH:
			step_auth(l);
			break;
		case LINK_CHANNEL:
			step_channel(l);
			break;
		case LINK_SUBSYSTEM:
			step_subsystem(l);
			break;
		case LINK_UP:
			step_out(l);
			break;
		case LINK_NONE:
		case LINK_KEY:
		case LINK_DEAD:
			return;
		}
	} while (l->state != before);
	if (l->state != LINK_UP && l->state != LINK_DEAD &&
		clock_mono() >= l->deadline)
		link_fail(l, SFTP_NETWORK,
			"the server does not finish %s in time",
			l->state == LINK_HANDSHAKE ? "its handshake"
						   : "letting us in");
}

/* ---- the two streams ---- */

/* What a server that is no SFTP server says before it hangs up. */
static void
ended(struct link *l)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	char words[WORDS_MAX];
	ssize_t n =
		libssh2_channel_read_stderr(l->channel, words, sizeof(words));

	while (n > 0 && words[n - 1] == '\n')
		n--;
	if (n > 0)
		str_add_quoted(&why, words, (size_t)n);
	link_fail(l, SFTP_NETWORK, "the server ended the SFTP session%s%s",
		why.len > 0 ? ": " : "", why.s);
}

size_t
link_read(struct link *l, uint8_t *p, size_t n)
{
	ssize_t got;

	if (l->state != LINK_UP)
		return 0;
	l->turn = l->left < TURN ? l->left : TURN;
	got = libssh2_channel_read(l->channel, (char *)p, n);
	if (got > 0)
		return (size_t)got;
	if (would_block((int)got) || l->state == LINK_DEAD)
		return 0;
	if (got == 0 && !libssh2_channel_eof(l->channel))
		return 0;
	if (got == 0)
		ended(l);
	else
		link_break(l, "receiving");
	return 0;
}

bool
link_room(struct link *l, size_t n)
{
	if (l->state != LINK_UP)
		return false;
	return n + LINK_SPARE <= LINK_OUT - l->out_end;
}

void
link_write(struct link *l, const void *p, size_t n)
{
	if (n > LINK_OUT - l->out_end)
		abort();
	memcpy(l->out + l->out_end, p, n);
	l->out_end += n;
}

short
link_events(const struct link *l)
{
	short events = POLLIN;

	if (l->session != NULL &&
		(libssh2_session_block_directions(l->session) &
			LIBSSH2_SESSION_BLOCK_OUTBOUND))
		events |= POLLOUT;
	return events;
}
