/*
 * http.h - requests to one origin, made by a sandboxed child.
 *
 * The child (source/http/child.c) has libcurl: TLS, HTTP and compressed
 * bodies are parsed where nothing can be reached. It opens nothing: names are
 * resolved and sockets connected here, and only to the origin of the request
 * under way, whatever the child asks for.
 *
 *	http_open(&options, &h, &e);
 *	http_answer_init(&a, spool);
 *	rc = http_ask(h, &request, &a, &cancel, &e);
 *	... a.status, http_header(&a, "ETag"), a.body ...
 *	http_answer_release(&a);
 *	http_close(h);			the child, its connections and secrets
 *
 * The connections of one struct http are used again for its next request. It
 * belongs to one thread at a time. The child is started with the first
 * request, and again when it died.
 *
 * Always on: TLS 1.2 or newer with verification; no redirections, no
 * proxies, no cookies; caps on headers and bodies. A body that ends before
 * its end is an error, also within its compression.
 */
#ifndef LANDFALL_HTTP_H
#define LANDFALL_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/hash.h"
#include "landfall/proc.h"

#define HTTP_HEADERS_MAX (48u << 10) /* bytes, of a request or an answer */
#define HTTP_URL_MAX (8u << 10)
#define HTTP_BODY_HELD (1u << 20) /* of a body; what is longer is spooled */
#define HTTP_BODY_MAX (UINT64_C(64) << 30)

/* The child: its kind and its job (cli/children.c). */
#define HTTP_CHILD "http"
int http_child(const struct child *c);

/* ---- URLs ---- */

/* What must be equal for credentials to be sent: RFC 6454 section 4. */
struct http_origin {
	bool tls;
	unsigned port;
	struct str host; /* as in the URL; an IPv6 address without brackets */
};

/* BAD_ITEM: not http or https, no host, or a password in it. */
enum rc http_origin_of(
	const char *url, struct http_origin *ret, struct err *e) MUST_USE;
void http_origin_release(struct http_origin *o);
bool http_origin_same(const struct http_origin *a, const struct http_origin *b);

/* A reference as a page has it, against its base (RFC 3986 section 5). */
enum rc http_url_join(const char *base, const char *reference, struct str *ret,
	struct err *e) MUST_USE;

/* ---- bodies ---- */

/* Bytes in memory, and beyond HTTP_BODY_HELD in an unlinked file. */
struct http_body {
	uint8_t *held;
	size_t n_held;
	size_t cap;
	int spool; /* directory; the caller's */
	int fd;	   /* -1: nothing is spooled */
	uint64_t size;
};

void http_body_init(struct http_body *b, int spool);
void http_body_release(struct http_body *b);
void http_body_clear(struct http_body *b);

/* BROKEN: our disk failed. */
enum rc http_body_add(
	struct http_body *b, const void *p, size_t n, struct err *e) MUST_USE;
enum rc http_body_read(const struct http_body *b, void *p, size_t n,
	uint64_t offset, size_t *ret_got, struct err *e) MUST_USE;

/* ---- asking ---- */

struct http_options {
	const char *ca;	      /* PEM file; NULL: that of the system */
	bool allow_plaintext; /* http to others than this machine */
};

struct http_field {
	const char *name;
	const char *value;
};

struct http_request {
	const char *method;
	const char *url;
	const struct http_field *field; /* headers */
	size_t n_fields;
	const void *body; /* NULL: none */
	size_t body_len;
	int64_t connect, idle, total; /* ns */
	uint64_t max_body;	      /* decoded bytes; 0: HTTP_BODY_MAX */
};

/* How it ended. Up to HTTP_CUT it may go better another time. */
enum http_end {
	HTTP_WHOLE,
	HTTP_NO_CONNECTION, /* no such name, nobody there, refused */
	HTTP_SLOW,	    /* idle or total time is over */
	HTTP_CUT,	    /* reset, or a body that is not whole */
	HTTP_DIED,	    /* our child */
	HTTP_NOT_TRUSTED,   /* TLS: its certificate, or its version */
	HTTP_TOO_LARGE,
	HTTP_NONSENSE, /* not HTTP, or an encoding nobody asked for */
};

struct http_answer {
	enum http_end end;
	unsigned status;
	struct str fields; /* "Name: value\n" for each header */
	struct http_body body;
	uint8_t sha256[HASH_LEN]; /* of the body */
	struct str encoding;	  /* it came in; "" is none */
	uint64_t wire;		  /* bytes of the body as they came */
	int64_t sent_at, got_at;  /* wall, ns */
};

void http_answer_init(struct http_answer *a, int spool);
void http_answer_release(struct http_answer *a);

/* The first header of that name, in any case; its length. NULL: none. */
const char *http_answer_field(
	const struct http_answer *a, const char *name, size_t *ret_len);

struct http;

/* BAD_SOURCE: the file of certificates cannot be read. */
enum rc http_open(const struct http_options *o, struct http **ret,
	struct err *e) MUST_USE;
void http_close(struct http *h);

/*
 * OK: there is an answer, whatever its status. AGAIN: none, but another time
 * there may be one (a->end says why), or *cancel was set. BAD_SOURCE: none,
 * and none will come. BROKEN: our disk, or no child can be started. No text
 * has more of the URL than scheme, host, port and path.
 */
enum rc
http_ask(struct http *h, const struct http_request *r, struct http_answer *a,
	const atomic_bool *cancel, struct err *e) MUST_USE;

#endif
