#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/engine-state.h"
#include "daemon/stream-state.h"

struct learning {
	struct stream_work *r;
	bool again; /* what is remembered already, for a backfill */
	uint64_t upto;
	uint64_t files, records; /* that the row does not count yet */
	/* One record as an answer of its own, for its key. */
	struct http_answer answer;
	struct reply *reply;
};

/* ---- what is learned goes to the catalog ---- */

static enum rc
record(struct catalog *c, void *arg, struct err *e)
{
	struct learning *k = arg;
	struct stream_work *r = k->r;
	struct catalog_stream s = r->row;
	int64_t id;

	s.stream = r->stream->name;
	s.partition = r->o->partition != NULL ? r->o->partition : "";
	s.position = r->position.s;
	s.upto = k->upto;
	s.files += k->files;
	s.records += k->records;
	if (s.job == NULL)
		s.job = s.why = "";
	if (catalog_stream_put(c, r->o->api, &s, &id, e) != OK)
		return e->code;
	return memory_put(&r->memory, c, id, e);
}

static enum rc
record_again(struct catalog *c, void *arg, struct err *e)
{
	struct learning *k = arg;

	return memory_put(&k->r->memory, c, k->r->row.id, e);
}

static enum rc
put_down(struct learning *k, struct err *e)
{
	enum rc rc = lane_write(
		k->r->o->lane, k->again ? record_again : record, k, e);

	memory_clear(&k->r->memory);
	return rc;
}

/* Years may have to be read: who ends does not wait for them. */
static enum rc
check_cancel(const struct learning *k, struct err *e)
{
	const atomic_bool *cancel = k->r->o->cancel;

	return cancel != NULL && *cancel ? err_set(e, AGAIN, "stopped") : OK;
}

/* ---- one record ---- */

static enum rc
take_record(void *arg, const struct reply_record *x, struct err *e)
{
	struct learning *k = arg;
	struct memory *m = &k->r->memory;
	uint8_t sum[HASH_LEN];
	bool seen;

	if (check_cancel(k, e) != OK)
		return e->code;
	/* All of a zone may be learned: none is forgotten for want of room. */
	if (m->n >= MEMORY_PENDING && put_down(k, e) != OK)
		return e->code;
	stream_digest(k->r, x, sum);
	return memory_look(m, sum, &seen, e);
}

static enum rc
each_record(void *arg, const struct landing_record *x, struct err *e)
{
	struct learning *k = arg;
	struct reply_record whole = {.bytes = x->bytes, .size = x->length};

	if (k->reply != NULL) {
		http_body_clear(&k->answer.body);
		if (http_body_add(&k->answer.body, x->bytes, x->length, e) !=
			OK)
			return e->code;
		return reply_read(k->reply, &k->answer, take_record, k, e);
	}
	while (whole.size > 0 && k->r->dialect.format != SCAN_JSON &&
		(whole.bytes[whole.size - 1] == '\n' ||
			whole.bytes[whole.size - 1] == '\r'))
		whole.size--;
	return take_record(k, &whole, e);
}

/* ---- one file ---- */

static const char *
text_of(const json_t *window, const char *key)
{
	return json_string_value(json_object_get(window, key));
}

/* Is it beyond the reach of the next look back? */
static bool
is_old(const struct stream_work *r, const char *end)
{
	int64_t at, position;

	return r->rule->set && r->rule->kind == API_KIND_TIME && end != NULL &&
		r->position.len > 0 && clock_parse_time(end, &at) &&
		clock_parse_time(r->position.s, &position) &&
		at < position - r->rule->lookback;
}

/* Has it nothing of what a backfill asks for? */
static bool
is_elsewhere(const struct stream_work *r, const char *start, const char *end)
{
	int64_t from, to;

	return start != NULL && end != NULL &&
		window_position(r->rule, start, &from) &&
		window_position(r->rule, end, &to) &&
		(to <= r->o->from || from >= r->o->to);
}

/* What the file says of its window; false: it is another partition's. */
static bool
read_window(struct learning *k, const struct provenance *p, bool *ret_old)
{
	struct stream_work *r = k->r;
	json_error_t je;
	json_t *w;
	const char *position;

	if (p->api.stream == NULL ||
		strcmp(p->api.partition != NULL ? p->api.partition : "",
			r->o->partition != NULL ? r->o->partition : "") != 0)
		return false;
	w = json_loads(p->api.window, 0, &je);
	position = text_of(w, "position");
	if (position != NULL && !k->again &&
		!json_is_true(json_object_get(w, "beside"))) {
		str_clear(&r->position);
		str_add(&r->position, position);
	}
	*ret_old = k->again
		? is_elsewhere(r, text_of(w, "start"), text_of(w, "end"))
		: is_old(r, text_of(w, "end"));
	json_decref(w);
	return true;
}

