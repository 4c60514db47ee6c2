/*
 * known-hosts.h - which keys a known_hosts file holds for a server
 * (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
 *
 *	@marker hosts keytype base64 comment
 *
 * hosts is a list of patterns with * and ?, "!" in front excludes; a server
 * on another port than 22 is "[name]:port"; |1|salt|hash hides one name.
 * libssh2 compares names exactly and knows no markers, so the matching is
 * ours. What is not understood never matches: the worst a damaged file does
 * is to refuse a server.
 *
 * Certificates are not supported: @cert-authority lines are counted, so that
 * an error can say why a key that they would vouch for is unknown.
 */
#ifndef SOURCE_SFTP_KNOWN_HOSTS_H
#define SOURCE_SFTP_KNOWN_HOSTS_H

#include "base/str.h"

#define KNOWN_HOSTS_FILE_MAX (16 << 20)
#define KNOWN_HOSTS_LINE_MAX 16384 /* longer ones are malformed */

enum known_verdict {
	KNOWN_MATCH,   /* a line has this key for this server */
	KNOWN_NONE,    /* nothing is said of this server */
	KNOWN_OTHER,   /* other keys are known for it, not this one */
	KNOWN_REVOKED, /* an @revoked line has this key */
};

struct known_hosts {
	const char *text; /* the file; outlives this */
	size_t len;
	const char *host;
	uint16_t port;
};

struct known_answer {
	enum known_verdict verdict;
	unsigned line;	       /* that decided; 0 when none did */
	struct str others;     /* "SHA256:... (ssh-rsa, line 3), ..." */
	unsigned authorities;  /* @cert-authority lines for this server */
	unsigned malformed;    /* lines that could not be read */
	unsigned malformed_at; /* the first of them */
};

#define KNOWN_ANSWER_INIT \
	{ \
		.others = STR_INIT \
	}

/* a was initialized; str_release(&a->others) afterwards. */
void known_hosts_ask(const struct known_hosts *k, const uint8_t *blob,
	size_t len, struct known_answer *a);

/*
 * The key types known for the server, each once, separated by commas: a
 * server that has several keys must be asked for one of these. At most 16.
 */
void known_hosts_types(const struct known_hosts *k, struct str *ret);

#endif
