#include "daemon/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "daemon/engine-state.h"

struct batch {
	struct batch_options o;
	struct batch_report report;
	/* The file under way; land NULL: none. */
	struct land *land;
	struct delivery *d;
	struct str parts; /* a JSON array, without its end */
	uint64_t size;
	uint64_t held; /* of the room */
	size_t n_parts;
	uint64_t records, deletes; /* new ones */
	int64_t first_at; /* wall: when its first answer was asked for */
	unsigned files;	  /* begun */
	/* The part under way. */
	const uint8_t *fresh;
	uint64_t asked, bits;
};

struct batch *
batch_open(const struct batch_options *o)
{
	struct batch *b = mem_alloc(sizeof(*b));

	b->o = *o;
	b->parts = (struct str)STR_INIT;
	return b;
}

/* The file under way, if it is still ours, is given up. */
static void
drop(struct batch *b)
{
	struct engine *g = b->o.engine;

	land_free(b->land);
	b->land = NULL;
	if (b->d != NULL) {
		io_drop(&b->d->fd);
		zone_unstage(g->commit.zone, b->d->stage);
		delivery_free(b->d);
		b->d = NULL;
	}
	if (b->held > 0)
		room_give(&g->room, b->held);
	b->held = 0;
	str_clear(&b->parts);
	b->size = 0;
	b->n_parts = 0;
	b->records = b->deletes = 0;
}

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	drop(b);
	str_release(&b->parts);
	free(b);
}

const struct batch_report *
batch_report(const struct batch *b)
{
	return &b->report;
}

/* ---- one part ---- */

static bool
was_seen(void *arg, uint64_t offset UNUSED, uint64_t length UNUSED)
{
	struct batch *b = arg;
	uint64_t i = b->asked++;

	return i < b->bits && (b->fresh[i / 8] >> i % 8 & 1) == 0;
}

static const char *
extension(enum scan_format f)
{
	return f == SCAN_CSV ? "csv" : f == SCAN_NDJSON ? "jsonl" : "json";
}

static enum rc
begin_file(struct batch *b, struct err *e)
{
	struct engine *g = b->o.engine;
	CLEANUP(str_release) struct str name = STR_INIT;

	str_add(&name, b->o.stem);
	if (b->files++ > 0)
		str_addf(&name, "-%u", b->files);
	str_addf(&name, ".%s", extension(b->o.dialect.format));
	b->d = delivery_new(b->o.source, (uint8_t *)name.s, name.len);
	if (zone_stage(g->commit.zone, &b->d->stage, &b->d->fd, e) != OK) {
		delivery_free(b->d);
		b->d = NULL;
		return e->code;
	}
	b->land = land_new(g->pool, &b->o.dialect, b->d->fd, g->spool, 0);
	land_seen(b->land, was_seen, b);
	return OK;
}

static void
describe(struct batch *b, const struct batch_part *p)
{
	const struct http_answer *a = p->answer;
	struct jsonw j = jsonw_canonical(&b->parts);
	size_t n;
	const char *etag = http_answer_field(a, "ETag", &n);

	str_addc(&b->parts, b->n_parts > 0 ? ',' : '[');
	jsonw_object(&j);
	if (p->member != NULL) {
		jsonw_key(&j, "container_sha256");
		jsonw_hex(&j, p->container_sha256, HASH_LEN);
		jsonw_key(&j, "container_size");
		jsonw_u64(&j, p->container_size);
	}
	jsonw_key(&j, "deletes"), jsonw_u64(&j, p->deletes);
	jsonw_key(&j, "encoding"), jsonw_text(&j, a->encoding.s);
	if (etag != NULL)
		jsonw_key(&j, "etag"), jsonw_textn(&j, etag, n);
	jsonw_key(&j, "length"), jsonw_u64(&j, a->body.size);
	if (p->member != NULL) {
		jsonw_key(&j, "member");
		jsonw_percent(&j, p->member, p->member_len);
	}
	jsonw_key(&j, "method"), jsonw_text(&j, p->method);
	jsonw_key(&j, "new"), jsonw_u64(&j, p->n_fresh);
	jsonw_key(&j, "offset"), jsonw_u64(&j, b->size);
	jsonw_key(&j, "received_at"), jsonw_time_ns(&j, a->got_at);
	jsonw_key(&j, "records"), jsonw_u64(&j, p->records);
	jsonw_key(&j, "sent_at"), jsonw_time_ns(&j, a->sent_at);
	jsonw_key(&j, "sha256"), jsonw_hex(&j, a->sha256, HASH_LEN);
	jsonw_key(&j, "status"), jsonw_u64(&j, a->status);
	jsonw_key(&j, "url"), jsonw_text(&j, p->url);
	jsonw_end(&j);
}

