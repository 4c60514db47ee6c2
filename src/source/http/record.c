#include "source/http/record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/mem.h"

#define PIECE ((size_t)(64u << 10))

#define HEAD_MAX (256u << 10)

/* Good for a replay, and for nothing else. */
static const char stand_in[] = "instead-of-a-secret";

struct record {
	struct record_options o;
	int dir;
	unsigned n;	    /* of exchanges so far */
	struct err failure; /* code OK: all of them were kept */
};

enum rc
record_open(const struct record_options *o, struct record **ret, struct err *e)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct record *r = mem_alloc(sizeof(*r));

	r->o = *o;
	r->dir = -1;
	r->failure = (struct err)ERR_INIT;
	str_addf(&path, "%s/%s", o->dir, o->source);
	if ((!o->play && durable_mkdirs(AT_FDCWD, path.s, 0700, e) != OK) ||
		io_open(AT_FDCWD, path.s, O_RDONLY | O_DIRECTORY, 0, &r->dir,
			BAD_SOURCE, e) != OK) {
		free(r);
		return err_raise(e, BAD_SOURCE);
	}
	*ret = r;
	return OK;
}

void
record_close(struct record *r)
{
	if (r == NULL)
		return;
	io_drop(&r->dir);
	free(r);
}

bool
record_plays(const struct record *r)
{
	return r != NULL && r->o.play;
}

/* ---- keeping ---- */

