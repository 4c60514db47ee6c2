#include "cli/why-stream.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "daemon/stream.h"
#include "daemon/sweep.h"
#include "landfall/land.h"
#include "source/http/reply.h"
#include "source/http/window.h"

#define FIELDS 16
#define HEADER_MOST (64u << 10) /* of the rows of a CSV file */

struct search {
	const struct cli *cli;
	const struct place *place;
	const struct source_config *config;
	const struct api_stream *stream;
	const char *key; /* its fields, with commas between; NULL: */
	int64_t at;	 /* this moment is looked for */
	uint64_t found;
	enum status worst; /* files that could not be read are told */
	struct reply *reply;
	struct http_answer record; /* one record as an answer of its own */
	/* The file under way. */
	const struct catalog_version *version;
	struct landing *landing;
	json_t *about; /* its provenance */
	struct str header;
	const struct landing_record *now;
};

static const char *
text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : "";
}

/* The answer that has the bytes at that place of the file. */
static const json_t *
part_at(const json_t *about, uint64_t offset)
{
	const json_t *parts = json_object_get(about, "parts"), *found = NULL;

	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *x = json_array_get(parts, i);
		json_int_t from =
			json_integer_value(json_object_get(x, "offset"));

		if (from < 0 || (uint64_t)from > offset)
			break;
		found = x;
	}
	return found;
}

/* ---- telling ---- */

static void
add_window(struct str *s, const json_t *about)
{
	const json_t *w = json_object_get(about, "window");
	const char *start = text_of(w, "start"), *end = text_of(w, "end");

	if (*start != '\0')
		str_addf(s, ", asked for from %s", start);
	if (*end != '\0')
		str_addf(s, " to %s", end);
	if (json_is_true(json_object_get(w, "beside")))
		str_add(s, " (a backfill)");
}

static void
print_words(const struct search *s, const char *state, const json_t *part)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	const struct catalog_version *v = s->version;

	clock_add_time(&line, v->landed_at);
	str_addf(&line, "  %s  ", s->cli->arg[0]);
	if (s->key != NULL)
		str_add_quoted(&line, (const uint8_t *)s->key, strlen(s->key));
	str_addf(&line, "  %s", state);
	if (s->now != NULL)
		str_addf(&line, " as record %" PRIu64 " (%zu B at %" PRIu64 ")",
			s->now->number, s->now->length, s->now->offset);
	else
		str_addf(&line, " %" PRIu64 " record%s", v->records,
			v->records == 1 ? "" : "s");
	str_addf(&line, " in %s", v->file);
	add_window(&line, s->about);
	if (part != NULL)
		str_addf(&line, ", received at %s: %s %s",
			text_of(part, "received_at"), text_of(part, "method"),
			text_of(part, "url"));
	cli_line(&line);
}

static void
write_text(struct jsonw *j, const json_t *object, const char *key)
{
	jsonw_key(j, key), jsonw_text(j, text_of(object, key));
}

static void
print_json(const struct search *s, const char *state, const json_t *part)
{
	CLEANUP(str_release) struct str line = STR_INIT;
	const json_t *w = json_object_get(s->about, "window");
	const struct catalog_version *v = s->version;
	struct jsonw j = jsonw_to(&line);

	jsonw_object(&j);
	jsonw_key(&j, "at"), jsonw_time(&j, v->landed_at);
	jsonw_key(&j, "source"), jsonw_text(&j, s->cli->arg[0]);
	if (s->key != NULL)
		jsonw_key(&j, "key"), jsonw_text(&j, s->key);
	jsonw_key(&j, "state"), jsonw_text(&j, state);
	jsonw_key(&j, "file"), jsonw_text(&j, v->file);
	jsonw_key(&j, "index"), jsonw_u64(&j, v->index);
	if (s->now != NULL) {
		jsonw_key(&j, "record"), jsonw_u64(&j, s->now->number);
		jsonw_key(&j, "offset"), jsonw_u64(&j, s->now->offset);
		jsonw_key(&j, "length"), jsonw_u64(&j, s->now->length);
	} else {
		jsonw_key(&j, "records"), jsonw_u64(&j, v->records);
	}
	write_text(&j, w, "start");
	write_text(&j, w, "end");
	if (part != NULL) {
		write_text(&j, part, "method");
		write_text(&j, part, "url");
		write_text(&j, part, "received_at");
		write_text(&j, part, "sha256");
	}
	jsonw_end(&j);
	cli_line(&line);
}

