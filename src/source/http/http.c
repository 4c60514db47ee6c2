/*
 * The supervisor's side: it dials, sends requests down and takes answers up.
 */
#include "landfall/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "source/dial.h"
#include "source/http/wire.h"

#define CA_OF_SYSTEM "/etc/ssl/certs/ca-certificates.crt"
#define CHILD_MEMORY (UINT64_C(192) << 20)
#define CHILD_CPU (UINT64_C(24) * 3600)

/* How long a cancellation may go unnoticed; how long a child may be stuck. */
#define SLICE (CLOCK_SECOND / 5)
#define STUCK (30 * CLOCK_SECOND)

struct http {
	struct http_options options;
	struct str ca;
	struct proc *child;
	struct message m;
	uint8_t piece[MESSAGE_MAX];
};

enum rc
http_open(const struct http_options *o, struct http **ret, struct err *e)
{
	struct http *h = mem_alloc(sizeof(*h));
	const char *path = o->ca != NULL ? o->ca : CA_OF_SYSTEM;
	enum rc rc;

	h->options = *o;
	h->ca = (struct str)STR_INIT;
	rc = io_read_file(AT_FDCWD, path, HTTP_CA_MAX, &h->ca, BAD_SOURCE, e);
	/* Without it nobody is trusted; plain HTTP needs nobody's trust. */
	if (rc == END && o->ca == NULL)
		rc = OK;
	if (rc == END)
		rc = err_set(e, BAD_SOURCE, "%s: there is no such file", path);
	if (rc == OK && o->ca != NULL && strstr(h->ca.s, "-----BEGIN ") == NULL)
		rc = err_set(e, BAD_SOURCE,
			"ca_file %s: there is no certificate in it", path);
	if (rc != OK) {
		http_close(h);
		return err_raise(e, BAD_SOURCE);
	}
	*ret = h;
	return OK;
}

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	proc_free(h->child);
	str_release(&h->ca);
	explicit_bzero(&h->m, sizeof(h->m));
	free(h);
}

/* ---- answers ---- */

void
http_answer_init(struct http_answer *a, int spool)
{
	*a = (struct http_answer){.fields = STR_INIT, .encoding = STR_INIT};
	http_body_init(&a->body, spool);
}

void
http_answer_release(struct http_answer *a)
{
	http_body_release(&a->body);
	str_release(&a->fields);
	str_release(&a->encoding);
}

const char *
http_answer_field(
	const struct http_answer *a, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);

	for (const char *p = a->fields.s, *end; *p != '\0'; p = end + 1) {
		end = strchrnul(p, '\n');
		if ((size_t)(end - p) > n && p[n] == ':' &&
			strncasecmp(p, name, n) == 0) {
			const char *v = p + n + 1;

			v += strspn(v, " \t");
			while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
				end--;
			*ret_len = v < end ? (size_t)(end - v) : 0;
			return v;
		}
		if (*end == '\0')
			break;
	}
	return NULL;
}

/* ---- the child ---- */

static void
lose_child(struct http *h)
{
	proc_free(h->child);
	h->child = NULL;
}

static enum rc
start_child(struct http *h, struct err *e)
{
	const struct proc_start start = {
		.kind = HTTP_CHILD,
		.limits = {.memory = CHILD_MEMORY, .cpu = CHILD_CPU},
	};

	if (h->child != NULL)
		return OK;
	if (proc_spawn(&start, &h->child, e) != OK)
		return e->code;
	for (size_t at = 0; at < h->ca.len; at += MESSAGE_MAX) {
		size_t n = h->ca.len - at;

		if (n > MESSAGE_MAX)
			n = MESSAGE_MAX;
		if (proc_send_data(h->child, HTTP_CA, h->ca.s + at, n,
			    clock_mono() + STUCK, e) != OK)
			return e->code;
	}
	return OK;
}

/* A line of a header must stay one line, whatever its value is. */
static bool
is_field(const struct http_field *f)
{
	for (const char *p = f->name; *p != '\0'; p++)
		if (*p <= ' ' || *p == ':' || *p == 0x7f)
			return false;
	for (const char *p = f->value; *p != '\0'; p++)
		if ((*p < ' ' && *p >= 0 && *p != '\t') || *p == 0x7f)
			return false;
	return f->name[0] != '\0';
}

static void
put_field(struct http *h, const char *name, const char *value)
{
	struct str line = STR_INIT;

	/* An empty value is sent as such only with a semicolon: libcurl. */
	if (value[0] == '\0')
		str_addf(&line, "%s;", name);
	else
		str_addf(&line, "%s: %s", name, value);
	message_put_bytes(&h->m, line.s, line.len);
	explicit_bzero(line.s, line.len);
	str_release(&line);
}

