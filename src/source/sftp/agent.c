#include "source/sftp/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "source/sftp/rsa.h"

enum {
	REQUEST_IDENTITIES = 11,
	IDENTITIES_ANSWER = 12,
	SIGN_REQUEST = 13,
	SIGN_RESPONSE = 14,
	RSA_SHA2_256 = 2,
	RSA_SHA2_512 = 4,
	ANSWER_MAX = 256 << 10,
	WAIT = 30, /* seconds */
};

/* ---- strings ---- */

static enum rc
put_u32(struct buf *b, uint32_t v, struct err *e)
{
	uint8_t raw[4];

	put_be32(raw, v);
	return buf_add(b, raw, sizeof(raw), e);
}

static enum rc
put_string(struct buf *b, const void *p, size_t n, struct err *e)
{
	enum rc rc = put_u32(b, (uint32_t)n, e);

	return rc == OK ? buf_add(b, p, n, e) : rc;
}

/* The string at *at, which moves behind it. */
static bool
take_string(const uint8_t *p, size_t len, size_t *at, const uint8_t **ret,
	size_t *ret_len)
{
	size_t n;

	if (len - *at < 4)
		return false;
	n = get_be32(p + *at);
	if (n > len - *at - 4)
		return false;
	*ret = p + *at + 4;
	*ret_len = n;
	*at += 4 + n;
	return true;
}

/* ---- one request, one answer ---- */

static enum rc
wait_for(int fd, short what, int64_t deadline, struct err *e)
{
	struct pollfd p = {.fd = fd, .events = what};
	int64_t left = (deadline - clock_mono()) / 1000000;

	if (left <= 0 || poll(&p, 1, (int)left) == 0)
		return err_set(e, BAD_ITEM, "the agent does not answer");
	return OK;
}

static enum rc
move_all(
	int fd, uint8_t *p, size_t n, bool out, int64_t deadline, struct err *e)
{
	while (n > 0) {
		ssize_t got = out ? send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL)
				  : recv(fd, p, n, MSG_DONTWAIT);

		if (got > 0) {
			p += got;
			n -= (size_t)got;
		} else if (got < 0 && errno == EAGAIN) {
			enum rc rc = wait_for(
				fd, out ? POLLOUT : POLLIN, deadline, e);

			if (rc != OK)
				return rc;
		} else if (got == 0 || errno != EINTR) {
			return err_set(
				e, BAD_ITEM, "the agent closed its socket");
		}
	}
	return OK;
}

/* b: the request, with room for its length in front; then the answer. */
static enum rc
ask(int fd, struct buf *b, uint8_t expected, struct err *e)
{
	int64_t deadline = clock_mono() + WAIT * CLOCK_SECOND;
	uint8_t raw[4];
	uint32_t n;
	enum rc rc;

	put_be32(b->data, (uint32_t)b->len - 4);
	rc = move_all(fd, b->data, b->len, true, deadline, e);
	if (rc == OK)
		rc = move_all(fd, raw, sizeof(raw), false, deadline, e);
	if (rc != OK)
		return rc;
	n = get_be32(raw);
	if (n == 0 || n > ANSWER_MAX)
		return err_set(e, BAD_ITEM, "the agent talks nonsense");
	b->len = 0;
	rc = buf_reserve(b, n, e);
	if (rc == OK)
		rc = move_all(fd, b->data, n, false, deadline, e);
	if (rc != OK)
		return rc;
	b->len = n;
	if (b->data[0] != expected)
		return err_set(e, BAD_ITEM, "the agent refuses");
	return OK;
}

static enum rc
request(struct buf *b, uint8_t type, struct err *e)
{
	const uint8_t head[5] = {[4] = type};

	buf_init(b, ANSWER_MAX + 8192);
	return buf_add(b, head, sizeof(head), e);
}

enum rc
agent_key(int fd, unsigned i, struct agent_key *ret, struct err *e)
{
	CLEANUP(buf_release) struct buf b;
	const uint8_t *blob, *comment;
	size_t at = 5, n, len;
	enum rc rc = request(&b, REQUEST_IDENTITIES, e);

	if (rc == OK)
		rc = ask(fd, &b, IDENTITIES_ANSWER, e);
	if (rc != OK)
		return rc;
	if (b.len < 5)
		return err_set(e, BAD_ITEM, "the agent talks nonsense");
	if (i >= get_be32(b.data + 1))
		return END;
	for (unsigned k = 0; k <= i; k++)
		if (!take_string(b.data, b.len, &at, &blob, &n) ||
			!take_string(b.data, b.len, &at, &comment, &len))
			return err_set(e, BAD_ITEM, "the agent talks nonsense");
	if (n > sizeof(ret->blob))
		return err_set(
			e, BAD_ITEM, "the agent has a key of %zu bytes", n);
	ret->fd = fd;
	memcpy(ret->blob, blob, n);
	ret->blob_len = n;
	ret->declined = false;
	return OK;
}

/*
 * Which hash an RSA key is to sign with stands in what is signed (RFC 4252
 * section 7): session, 50, user, service, "publickey", true, algorithm.
 */
static uint32_t
flags_of(const uint8_t *data, size_t len)
{
	const uint8_t *s;
	size_t at = 0, n;

	if (!take_string(data, len, &at, &s, &n) || len - at < 1)
		return 0;
	at++;
	for (int i = 0; i < 3; i++)
		if (!take_string(data, len, &at, &s, &n))
			return 0;
	if (len - at < 1)
		return 0;
	at++;
	if (!take_string(data, len, &at, &s, &n) || n != 12)
		return 0;
	if (memcmp(s, "rsa-sha2-512", n) == 0)
		return RSA_SHA2_512;
	return memcmp(s, "rsa-sha2-256", n) == 0 ? RSA_SHA2_256 : 0;
}

int
agent_sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
	const unsigned char *data, size_t data_len, void **abstract)
{
	struct agent_key *key = *abstract;
	uint32_t flags = flags_of(data, data_len);
	CLEANUP(buf_release) struct buf b;
	struct err e = ERR_INIT;
	const uint8_t *whole, *name, *bytes;
	size_t at = 1, n;
	enum rc rc = request(&b, SIGN_REQUEST, &e);

	(void)session;
	if (flags == 0 && !key->sha1 && rsa_is_blob(key->blob, key->blob_len)) {
		key->declined = true;
		return -1;
	}
	if (rc == OK)
		rc = put_string(&b, key->blob, key->blob_len, &e);
	if (rc == OK)
		rc = put_string(&b, data, data_len, &e);
	if (rc == OK)
		rc = put_u32(&b, flags, &e);
	if (rc == OK)
		rc = ask(key->fd, &b, SIGN_RESPONSE, &e);
	if (rc != OK || !take_string(b.data, b.len, &at, &whole, &n))
		return -1;
	at = 0;
	/* libssh2 writes the algorithm itself and wants the bytes. */
	if (!take_string(whole, n, &at, &name, sig_len) ||
		!take_string(whole, n, &at, &bytes, sig_len))
		return -1;
	*sig = malloc(*sig_len + 1);
	if (*sig == NULL)
		return -1;
	memcpy(*sig, bytes, *sig_len);
	return 0;
}