static void
tell(struct search *s, const char *state)
{
	const json_t *part =
		s->now != NULL ? part_at(s->about, s->now->offset) : NULL;

	s->found++;
	(s->cli->json ? print_json : print_words)(s, state, part);
}

/* ---- a key ---- */

static bool
is_it(const struct search *s, const struct str *key)
{
	return strlen(s->key) == key->len &&
		memcmp(s->key, key->s, key->len) == 0;
}

static enum rc
take_record(void *arg, const struct reply_record *x, struct err *e UNUSED)
{
	CLEANUP(str_release) struct str key = STR_INIT;
	struct search *s = arg;

	for (size_t i = 0; i < s->stream->key.n && i < FIELDS; i++) {
		if (!x->field[i].set)
			return OK;
		if (i > 0)
			str_addc(&key, ',');
		str_addn(&key, (const char *)x->field[i].p, x->field[i].len);
	}
	if (is_it(s, &key))
		tell(s, s->now->kind == 0 ? "landed" : "seen again");
	return OK;
}

static enum rc
each_record(void *arg, const struct landing_record *x, struct err *e)
{
	struct search *s = arg;
	struct http_body *b = &s->record.body;

	s->now = x;
	http_body_clear(b);
	if (http_body_add(b, s->header.s, s->header.len, e) != OK ||
		http_body_add(b, x->bytes, x->length, e) != OK)
		return e->code;
	return reply_read(s->reply, &s->record, take_record, s, e);
}

/* {"absent":[KEY...]} of a sweep. */
static enum rc
each_tombstone(void *arg, const struct landing_record *x, struct err *e UNUSED)
{
	CLEANUP(str_release) struct str key = STR_INIT;
	struct search *s = arg;
	json_t *root = json_loadb((const char *)x->bytes, x->length, 0, NULL);
	json_t *part;
	size_t i;

	s->now = x;
	json_array_foreach(json_object_get(root, "absent"), i, part) str_addf(
		&key, "%s%s", i > 0 ? "," : "",
		json_string_value(part) != NULL ? json_string_value(part) : "");
	json_decref(root);
	if (is_it(s, &key))
		tell(s, "gone");
	return OK;
}

/* Rows have their names in the first one, which is no record. */
static enum rc
take_header(void *arg, const uint8_t *p, size_t n, struct err *e UNUSED)
{
	struct search *s = arg;
	bool quoted = false;

	for (size_t i = 0; i < n && s->header.len < HEADER_MOST; i++) {
		str_addc(&s->header, (char)p[i]);
		quoted ^= p[i] == '"';
		if (p[i] == '\n' && !quoted)
			return END;
	}
	return s->header.len < HEADER_MOST ? OK : END;
}

static enum rc
search_key(struct search *s, const struct provenance *p, struct err *e)
{
	bool tombstones = p->api.partition != NULL &&
		strcmp(p->api.partition, SWEEP_PARTITION) == 0;
	enum rc rc = OK;

	str_clear(&s->header);
	if (!tombstones && p->dialect.format == SCAN_CSV)
		rc = landing_bytes(s->landing, take_header, s, e);
	if (rc != OK && rc != END)
		return rc;
	rc = landing_records(s->landing, 0, LANDING_SEEN,
		tombstones ? each_tombstone : each_record, s, e);
	s->now = NULL;
	return rc == END ? OK : rc;
}

