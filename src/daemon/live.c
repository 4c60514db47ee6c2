#include "daemon/live.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "daemon/order-wire.h"

#define NAME "live.json"
#define SIZE_MOST (16u << 20)

/* The numbers of struct live_work, by name. */
static const struct {
	const char *key;
	size_t offset;
} numbers[] = {
	{"queued", offsetof(struct live_work, queued)},
	{"reading", offsetof(struct live_work, reading)},
	{"reading_bytes", offsetof(struct live_work, reading_bytes)},
	{"staged", offsetof(struct live_work, staged)},
	{"done", offsetof(struct live_work, done)},
	{"bytes", offsetof(struct live_work, bytes)},
	{"rate", offsetof(struct live_work, rate)},
	{"members", offsetof(struct live_work, members)},
};

static void
write_source(struct jsonw *j, const struct live_source *s)
{
	jsonw_object(j);
	jsonw_key(j, "name"), jsonw_text(j, s->name);
	jsonw_key(j, "looking"), jsonw_bool(j, s->looking);
	if (s->order != NULL)
		jsonw_key(j, "order"), jsonw_text(j, s->order);
	jsonw_key(j, "failures"), jsonw_u64(j, s->failures);
	jsonw_key(j, "next"), jsonw_time(j, s->next);
	if (s->why != NULL) {
		jsonw_key(j, "until"), jsonw_time(j, s->until);
		jsonw_key(j, "why"), jsonw_text(j, s->why);
	}
	jsonw_end(j);
}

static void
write_file(struct jsonw *j, const struct live_file *f)
{
	jsonw_object(j);
	jsonw_key(j, "source"), jsonw_text(j, f->source);
	jsonw_key(j, "name"), jsonw_text(j, f->name);
	jsonw_key(j, "size"), jsonw_u64(j, f->size);
	jsonw_key(j, "bytes"), jsonw_u64(j, f->bytes);
	jsonw_end(j);
}

void
live_write_files(const struct live *l, struct jsonw *j)
{
	jsonw_key(j, "files"), jsonw_array(j);
	for (size_t i = 0; i < l->n_files; i++)
		write_file(j, &l->file[i]);
	jsonw_end(j);
}

enum rc
live_write(int state, const struct live *l, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct jsonw j = jsonw_to(&s);

	jsonw_object(&j);
	jsonw_key(&j, "pid"), jsonw_i64(&j, l->pid);
	jsonw_key(&j, "started"), jsonw_time(&j, l->started);
	jsonw_key(&j, "written"), jsonw_time(&j, l->written);
	jsonw_key(&j, "saying"), jsonw_text(&j, l->saying);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t n;

		memcpy(&n, (const char *)&l->work + numbers[i].offset,
			sizeof(n));
		jsonw_key(&j, numbers[i].key), jsonw_u64(&j, n);
	}
	live_write_files(l, &j);
	jsonw_key(&j, "sources"), jsonw_array(&j);
	for (size_t i = 0; i < l->n_sources; i++)
		write_source(&j, &l->source[i]);
	jsonw_end(&j);
	jsonw_end(&j);
	str_addc(&s, '\n');
	/* A power cut may take it: so it takes the daemon. */
	return durable_replace_later(state, NAME, s.s, s.len, 0600, e);
}

static bool
read_time(const json_t *o, const char *key, int64_t *ret)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL && clock_parse_time(text, ret);
}

static bool
read_number(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *n = json_object_get(o, key);

	if (!json_is_integer(n) || json_integer_value(n) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(n);
	return true;
}

static const char *
verb_of(const char *name)
{
	for (enum order_verb v = 0; name != NULL && v < ORDER_VERBS; v++)
		if (strcmp(order_verb_name(v), name) == 0)
			return order_verb_name(v);
	return NULL;
}

static bool
read_source(const json_t *o, struct live_source *s)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *why = json_string_value(json_object_get(o, "why"));

	if (name == NULL || !read_number(o, "failures", &s->failures) ||
		!read_time(o, "next", &s->next))
		return false;
	s->looking = json_is_true(json_object_get(o, "looking"));
	s->order = verb_of(json_string_value(json_object_get(o, "order")));
	s->name = mem_strdup(name);
	if (why != NULL && read_time(o, "until", &s->until))
		s->why = mem_strdup(why);
	return true;
}

static bool
read_file(const json_t *o, struct live_file *f)
{
	const char *source = json_string_value(json_object_get(o, "source"));
	const char *name = json_string_value(json_object_get(o, "name"));

	if (source == NULL || name == NULL ||
		!read_number(o, "size", &f->size) ||
		!read_number(o, "bytes", &f->bytes))
		return false;
	f->source = mem_strdup(source);
	f->name = mem_strdup(name);
	return true;
}

static bool
read_files(const json_t *files, struct live *l)
{
	size_t n = json_array_size(files);

	if (n > LIVE_FILES)
		return false;
	for (size_t i = 0; i < n; i++, l->n_files++)
		if (!read_file(json_array_get(files, i), &l->file[i]))
			return false;
	return true;
}

static bool
read_all(const json_t *o, struct live *l)
{
	const char *saying = json_string_value(json_object_get(o, "saying"));
	const json_t *sources = json_object_get(o, "sources");
	size_t n = json_array_size(sources);
	uint64_t pid;

	if (saying == NULL || !read_number(o, "pid", &pid) ||
		!read_time(o, "started", &l->started) ||
		!read_time(o, "written", &l->written))
		return false;
	l->pid = (int64_t)pid;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t v;

		if (!read_number(o, numbers[i].key, &v))
			return false;
		memcpy((char *)&l->work + numbers[i].offset, &v, sizeof(v));
	}
	if (!read_files(json_object_get(o, "files"), l))
		return false;
	l->saying = mem_strdup(saying);
	l->source = mem_array(n + 1, sizeof(*l->source));
	for (size_t i = 0; i < n; i++, l->n_sources++)
		if (!read_source(json_array_get(sources, i), &l->source[i]))
			return false;
	return true;
}

enum rc
live_read(int state, struct live *ret, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	struct live l = {.pid = 0};
	enum rc rc = io_read_file(state, NAME, SIZE_MOST, &s, BROKEN, e);
	json_t *o;

	if (rc != OK)
		return rc;
	o = json_loadb(s.s, s.len, JSON_REJECT_DUPLICATES, NULL);
	rc = read_all(o, &l) ? OK
			     : err_set(e, BAD_ITEM, NAME " makes no sense");
	json_decref(o);
	if (rc != OK)
		live_release(&l);
	else
		*ret = l;
	return rc;
}

void
live_release_files(struct live *l)
{
	for (size_t i = 0; i < l->n_files; i++) {
		free(l->file[i].source);
		free(l->file[i].name);
	}
	l->n_files = 0;
}

void
live_release(struct live *l)
{
	live_release_files(l);
	for (size_t i = 0; i < l->n_sources; i++) {
		free(l->source[i].name);
		free(l->source[i].why);
	}
	free(l->source);
	free(l->saying);
	*l = (struct live){.pid = 0};
}

const struct live_source *
live_source(const struct live *l, const char *name)
{
	for (size_t i = 0; i < l->n_sources; i++)
		if (strcmp(l->source[i].name, name) == 0)
			return &l->source[i];
	return NULL;
}