static enum rc
copy_body(struct batch *b, const struct http_body *body, struct err *e)
{
	size_t got;

	for (uint64_t at = 0; at < body->size; at += got) {
		size_t n;
		uint8_t *to = land_room(b->land, &n);

		if (http_body_read(body, to, n, at, &got, e) != OK)
			return e->code;
		if (got == 0)
			return err_set(e, BROKEN,
				"spool: a body is shorter than it was");
		if (land_add(b->land, got, e) != OK)
			return e->code;
		atomic_fetch_add_explicit(
			&b->o.engine->bytes, got, memory_order_relaxed);
	}
	return OK;
}

/* ---- one file ---- */

/* What is recorded with a landing: its records, and what the caller wants. */
struct together {
	struct batch *b;
	const char *position; /* NULL: more of the window follows */
	enum rc (*with)(struct catalog *c, void *arg, struct err *e);
	void *arg;
	uint64_t upto;
	uint64_t files, records; /* new ones */
};

static enum rc
record_stream(struct together *t, struct catalog *c, struct err *e)
{
	const struct batch_options *o = &t->b->o;
	const char *partition = o->partition != NULL ? o->partition : "";
	struct catalog_stream s;
	int64_t id;
	enum rc rc;

	if (t->with != NULL && t->with(c, t->arg, e) != OK)
		return e->code;
	rc = catalog_stream_find(c, o->api, o->stream, partition, &s, e);
	if (rc == END)
		s = (struct catalog_stream){.stream = o->stream,
			.partition = partition,
			.position = "",
			.job = "",
			.why = ""};
	else if (rc != OK)
		return rc;
	if (t->upto > s.upto)
		s.upto = t->upto;
	s.files += t->files;
	s.records += t->records;
	if (catalog_stream_put(c, o->api, &s, &id, e) != OK)
		return e->code;
	return memory_put(o->memory, c, id, e);
}

static enum rc
record_with(
	struct catalog *c, const struct delivery *d, void *arg, struct err *e)
{
	struct together *t = arg;

	t->upto = d->recorded ? d->index + 1 : 0;
	/* What is in the zone already is not there twice. */
	t->files = d->recorded && d->disposition != DISPOSITION_DUPLICATE;
	t->records = t->files > 0 ? d->landed.totals.records : 0;
	return record_stream(t, c, e);
}

static enum rc
record_alone(struct catalog *c, void *arg, struct err *e)
{
	return record_stream(arg, c, e);
}

/* What came before under this name. */
static enum rc
follow(struct batch *b, struct provenance *p, struct err *e)
{
	struct delivery *d = b->d;
	struct catalog_name known;
	enum rc rc = catalog_find(lane_catalog(b->o.lane), d->source, d->name,
		d->name_len, &known, e);

	if (rc != OK && rc != END)
		return rc;
	d->generation = p->generation = 1;
	if (rc == END || known.version.id == 0)
		return OK;
	d->generation = p->generation = known.version.generation + 1;
	d->relation = p->relation =
		memcmp(known.version.bytes_sha256, d->landed.bytes_sha256,
			HASH_LEN) == 0
		? RELATION_IDENTICAL
		: RELATION_REPLACED;
	memcpy(p->previous_sha256, known.version.bytes_sha256, HASH_LEN);
	return OK;
}

static void
text_or_null(struct jsonw *j, const char *key, const char *text)
{
	jsonw_key(j, key);
	if (text != NULL)
		jsonw_text(j, text);
	else
		jsonw_null(j);
}

/* What the catalog learns from it when it is made again from the zone. */
static void
write_window(const struct batch *b, const char *position, struct str *s)
{
	struct jsonw j = jsonw_canonical(s);

	jsonw_object(&j);
	jsonw_key(&j, "beside"), jsonw_bool(&j, b->o.beside);
	text_or_null(&j, "end", b->o.end);
	text_or_null(&j, "position", position);
	text_or_null(&j, "start", b->o.start);
	jsonw_end(&j);
}

