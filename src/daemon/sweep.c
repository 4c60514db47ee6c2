#include "daemon/sweep.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/names.h"
#include "daemon/batch.h"
#include "daemon/engine-state.h"
#include "daemon/stream-list.h"

#define KEYS_BYTES (64u << 20) /* of all keys of one set */
#define FIELDS 16

struct sweep {
	const struct stream_options *o;
	const struct api_stream *stream;
	struct str source;
	struct catalog_stream row;
	int64_t began;
	const struct api_place *field[FIELDS];
	size_t n_fields;
	struct names listed, known;
	bool *gone; /* of each known one: its tombstone came last */
	size_t gone_cap;
	uint64_t n_known, n_absent;
	bool tombstones; /* the file under way holds them */
	struct reply *reply;
	struct http_answer record; /* one of what has landed */
};

/* A key as JSON: the same text for the same key, wherever it stands. */
static bool
key_of(const struct sweep *s, const struct reply_record *x, struct str *ret)
{
	struct jsonw j = jsonw_to(ret);

	jsonw_array(&j);
	for (size_t i = 0; i < s->n_fields; i++) {
		if (!x->field[i].set)
			return false;
		jsonw_textn(&j, (const char *)x->field[i].p, x->field[i].len);
	}
	jsonw_end(&j);
	return true;
}

static enum rc
too_many(const struct sweep *s, struct err *e)
{
	return err_set(e, BAD_SOURCE,
		"%s has more keys than a sweep can hold (%u)", s->stream->name,
		SWEEP_KEYS);
}

/* ---- what the API lists ---- */

static enum rc
take_listed(void *arg, const struct reply_record *x, struct err *e)
{
	struct sweep *s = arg;
	CLEANUP(str_release) struct str key = STR_INIT;

	/* Half a key would match nothing, and so delete something. */
	if (!key_of(s, x, &key))
		return err_set(e, BAD_SOURCE,
			"record %llu of the list has no key",
			(unsigned long long)x->number);
	if (names_put(&s->listed, key.s, key.len) == NAMES_FULL)
		return too_many(s, e);
	return OK;
}

static enum rc
read_list(struct sweep *s, struct err *e)
{
	const struct api_stream *list =
		&s->o->description->stream[s->stream->reconcile.list];
	const struct api_place *field[FIELDS];
	const struct stream_list_options o = {
		.session = s->o->session,
		.stream = list,
		.max_record = s->o->description->max_record,
		.spool = s->o->engine->spool,
		.field = field,
		.n_fields = s->n_fields,
	};

	for (size_t i = 0; i < s->n_fields; i++)
		field[i] = &list->key.row[i];
	if (stream_list(&o, take_listed, s, e) != OK)
		return err_add(e, "list of keys %s", list->name);
	return OK;
}

/* ---- what has landed ---- */

static enum rc
note_known(struct sweep *s, const struct str *key, bool gone, struct err *e)
{
	size_t i = names_put(&s->known, key->s, key->len);

	if (i == NAMES_FULL)
		return too_many(s, e);
	while (i >= s->gone_cap) {
		s->gone_cap = s->gone_cap > 0 ? 2 * s->gone_cap : 1024;
		s->gone = mem_resize(s->gone, s->gone_cap, sizeof(*s->gone));
	}
	s->gone[i] = gone;
	return OK;
}

static enum rc
take_known(void *arg, const struct reply_record *x, struct err *e)
{
	struct sweep *s = arg;
	CLEANUP(str_release) struct str key = STR_INIT;

	/* Without a key nobody can say that it is gone. */
	return key_of(s, x, &key) ? note_known(s, &key, false, e) : OK;
}

static enum rc
take_tombstone(struct sweep *s, const uint8_t *p, size_t n, struct err *e)
{
	CLEANUP(str_release) struct str key = STR_INIT;
	struct jsonw j = jsonw_to(&key);
	json_t *root = json_loadb((const char *)p, n, 0, NULL), *part;
	size_t i;

	jsonw_array(&j);
	json_array_foreach(json_object_get(root, "absent"), i, part)
		jsonw_textn(
			&j, json_string_value(part), json_string_length(part));
	jsonw_end(&j);
	json_decref(root);
	return note_known(s, &key, true, e);
}

