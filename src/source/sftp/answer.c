#include "source/sftp/answer.h"

#include <string.h>

enum { WORDS_MAX = 200 };

static enum sftp_fault
garbage(struct server *s, const char *what, struct str *why)
{
	server_garbage(s, what);
	str_clear(why);
	str_add(why, what);
	return SFTP_GARBAGE;
}

enum sftp_fault
answer_status(struct server *s, struct packet *k, struct str *why)
{
	static const char *const names[SFTP_FAULTS] = {
		[SFTP_NETWORK] = "the server lost its own connection",
		[SFTP_GARBAGE] = "the server does not understand",
		[SFTP_GONE] = "no such file",
		[SFTP_DENIED] = "permission denied",
		[SFTP_EXISTS] = "it exists already",
		[SFTP_FULL] = "no space or quota left at the server",
		[SFTP_UNSUPPORTED] = "the server cannot do this",
		[SFTP_REFUSED] = "the server refuses",
	};
	const uint8_t *words;
	enum sftp_fault f;
	uint32_t code;
	size_t len;

	str_clear(why);
	if (k->type != PACKET_STATUS)
		return garbage(s, "an answer of a wrong type", why);
	code = packet_u32(k);
	if (k->bad)
		return garbage(s, "a status without a code", why);
	if (code == PACKET_EOF || code == PACKET_OK)
		return SFTP_FINE;
	/* Some old servers send no words. */
	words = packet_bytes(k, &len);
	if (k->bad)
		len = 0;
	if (len > WORDS_MAX)
		len = WORDS_MAX;
	f = packet_fault(code, words, len);
	str_add(why, names[f] != NULL ? names[f] : "failed");
	str_addf(why, " (status %u", code);
	if (len > 0) {
		str_add(why, ": ");
		str_add_quoted(why, words, len);
	}
	str_addc(why, ')');
	return f;
}

/* Something was to come, and did not: fine it is not. */
static enum sftp_fault
refusal(struct server *s, struct packet *k, struct str *why)
{
	enum sftp_fault f = answer_status(s, k, why);

	if (f != SFTP_FINE)
		return f;
	str_add(why, "the server says nothing but that all is fine");
	return SFTP_GARBAGE;
}

enum sftp_fault
answer_handle(
	struct server *s, struct packet *k, struct handle *ret, struct str *why)
{
	const uint8_t *p;
	size_t n;

	if (k->type != PACKET_HANDLE)
		return refusal(s, k, why);
	p = packet_bytes(k, &n);
	if (!packet_end(k) || n > PACKET_HANDLE_MAX)
		return garbage(s, "a handle that is none", why);
	memcpy(ret->p, p, n);
	ret->len = n;
	ret->open = true;
	return SFTP_FINE;
}

enum sftp_fault
answer_attrs(struct server *s, struct packet *k, struct sftp_attrs *ret,
	struct str *why)
{
	if (k->type != PACKET_ATTRS)
		return refusal(s, k, why);
	packet_attrs(k, ret);
	return packet_end(k) ? SFTP_FINE
			     : garbage(s, "attributes that are none", why);
}

void
answer_close(struct server *s, struct handle *h)
{
	if (h->open)
		server_release(s, h->p, h->len);
	h->open = false;
}