static enum rc
finish_file(struct batch *b, const char *position, struct err *e)
{
	CLEANUP(str_release) struct str evidence = STR_INIT;
	CLEANUP(str_release) struct str window = STR_INIT;
	struct delivery *d = b->d;
	struct provenance p = {
		.source = d->source,
		.name = d->name,
		.name_len = d->name_len,
		.seen_at = b->first_at,
		.transport = "http",
		.dialect = b->o.dialect,
		.dialect_origin = "declared",
		.api = {.stream = b->o.stream, .partition = b->o.partition},
	};

	str_addc(&b->parts, ']');
	p.api.parts = b->parts.s;
	write_window(b, position, &window);
	p.api.window = window.s;
	str_addf(&evidence, "%zu answer%s, whole; %s", b->n_parts,
		b->n_parts == 1 ? "" : "s",
		position != NULL ? "the last says that there are no more"
				 : "more follow in another file");
	p.evidence = evidence.s;
	if (land_settle(b->land, &d->landed, e) != OK || follow(b, &p, e) != OK)
		return e->code;
	p.size = d->landed.size;
	p.totals = d->landed.totals;
	p.api.seen = d->landed.seen;
	memcpy(p.bytes_sha256, d->landed.bytes_sha256, HASH_LEN);
	p.staged_at = p.mtime = clock_wall();
	d->signature = (struct signature){
		.size = d->landed.size, .mtime = p.mtime, .ctime = p.mtime};
	if (land_finish(b->land, &p, &d->landed, e) != OK)
		return e->code;
	d->staged = true;
	return OK;
}

/* Until it is durable. */
static enum rc
land_file(struct batch *b, struct together *t, struct err *e)
{
	uint64_t records, deletes;
	struct delivery *d;

	if (finish_file(b, t->position, e) != OK)
		return err_raise(e, BROKEN);
	d = b->d;
	d->with = record_with;
	d->with_arg = t;
	b->d = NULL;
	records = b->records;
	deletes = b->deletes;
	drop(b);
	if (lane_note(b->o.lane, d, e) != OK || lane_wait(b->o.lane, e) != OK)
		return e->code;
	b->report.files += t->files;
	if (t->files > 0) {
		b->report.records += records;
		b->report.deletes += deletes;
	} else {
		b->report.again += records;
	}
	memory_clear(b->o.memory);
	return OK;
}

enum rc
batch_add(struct batch *b, const struct batch_part *p, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	struct together more = {.b = b};
	uint64_t size = p->answer->body.size;
	enum rc rc;

	/* Rows of CSV may have their header on the first page alone. */
	if (b->land != NULL &&
		((b->size + size > BATCH_ROLL &&
			 b->o.dialect.format != SCAN_CSV) ||
			b->parts.len > BATCH_PARTS) &&
		land_file(b, &more, e) != OK)
		return e->code;
	rc = room_take(&b->o.engine->room, size, &why, e);
	if (rc == END)
		return err_set(e, AGAIN, "%s", why.s);
	if (rc != OK)
		return rc;
	b->held += size;
	if (b->land == NULL) {
		b->first_at = p->answer->sent_at;
		rc = begin_file(b, e);
	} else {
		rc = land_part(b->land, e);
		b->size++;
	}
	if (rc != OK)
		return err_raise(e, BROKEN);
	b->fresh = p->fresh;
	b->asked = 0;
	b->bits = p->bits;
	describe(b, p);
	b->n_parts++;
	b->size += size;
	b->records += p->n_fresh;
	b->deletes += p->deletes;
	if (copy_body(b, &p->answer->body, e) != OK)
		return err_raise(e, BROKEN);
	return OK;
}

enum rc
batch_close(struct batch *b, const char *position,
	enum rc (*with)(struct catalog *c, void *arg, struct err *e), void *arg,
	struct err *e)
{
	struct together t = {
		.b = b, .position = position, .with = with, .arg = arg};

	if (b->land != NULL)
		return land_file(b, &t, e);
	if (lane_write(b->o.lane, record_alone, &t, e) != OK)
		return e->code;
	memory_clear(b->o.memory);
	return OK;
}