/* ---- a moment ---- */

static void
search_moment(struct search *s)
{
	const struct api_incremental *x = &s->stream->incremental;
	const json_t *w = json_object_get(s->about, "window");
	int64_t from, to;

	if (window_position(x, text_of(w, "start"), &from) && from <= s->at &&
		(!window_position(x, text_of(w, "end"), &to) || s->at < to))
		tell(s, "landed");
}

/* ---- all files of the stream ---- */

static enum rc
search_file(struct search *s, struct err *e)
{
	const struct provenance *p = landing_provenance(s->landing);
	enum rc rc = OK;

	if (p->api.stream == NULL)
		return OK;
	s->about = json_loads(landing_provenance_text(s->landing), 0, NULL);
	if (s->key != NULL)
		rc = search_key(s, p, e);
	else
		search_moment(s);
	json_decref(s->about);
	s->about = NULL;
	return rc;
}

static enum rc
read_version(struct search *s, const struct catalog_version *v, struct err *e)
{
	CLEANUP(str_release) struct str file = STR_INIT;
	int fd;
	enum rc rc;

	str_add(&file, v->file);
	s->version = v;
	rc = place_file(s->place->zone, file.s, &fd, e);
	if (rc == END)
		return err_set(e, BAD_ITEM,
			"%s is not in the zone: `landfall verify` says more",
			file.s);
	if (rc != OK)
		return rc;
	rc = landing_open(fd, &s->landing, e);
	if (rc == OK)
		rc = search_file(s, e);
	landing_close(s->landing);
	s->landing = NULL;
	return rc == OK ? OK : err_add(e, "%s", file.s);
}

/* One that cannot be read is told, and keeps none of the others back. */
static enum rc
each_version(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	struct search *s = arg;
	struct err why = ERR_INIT;
	enum status st = STATUS_DAMAGE;

	if (n->version.disposition == DISPOSITION_DUPLICATE ||
		read_version(s, &n->version, &why) == OK)
		return OK;
	if (cli_fail(&why) == STATUS_BROKEN)
		st = STATUS_BROKEN;
	if (st > s->worst)
		s->worst = st;
	return OK;
}

/* ---- how the stream stands, where nothing was found ---- */

static enum rc
each_row(void *arg, const struct catalog_stream *x, struct err *e UNUSED)
{
	const struct search *s = arg;
	CLEANUP(str_release) struct str line = STR_INIT;
	const struct api_incremental *rule = &s->stream->incremental;
	int64_t at;

	if (strcmp(x->stream, s->stream->name) != 0 ||
		strcmp(x->partition, SWEEP_PARTITION) == 0)
		return OK;
	str_addf(&line, "%s%s%s: ", s->cli->arg[0],
		*x->partition != '\0' ? " " : "", x->partition);
	if (s->at < rule->start) {
		str_add(&line, "the stream begins at ");
		window_add_point(&line, rule, rule->start);
		str_add(&line, ": only a backfill asks for what was before");
	} else if (!window_position(rule, x->position, &at)) {
		str_add(&line, "no window has landed yet");
	} else if (s->at >= at) {
		str_addf(&line,
			"it was not asked for yet: all has landed up to %s",
			x->position);
	} else {
		/* Windows that bring nothing leave nothing behind. */
		str_addf(&line,
			"nothing of it has landed, and the stream has come to "
			"%s: the API had nothing new of it, unless a gap, a "
			"reset or a rule leapt over it",
			x->position);
	}
	if (*x->why != '\0')
		str_addf(&line, "; %s", x->why);
	cli_line(&line);
	return OK;
}