static enum rc
each_record(void *arg, const struct landing_record *x, struct err *e)
{
	struct sweep *s = arg;

	if (s->tombstones)
		return take_tombstone(s, x->bytes, x->length, e);
	http_body_clear(&s->record.body);
	if (http_body_add(&s->record.body, x->bytes, x->length, e) != OK)
		return e->code;
	return reply_read(s->reply, &s->record, take_known, s, e);
}

static enum rc
each_version(void *arg, const struct catalog_name *n, struct err *e)
{
	struct sweep *s = arg;
	CLEANUP(str_release) struct str file = STR_INIT;
	const struct provenance *p;
	struct landing *l = NULL;
	enum rc rc;
	int fd;

	if (n->version.disposition == DISPOSITION_DUPLICATE ||
		n->version.disposition == DISPOSITION_QUARANTINED)
		return OK;
	str_add(&file, n->version.file);
	rc = zone_read(s->o->engine->commit.zone, file.s, &fd, e);
	/* Not all is known then: nothing can be said of what is missing. */
	if (rc == END)
		return err_set(e, BAD_SOURCE, "%s is not in the zone", file.s);
	if (rc == OK)
		rc = landing_open(fd, &l, e);
	if (rc == OK) {
		p = landing_provenance(l);
		s->tombstones = p->api.partition != NULL &&
			strcmp(p->api.partition, SWEEP_PARTITION) == 0;
		if (p->api.stream != NULL)
			rc = landing_records(
				l, 0, LANDING_SEEN, each_record, s, e);
	}
	landing_close(l);
	return rc == OK || rc == BROKEN ? rc : err_raise(e, BAD_SOURCE);
}

static enum rc
read_zone(struct sweep *s, struct err *e)
{
	static const struct api_records whole;
	const struct reply_spec spec = {.layer = API_JSON,
		.records = &whole,
		.field = s->field,
		.n_fields = s->n_fields,
		.max_record = s->o->description->max_record};
	struct catalog *c = lane_catalog(s->o->lane);
	uint64_t size;
	enum rc rc = catalog_ledger_size(c, &size, e);

	http_answer_init(&s->record, s->o->engine->spool);
	s->reply = reply_new(&spec);
	if (rc == OK)
		rc = catalog_each_since(
			c, s->source.s, 0, size, each_version, s, e);
	reply_free(s->reply);
	http_answer_release(&s->record);
	return rc;
}

/* ---- what is gone ---- */

static bool
is_absent(struct sweep *s, size_t i)
{
	size_t n = s->listed.n;
	const char *key = s->known.text.s + s->known.name[i].at;

	/* One that is not there would become the last. */
	if (s->gone[i])
		return false;
	if (names_put(&s->listed, key, s->known.name[i].len) < n)
		return false;
	return true;
}

static enum rc
find_absent(struct sweep *s, struct http_body *body, struct err *e)
{
	uint64_t listed = s->listed.n;
	CLEANUP(str_release) struct str line = STR_INIT;

	for (size_t i = 0; i < s->known.n; i++)
		s->n_known += !s->gone[i];
	for (size_t i = 0; i < s->known.n; i++) {
		struct jsonw j = jsonw_to(&line);

		if (!is_absent(s, i))
			continue;
		s->n_absent++;
		str_clear(&line);
		jsonw_object(&j);
		jsonw_key(&j, "absent");
		jsonw_raw(&j, s->known.text.s + s->known.name[i].at,
			s->known.name[i].len);
		jsonw_key(&j, "known");
		jsonw_u64(&j, s->n_known);
		jsonw_key(&j, "listed");
		jsonw_u64(&j, listed);
		jsonw_key(&j, "swept_at");
		jsonw_time(&j, s->began);
		jsonw_end(&j);
		str_addc(&line, '\n');
		if (http_body_add(body, line.s, line.len, e) != OK)
			return e->code;
	}
	if (s->n_absent * 100 >
		s->n_known * s->stream->reconcile.max_absent_percent)
		return err_set(e, BAD_SOURCE,
			"%llu of %llu keys are not listed any more, over "
			"max_absent_percent %u: nothing of it is believed",
			(unsigned long long)s->n_absent,
			(unsigned long long)s->n_known,
			s->stream->reconcile.max_absent_percent);
	return OK;
}

static enum rc
record(struct catalog *c, void *arg, struct err *e)
{
	struct sweep *s = arg;
	struct catalog_stream row;
	int64_t id;
	enum rc rc = catalog_stream_find(
		c, s->o->api, s->stream->name, SWEEP_PARTITION, &row, e);