static const struct http_field own[] = {
	{"User-Agent", "landfall/" PACKAGE_VERSION},
	{"Accept-Encoding", "gzip"},
};

static bool
is_given(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_fields; i++)
		if (strcasecmp(r->field[i].name, name) == 0)
			return true;
	return false;
}

static enum rc
send_request(struct http *h, const struct http_request *r, struct err *e)
{
	int64_t deadline = clock_mono() + STUCK;
	size_t more = 0;
	enum rc rc;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		more += !is_given(r, own[i].name);
	message_begin(&h->m, HTTP_REQUEST);
	message_put_text(&h->m, r->method);
	message_put_text(&h->m, r->url);
	message_put_u64(&h->m, (uint64_t)r->idle);
	message_put_u64(&h->m, (uint64_t)r->total);
	message_put_u64(&h->m, r->max_body > 0 ? r->max_body : HTTP_BODY_MAX);
	message_put_u64(&h->m, r->body_len);
	/* No waiting for leave to send a body: an Expect that is empty. */
	message_put_u64(&h->m, r->n_fields + more + 1);
	for (size_t i = 0; i < r->n_fields; i++) {
		if (!is_field(&r->field[i]))
			return err_set(e, BAD_SOURCE,
				"header %s has more than one line, or control "
				"characters",
				r->field[i].name);
		put_field(h, r->field[i].name, r->field[i].value);
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (!is_given(r, own[i].name))
			put_field(h, own[i].name, own[i].value);
	message_put_text(&h->m, "Expect:");
	if (h->m.bad || r->body_len > HTTP_SEND_MAX)
		return err_set(e, BAD_SOURCE, "the request is too large");
	rc = proc_send(h->child, &h->m, deadline, e);
	for (size_t at = 0; at < r->body_len && rc == OK; at += MESSAGE_MAX) {
		size_t n = r->body_len - at;

		rc = proc_send_data(h->child, HTTP_SEND,
			(const uint8_t *)r->body + at,
			n < MESSAGE_MAX ? n : MESSAGE_MAX, deadline, e);
	}
	explicit_bzero(h->m.body, h->m.len);
	return rc;
}

/* ---- one exchange ---- */

struct exchange {
	struct http *http;
	const struct http_request *request;
	struct http_origin origin;
	struct http_answer *answer;
	const atomic_bool *cancel;
	struct hash hash;
	int64_t began;
	bool refused; /* by dial: e is in why */
	struct err why;
};

/* To the origin that was asked for, and to no other. */
static enum rc
connect_origin(const struct exchange *x, int *ret_fd, struct err *e)
{
	CLEANUP(str_release) struct str address = STR_INIT;
	const struct http_origin *o = &x->origin;
	const struct dial d = {.host = o->host.s,
		.port = o->port,
		.local = !o->tls && !x->http->options.allow_plaintext,
		.timeout = x->request->connect > 0 ? x->request->connect
						   : 30 * CLOCK_SECOND,
		.cancel = x->cancel};
	enum rc rc = dial_open(&d, ret_fd, &address, e);

	if (rc != END)
		return rc;
	return err_set(e, BAD_SOURCE,
		"http://%s is not this machine, and without TLS everybody on "
		"the way can read what is sent: use https, or "
		"allow_plaintext: true",
		o->host.s);
}

/* The child asks for a connection; where to is ours to say. */
static enum rc
connect_child(struct exchange *x, struct err *e)
{
	struct http *h = x->http;
	int fd = -1;
	enum rc rc;

	x->why = (struct err)ERR_INIT;
	x->refused = connect_origin(x, &fd, &x->why) != OK;
	message_begin(&h->m, HTTP_SOCKET);
	h->m.fd = fd;
	rc = proc_send(h->child, &h->m, clock_mono() + STUCK, e);
	io_drop(&fd);
	return rc;
}

static enum rc
nonsense(struct err *e)
{
	return err_set(e, BAD_ITEM, "http child: it talks nonsense");
}

static enum rc
take_head(struct exchange *x, struct err *e)
{
	struct message *m = &x->http->m;
	uint64_t status = message_take_u64(m);
	size_t n;
	const uint8_t *p = message_take_bytes(m, &n);

	if (!message_end(m) || x->answer->status != 0 || status < 100 ||
		status > 999 || memchr(p, '\0', n) != NULL)
		return nonsense(e);
	x->answer->status = (unsigned)status;
	str_addn(&x->answer->fields, p, n);
	return OK;
}

static enum rc
take_done(struct exchange *x, struct err *e)
{
	struct message *m = &x->http->m;
	struct http_answer *a = x->answer;
	char why[200], encoding[16];
	uint64_t end = message_take_u64(m);

	message_take_text(m, why, sizeof(why));
	message_take_text(m, encoding, sizeof(encoding));
	a->wire = message_take_u64(m);
	if (!message_end(m) || end > HTTP_NONSENSE ||
		(end == HTTP_WHOLE && a->status == 0))
		return nonsense(e);
	a->end = (enum http_end)end;
	str_add(&a->encoding, encoding);
	a->got_at = clock_wall();
	if (end == HTTP_WHOLE)
		return END;
	if (end == HTTP_NOT_TRUSTED)
		return err_set(e, BAD_SOURCE,
			"the server did not prove who it is to those who are "
			"trusted by %s: %s; it was asked nothing",
			x->http->options.ca != NULL ? x->http->options.ca
						    : CA_OF_SYSTEM,
			why);
	if (x->refused) {
		a->end = HTTP_NO_CONNECTION;
		*e = x->why;
		return e->code;
	}
	return err_set(e, end <= HTTP_DIED ? AGAIN : BAD_SOURCE, "%s", why);
}

/* One message of the child's. END: the answer is whole. */
static enum rc
take_message(struct exchange *x, struct err *e)
{
	struct http *h = x->http;
	size_t n = 0;
	enum rc rc = proc_recv_data(h->child, &h->m, HTTP_BODY, h->piece,
		sizeof(h->piece), &n, clock_mono() + SLICE, e);

	if (rc != OK)
		return rc;
	switch (h->m.type) {
	case HTTP_CONNECT:
		return connect_child(x, e);
	case HTTP_HEAD:
		return take_head(x, e);
	case HTTP_BODY:
		hash_add(&x->hash, h->piece, n);
		return http_body_add(&x->answer->body, h->piece, n, e);
	case HTTP_DONE:
		return take_done(x, e);
	default:
		return nonsense(e);
	}
}

static enum rc
converse(struct exchange *x, struct err *e)
{
	const struct http_request *r = x->request;
	bool told = false; /* the child said how it ended */
	enum rc rc = start_child(x->http, e);

	if (rc == OK)
		rc = send_request(x->http, r, e);
	while (rc == OK) {
		rc = take_message(x, e);
		if (rc == END)
			return OK;
		told = rc != OK && x->http->m.type == HTTP_DONE;
		if (rc != AGAIN || told)
			continue;
		if (x->cancel != NULL && *x->cancel)
			return err_set(e, AGAIN, "stopped");
		/* It keeps the times itself; this is for one that does not. */
		if (r->total > 0 &&
			clock_mono() - x->began > r->total + r->connect + STUCK)
			return err_set(e, BAD_ITEM, "http child: stuck");
		*e = (struct err)ERR_INIT;
		rc = OK;
	}
	if (told && rc != BAD_ITEM)
		return rc;
	if (rc == BAD_SOURCE || rc == BROKEN)
		return rc;
	return err_raise(e, BAD_ITEM);
}

/* What of a URL may be told: not its query, where secrets are. */
static void
add_place(struct str *s, const char *url)
{
	str_add_quoted(s, url, strcspn(url, "?#"));
}

enum rc
http_ask(struct http *h, const struct http_request *r, struct http_answer *a,
	const atomic_bool *cancel, struct err *e)
{
	CLEANUP(str_release) struct str place = STR_INIT;
	struct exchange x = {
		.http = h,
		.request = r,
		.answer = a,
		.cancel = cancel,
		.began = clock_mono(),
	};
	bool whole;
	enum rc rc;

	a->status = 0;
	str_clear(&a->fields);
	str_clear(&a->encoding);
	http_body_clear(&a->body);
	if (http_origin_of(r->url, &x.origin, e) != OK)
		return err_raise(e, BAD_SOURCE);
	hash_init(&x.hash);
	a->end = HTTP_DIED;
	a->sent_at = clock_wall();
	rc = converse(&x, e);
	whole = rc == OK;
	hash_end(&x.hash, a->sha256);
	http_origin_release(&x.origin);
	if (whole)
		return OK;
	/* What is under way in it is nothing we can use. */
	if (a->end == HTTP_DIED)
		lose_child(h);
	if (rc == BROKEN)
		return rc;
	if (rc == BAD_ITEM)
		err_raise(e, AGAIN);
	add_place(&place, r->url);
	return err_add(e, "%s %s", r->method, place.s);
}