static bool
is_private(const char *field, size_t n)
{
	static const char *const names[] = {
		"set-cookie:", "authorization:", "www-authenticate:"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (n >= strlen(names[i]) &&
			strncasecmp(field, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void
write_head(const struct record *r, struct str *s, const char *method,
	const char *url, const struct http_answer *a, bool token)
{
	struct jsonw j = jsonw_to(s);

	jsonw_object(&j);
	jsonw_key(&j, "method"), jsonw_text(&j, method);
	jsonw_key(&j, "url"), jsonw_text(&j, url);
	jsonw_key(&j, "status"), jsonw_u64(&j, a->status);
	jsonw_key(&j, "encoding"), jsonw_text(&j, a->encoding.s);
	jsonw_key(&j, "at"), jsonw_time_ns(&j, a->got_at);
	jsonw_key(&j, "fields"), jsonw_array(&j);
	for (const char *p = a->fields.s, *end; *p != '\0'; p = end + 1) {
		end = strchrnul(p, '\n');
		/* A login may be answered in any of them. */
		if (!token && !is_private(p, (size_t)(end - p)))
			jsonw_textn(&j, p, (size_t)(end - p));
		if (*end == '\0')
			break;
	}
	jsonw_end(&j);
	jsonw_end(&j);
	str_addc(s, '\n');
	(void)r->o.hide(r->o.arg, s, NULL);
}

static enum rc
new_file(struct record *r, const char *kind, int *ret_fd, struct err *e)
{
	char name[32];

	snprintf(name, sizeof(name), "%04u.%s", r->n, kind);
	return io_open(r->dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600, ret_fd,
		BAD_SOURCE, e);
}

static enum rc
write_body(const struct record *r, int fd, const struct http_body *b,
	struct err *e)
{
	CLEANUP(mem_release) uint8_t *piece = mem_alloc(PIECE);
	struct str text = STR_INIT; /* read, not yet written */
	struct hide_piece hidden = {0};
	enum rc rc = OK;
	size_t got;

	for (uint64_t at = 0; at < b->size && rc == OK; at += got) {
		size_t ready;

		if (r->o.cancel != NULL && *r->o.cancel) {
			rc = err_set(e, AGAIN, "stopped");
			break;
		}
		rc = http_body_read(b, piece, PIECE, at, &got, e);
		if (rc != OK)
			break;
		str_addn(&text, piece, got);
		hidden.more = at + got < b->size;
		ready = r->o.hide(r->o.arg, &text, &hidden);
		rc = io_write(fd, text.s, ready, BAD_SOURCE, e);
		memmove(text.s, text.s + ready, text.len - ready);
		str_cut(&text, text.len - ready);
	}
	str_release(&text);
	return rc;
}

static enum rc
write_file(struct record *r, const char *kind, const struct str *text,
	struct err *e)
{
	int fd = -1;
	enum rc rc = new_file(r, kind, &fd, e);

	if (rc == OK)
		rc = io_write(fd, text->s, text->len, BAD_SOURCE, e);
	io_drop(&fd);
	return rc;
}

static enum rc
keep_body(struct record *r, const struct http_body *b, struct err *e)
{
	int fd = -1;
	enum rc rc = new_file(r, "body", &fd, e);

	if (rc == OK)
		rc = write_body(r, fd, b, e);
	io_drop(&fd);
	return rc;
}

void
record_keep(struct record *r, const char *method, const char *url,
	const struct http_answer *a, bool token)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	struct err *e = &r->failure;
	enum rc rc;

	if (e->code != OK)
		return;
	r->n++;
	write_head(r, &text, method, url, a, token);
	rc = write_file(r, "json", &text, e);
	if (rc == OK && token) {
		str_clear(&text);
		str_add(&text, "{}");
		rc = write_file(r, "body", &text, e);
	} else if (rc == OK) {
		rc = keep_body(r, &a->body, e);
	}
	if (rc != OK)
		err_add(e, "recording");
}

void
record_login(struct record *r, const struct api *a, const struct api_auth *auth,
	const struct vars *v)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	struct jsonw j = jsonw_to(&text);

	if (r->failure.code != OK)
		return;
	jsonw_object(&j);
	for (size_t i = 0; i < auth->n_capture; i++) {
		const char *name = auth->capture[i].name;
		const struct var *x = vars_get(v, API_AUTH, name);

		jsonw_key(&j, name);
		if (x != NULL && x->n == 1 &&
			api_template_has(&a->base_url, API_AUTH, name))
			jsonw_textn(
				&j, (const char *)x->text[0].p, x->text[0].len);
		else
			jsonw_text(&j, stand_in);
	}
	jsonw_end(&j);
	(void)r->o.hide(r->o.arg, &text, NULL);
	if (write_file(r, "body", &text, &r->failure) != OK)
		err_add(&r->failure, "recording");
}

enum rc
record_check(const struct record *r, struct err *e)
{
	if (r == NULL || r->failure.code == OK)
		return OK;
	*e = r->failure;
	return e->code;
}

/* ---- playing ---- */

void
record_brought(const struct http_answer *a, const char *name, struct str *ret)
{
	CLEANUP(mem_release) char *text = mem_alloc(HEAD_MAX);
	struct err ignored = ERR_INIT;
	json_error_t je;
	json_t *j = NULL;
	const char *value;
	size_t got;

	if (http_body_read(&a->body, text, HEAD_MAX, 0, &got, &ignored) == OK)
		j = json_loadb(text, got, 0, &je);
	value = json_string_value(json_object_get(j, name));
	str_add(ret, value != NULL ? value : stand_in);
	json_decref(j);
}

static enum rc
read_head(const struct str *text, const char *method, const char *url,
	struct http_answer *a, struct err *e)
{
	json_error_t je;
	json_t *j = json_loadb(text->s, text->len, 0, &je), *fields;
	const char *was = json_string_value(json_object_get(j, "url"));
	const char *how = json_string_value(json_object_get(j, "method"));
	size_t i;
	json_t *f;

	if (was == NULL || how == NULL || strcmp(was, url) != 0 ||
		strcmp(how, method) != 0) {
		err_set(e, BAD_SOURCE, "%s %s: the recording has %s %s here",
			method, url, how != NULL ? how : "-",
			was != NULL ? was : "-");
		json_decref(j);
		return e->code;
	}
	a->status = (unsigned)json_integer_value(json_object_get(j, "status"));
	fields = json_object_get(j, "fields");
	json_array_foreach(fields, i, f)
	{
		if (json_is_string(f))
			str_addf(&a->fields, "%s\n", json_string_value(f));
	}
	json_decref(j);
	return OK;
}

static enum rc
read_body(int fd, struct http_answer *a, struct err *e)
{
	CLEANUP(mem_release) uint8_t *piece = mem_alloc(PIECE);
	struct hash h;
	size_t got = PIECE;
	enum rc rc = OK;

	hash_init(&h);
	while (rc == OK && got == PIECE) {
		rc = io_read(fd, piece, PIECE, &got, BAD_SOURCE, e);
		if (rc != OK)
			break;
		hash_add(&h, piece, got);
		rc = http_body_add(&a->body, piece, got, e);
	}
	hash_end(&h, a->sha256);
	return rc;
}

enum rc
record_play(struct record *r, const char *method, const char *url,
	struct http_answer *a, struct err *e)
{
	CLEANUP(str_release) struct str head = STR_INIT;
	char name[32];
	int fd = -1;
	enum rc rc;

	r->n++;
	a->status = 0;
	a->end = HTTP_WHOLE;
	str_clear(&a->fields);
	str_clear(&a->encoding);
	http_body_clear(&a->body);
	a->sent_at = a->got_at = clock_wall();
	snprintf(name, sizeof(name), "%04u.json", r->n);
	rc = io_read_file(r->dir, name, HEAD_MAX, &head, BAD_SOURCE, e);
	if (rc == END)
		return err_set(e, BAD_SOURCE,
			"%s %s: the recording ends before it", method, url);
	if (rc == OK)
		rc = read_head(&head, method, url, a, e);
	snprintf(name, sizeof(name), "%04u.body", r->n);
	if (rc == OK)
		rc = io_open(r->dir, name, O_RDONLY, 0, &fd, BAD_SOURCE, e);
	if (rc == OK)
		rc = read_body(fd, a, e);
	io_drop(&fd);
	return rc == BAD_ITEM ? err_raise(e, BAD_SOURCE) : rc;
}