	if (rc == END)
		row = (struct catalog_stream){.position = "", .job = ""};
	else if (rc != OK)
		return rc;
	row.stream = s->stream->name;
	row.partition = SWEEP_PARTITION;
	row.why = "";
	row.looked = row.whole = s->began;
	return catalog_stream_put(c, s->o->api, &row, &id, e);
}

/* The tombstones, and that it was swept, in one transaction. */
static enum rc
land(struct sweep *s, struct http_answer *a, struct stream_report *r,
	struct err *e)
{
	CLEANUP(str_release) struct str stem = STR_INIT;
	CLEANUP(str_release) struct str at = STR_INIT;
	struct memory memory;
	struct batch_options o = {.engine = s->o->engine,
		.lane = s->o->lane,
		.api = s->o->api,
		.source = s->source.s,
		.stream = s->stream->name,
		.partition = SWEEP_PARTITION,
		.stem = NULL,
		.memory = &memory};
	const struct batch_part part = {.answer = a,
		.method = "SWEEP",
		.url = s->o->description->stream[s->stream->reconcile.list]
			       .name,
		.records = s->n_absent,
		.n_fresh = s->n_absent,
		.deletes = s->n_absent};
	struct batch *b;
	enum rc rc = OK;

	clock_add_time(&at, s->began);
	str_addf(&stem, "%s.%s.", s->stream->name, SWEEP_PARTITION);
	for (const char *p = at.s; *p != '\0'; p++)
		if (*p != '-' && *p != ':')
			str_addc(&stem, *p);
	o.stem = stem.s;
	dialect_init(&o.dialect, SCAN_NDJSON);
	memory_init(&memory, lane_catalog(s->o->lane), 0, 0);
	b = batch_open(&o);
	if (s->n_absent > 0)
		rc = batch_add(b, &part, e);
	if (rc == OK)
		rc = batch_close(b, "", record, s, e);
	if (rc == OK) {
		r->records += batch_report(b)->records;
		r->files += batch_report(b)->files;
	}
	batch_free(b);
	memory_release(&memory);
	return rc;
}

static enum rc
sweep(struct sweep *s, struct stream_report *r, struct err *e)
{
	struct http_answer a;
	enum rc rc;

	/* The list after the zone: what lands meanwhile is not missed. */
	http_answer_init(&a, s->o->engine->spool);
	rc = read_zone(s, e);
	if (rc == OK)
		rc = read_list(s, e);
	if (rc == OK)
		rc = find_absent(s, &a.body, e);
	a.status = 200;
	a.sent_at = s->began;
	a.got_at = clock_wall();
	if (rc == OK)
		rc = land(s, &a, r, e);
	http_answer_release(&a);
	return rc;
}

static void
release(struct sweep *s)
{
	names_release(&s->listed);
	names_release(&s->known);
	str_release(&s->source);
	free(s->gone);
}

enum rc
sweep_run(const struct stream_options *o, bool *ret_swept,
	struct stream_report *r, struct err *e)
{
	CLEANUP(release)
	struct sweep s = {.o = o,
		.stream = o->stream,
		.source = STR_INIT,
		.began = clock_wall(),
		.listed = NAMES_INIT(SWEEP_KEYS, KEYS_BYTES),
		.known = NAMES_INIT(SWEEP_KEYS, KEYS_BYTES)};
	uint64_t requests = session_requests(o->session);
	enum rc rc = catalog_stream_find(lane_catalog(o->lane), o->api,
		o->stream->name, SWEEP_PARTITION, &s.row, e);

	*ret_swept = false;
	if (rc != OK && rc != END)
		return rc;
	if (rc == OK && s.row.whole != 0 && s.began >= s.row.whole &&
		s.began - s.row.whole < o->stream->reconcile.every)
		return OK;
	for (size_t i = 0; i < o->stream->key.n && i < FIELDS; i++)
		s.field[s.n_fields++] = &o->stream->key.row[i];
	stream_source(&s.source, o->api, o->stream);
	*ret_swept = true;
	rc = sweep(&s, r, e);
	r->requests += session_requests(o->session) - requests;
	if (rc != BAD_SOURCE && rc != BAD_ITEM && rc != AGAIN)
		return rc;
	if (rc == AGAIN && o->cancel != NULL && *o->cancel)
		return rc;
	r->failed = true;
	str_addf(&r->why, "sweep: %s", e->text);
	*e = (struct err)ERR_INIT;
	return OK;
}