static enum status
tell_nothing(struct search *s, struct err *e)
{
	if (s->worst != STATUS_DONE) {
		fprintf(stderr,
			"landfall: error: %s: nothing was found in what could "
			"be read; it may be in the rest\n",
			s->cli->arg[0]);
		return s->worst;
	}
	if (s->key != NULL) {
		fprintf(stderr,
			"landfall: error: %s: no record with the key %s has "
			"landed; `landfall status` shows up to when it was "
			"asked for\n",
			s->cli->arg[0], s->key);
		return STATUS_USAGE;
	}
	if (catalog_stream_each(
		    s->place->catalog, s->config->name, each_row, s, e) != OK)
		return cli_fail(e);
	return STATUS_DONE;
}

static enum rc
search_all(struct search *s, struct err *e)
{
	static const struct api_records whole;
	const struct api_place *field[FIELDS];
	const struct api_decode *d = s->stream->decode;
	struct reply_spec spec = {
		.layer = d->layer[d->n - 1] == API_CSV ? API_CSV : API_JSON,
		.records = &whole,
		.field = field,
		.max_record = s->config->api->max_record};
	CLEANUP(str_release) struct str source = STR_INIT;
	const char *tmp = getenv("TMPDIR");
	uint64_t size;
	int spool = -1;
	enum rc rc;

	/* The state's may not be ours to write to: any place for a spool. */
	if (io_open(AT_FDCWD, tmp != NULL ? tmp : "/tmp",
		    O_RDONLY | O_DIRECTORY, 0, &spool, BROKEN, e) != OK)
		return e->code;
	while (spec.n_fields < s->stream->key.n && spec.n_fields < FIELDS) {
		field[spec.n_fields] = &s->stream->key.row[spec.n_fields];
		spec.n_fields++;
	}
	stream_source(&source, s->config->name, s->stream);
	s->reply = reply_new(&spec);
	http_answer_init(&s->record, spool);
	rc = catalog_ledger_size(s->place->catalog, &size, e);
	if (rc == OK)
		rc = catalog_each_since(s->place->catalog, source.s, 0, size,
			each_version, s, e);
	reply_free(s->reply);
	http_answer_release(&s->record);
	str_release(&s->header);
	io_drop(&spool);
	return rc;
}

/* SOURCE.STREAM; a source's name may have dots, a stream's has none. */
static bool
find_stream(struct search *s)
{
	const struct config *cfg = s->cli->config;
	const char *name = s->cli->arg[0];

	for (size_t i = 0; i < cfg->n_sources; i++) {
		const struct source_config *x = &cfg->source[i];

		if (x->kind != SOURCE_HTTP)
			continue;
		for (size_t k = 0; k < x->api->n_streams; k++) {
			CLEANUP(str_release) struct str full = STR_INIT;

			stream_source(&full, x->name, &x->api->stream[k]);
			if (strcmp(full.s, name) != 0)
				continue;
			s->config = x;
			s->stream = &x->api->stream[k];
			return true;
		}
	}
	return false;
}

enum status
why_stream(struct cli *c, struct place *p, const char *key, const char *at)
{
	struct search s = {
		.cli = c, .place = p, .key = key, .header = STR_INIT};
	struct err e = ERR_INIT;

	if (!find_stream(&s))
		return cli_usage(c,
			"%s is no stream of a polled API: give SOURCE.STREAM",
			c->arg[0]);
	if (key != NULL && s.stream->key.n == 0)
		return cli_usage(c, "%s: its records have no key", c->arg[0]);
	if (key == NULL &&
		(!s.stream->incremental.set ||
			s.stream->incremental.kind == API_KIND_TOKEN))
		return cli_usage(c, "%s is not asked for by window", c->arg[0]);
	if (key == NULL && !window_position(&s.stream->incremental, at, &s.at))
		return cli_usage(c, "--at: expected %s",
			s.stream->incremental.kind == API_KIND_TIME
				? "a time, 2026-01-31 or 2026-01-31T12:00:00Z"
				: "a number");
	if (search_all(&s, &e) != OK)
		return cli_fail(&e);
	return s.found > 0 ? s.worst : tell_nothing(&s, &e);
}