/* END: it is missing or damaged. That is for `verify`; it may land again. */
static enum rc
open_file(const struct stream_options *o, const char *file,
	struct landing **ret, struct err *e)
{
	int fd;
	enum rc rc = zone_read(o->engine->commit.zone, file, &fd, e);

	if (rc == OK)
		rc = landing_open(fd, ret, e);
	if (rc != BAD_ITEM && rc != END)
		return rc;
	*e = (struct err)ERR_INIT;
	return END;
}

static enum rc
learn_file(
	struct learning *k, const char *file, uint64_t records, struct err *e)
{
	struct landing *l = NULL;
	bool ours = false, old = false;
	enum rc rc = open_file(k->r->o, file, &l, e);

	if (rc == END)
		return OK;
	if (rc == OK)
		ours = read_window(k, landing_provenance(l), &old);
	if (ours && !old)
		rc = landing_records(l, 0, LANDING_SEEN, each_record, k, e);
	landing_close(l);
	if (rc == BAD_ITEM || rc == END) {
		*e = (struct err)ERR_INIT;
		rc = OK;
	}
	/* Together with upto, should some of it be in the catalog already. */
	k->files += ours;
	k->records += ours ? records : 0;
	return rc;
}

/* Is that a file in the zone? */
static bool
is_landed(const struct catalog_name *n)
{
	return n->version.disposition != DISPOSITION_DUPLICATE &&
		n->version.disposition != DISPOSITION_QUARANTINED;
}

static enum rc
each_version(void *arg, const struct catalog_name *n, struct err *e)
{
	struct learning *k = arg;
	CLEANUP(str_release) struct str file = STR_INIT;
	enum rc rc = check_cancel(k, e);

	if (rc != OK)
		return rc;
	str_add(&file, n->version.file);
	if (is_landed(n))
		rc = learn_file(k, file.s, n->version.records, e);
	k->upto = n->version.index + 1;
	return rc;
}

/* A record of JSON, for a stream that knows its records by their key. */
static void
make_reply(struct learning *k)
{
	static const struct api_records whole;
	const struct stream_work *r = k->r;
	const struct reply_spec spec = {.layer = API_JSON,
		.records = &whole,
		.field = r->field,
		.n_fields = r->n_fields,
		.max_record = r->dialect.max_record};

	http_answer_init(&k->answer, r->o->engine->spool);
	if (r->stream->immutable && r->dialect.format != SCAN_CSV)
		k->reply = reply_new(&spec);
}

static enum rc
learn(struct learning *k, uint64_t since, uint64_t size, struct err *e)
{
	struct stream_work *r = k->r;
	struct catalog *c = lane_catalog(r->o->lane);
	enum rc rc = catalog_each_since(
		c, r->source.s, since, size, each_version, k, e);

	if (rc == OK && (k->upto > r->row.upto || r->memory.n > 0))
		rc = put_down(k, e);
	memory_clear(&r->memory);
	return rc == OK ? stream_find_row(r, e) : rc;
}

enum rc
stream_learn(struct stream_work *r, struct err *e)
{
	struct learning k = {.r = r, .upto = r->row.upto};
	uint64_t size;
	enum rc rc = catalog_ledger_size(lane_catalog(r->o->lane), &size, e);

	if (rc != OK)
		return rc;
	make_reply(&k);
	r->memory.until = r->began;
	rc = learn(&k, r->row.upto, size, e);
	/* A backfill is compared with all that ever landed of its time. */
	k.again = true;
	if (rc == OK && r->o->between)
		rc = learn(&k, 0, size, e);
	reply_free(k.reply);
	http_answer_release(&k.answer);
	return rc;
}

/* ---- which partitions there are ---- */

struct finding {
	const struct stream_options *o;
	enum rc (*each)(void *arg, const char *partition, struct err *e);
	void *arg;
};

static enum rc
find_partition(void *arg, const struct catalog_name *n, struct err *e)
{
	const struct finding *f = arg;
	CLEANUP(str_release) struct str file = STR_INIT;
	struct landing *l = NULL;
	const struct provenance *p;
	enum rc rc;

	if (!is_landed(n))
		return OK;
	str_add(&file, n->version.file);
	rc = open_file(f->o, file.s, &l, e);
	if (rc != OK)
		return rc == END ? OK : rc;
	p = landing_provenance(l);
	if (p->api.stream != NULL)
		rc = f->each(f->arg,
			p->api.partition != NULL ? p->api.partition : "", e);
	landing_close(l);
	return rc;
}

enum rc
stream_partitions(const struct stream_options *o,
	enum rc (*each)(void *arg, const char *partition, struct err *e),
	void *arg, struct err *e)
{
	struct finding f = {o, each, arg};
	struct catalog *c = lane_catalog(o->lane);
	CLEANUP(str_release) struct str source = STR_INIT;
	uint64_t size;

	stream_source(&source, o->api, o->stream);
	if (catalog_ledger_size(c, &size, e) != OK)
		return e->code;
	return catalog_each_since(c, source.s, 0, size, find_partition, &f, e);
}
