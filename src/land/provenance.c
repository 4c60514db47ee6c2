#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "landfall/land.h"

bool
provenance_shape(const struct provenance *p, struct catalog_shape *ret)
{
	const struct dialect *d = &p->dialect;

	if (p->size == 0 || d->format == SCAN_OPAQUE ||
		d->format == SCAN_FIXED || (d->header > 0 && !p->has_header))
		return false;
	*ret = (struct catalog_shape){
		.has_header = p->has_header,
		.columns = p->totals.columns,
		.bom = p->totals.bom,
	};
	memcpy(ret->header_sha256, p->header_sha256, HASH_LEN);
	return true;
}

static void
write_container(struct jsonw *j, const struct container *c)
{
	jsonw_object(j);
	jsonw_key(j, "bytes_sha256");
	jsonw_hex(j, c->bytes_sha256, HASH_LEN);
	jsonw_key(j, "name"), jsonw_percent(j, c->name, c->name_len);
	jsonw_key(j, "size"), jsonw_u64(j, c->size);
	jsonw_end(j);
}

/* Keys in byte order: the JSON writer insists. */
void
provenance_write(const struct provenance *p, struct str *s)
{
	const struct scan_totals *t = &p->totals;
	struct jsonw j = jsonw_canonical(s);

	jsonw_object(&j);
	jsonw_key(&j, "bom"), jsonw_bool(&j, t->bom);
	jsonw_key(&j, "bytes_sha256"), jsonw_hex(&j, p->bytes_sha256, HASH_LEN);
	jsonw_key(&j, "columns"), jsonw_u64(&j, t->columns);
	jsonw_key(&j, "dialect"), dialect_write(&p->dialect, &j);
	jsonw_key(&j, "dialect_origin"), jsonw_text(&j, p->dialect_origin);
	if (p->drift != NULL)
		jsonw_key(&j, "drift"), jsonw_text(&j, p->drift);
	jsonw_key(&j, "encoding");
	jsonw_text(&j, scan_encoding_names[t->encoding]);
	jsonw_key(&j, "evidence"), jsonw_text(&j, p->evidence);
	jsonw_key(&j, "format_version"), jsonw_u64(&j, FORMAT_VERSION);
	jsonw_key(&j, "generation"), jsonw_u64(&j, p->generation);
	if (p->has_header) {
		jsonw_key(&j, "header_sha256");
		jsonw_hex(&j, p->header_sha256, HASH_LEN);
	}
	jsonw_key(&j, "invalid_utf8"), jsonw_u64(&j, t->invalid_utf8);
	jsonw_key(&j, "lineage"), jsonw_array(&j);
	for (size_t i = 0; i < p->n_lineage; i++)
		write_container(&j, &p->lineage[i]);
	jsonw_end(&j);
	jsonw_key(&j, "malformed"), jsonw_u64(&j, t->malformed);
	jsonw_key(&j, "mtime"), jsonw_time_ns(&j, p->mtime);
	jsonw_key(&j, "name"), jsonw_percent(&j, p->name, p->name_len);
	jsonw_key(&j, "nul_bytes"), jsonw_u64(&j, t->nul_bytes);
	if (p->api.stream != NULL) {
		jsonw_key(&j, "partition");
		if (p->api.partition != NULL)
			jsonw_text(&j, p->api.partition);
		else
			jsonw_null(&j);
		jsonw_key(&j, "parts");
		jsonw_raw(&j, p->api.parts, strlen(p->api.parts));
	}
	if (p->generation > 1) {
		jsonw_key(&j, "previous_sha256");
		jsonw_hex(&j, p->previous_sha256, HASH_LEN);
	}
	if (p->reason != NULL)
		jsonw_key(&j, "reason"), jsonw_text(&j, p->reason);
	jsonw_key(&j, "records"), jsonw_u64(&j, t->records);
	jsonw_key(&j, "relation"), jsonw_text(&j, relation_name(p->relation));
	if (p->released != NULL)
		jsonw_key(&j, "released"), jsonw_text(&j, p->released);
	if (p->api.stream != NULL)
		jsonw_key(&j, "seen"), jsonw_u64(&j, p->api.seen);
	jsonw_key(&j, "seen_at"), jsonw_time_ns(&j, p->seen_at);
	if (p->released != NULL)
		jsonw_key(&j, "settles"), jsonw_u64(&j, p->settles);
	jsonw_key(&j, "size"), jsonw_u64(&j, p->size);
	jsonw_key(&j, "software"), jsonw_text(&j, "landfall " PACKAGE_VERSION);
	jsonw_key(&j, "source"), jsonw_text(&j, p->source);
	jsonw_key(&j, "staged_at"), jsonw_time_ns(&j, p->staged_at);
	jsonw_key(&j, "stray_quotes"), jsonw_u64(&j, t->stray_quotes);
	if (p->api.stream != NULL)
		jsonw_key(&j, "stream"), jsonw_text(&j, p->api.stream);
	if (p->compared != NULL)
		jsonw_key(&j, "totals"), jsonw_text(&j, p->compared);
	jsonw_key(&j, "transport"), jsonw_text(&j, p->transport);
	if (p->unpacked)
		jsonw_key(&j, "unpacked"), jsonw_bool(&j, true);
	if (p->api.stream != NULL) {
		jsonw_key(&j, "window");
		jsonw_raw(&j, p->api.window, strlen(p->api.window));
	}
	jsonw_end(&j);
}

/* ---- reading: each of these notes the first key that is not as it must ----
 */

struct reading {
	const json_t *object;
	const char *wrong; /* the first bad key, or NULL */
};

static const char *
get_text(struct reading *r, const char *key)
{
	const char *text = json_string_value(json_object_get(r->object, key));

	if (text == NULL && r->wrong == NULL)
		r->wrong = key;
	return text != NULL ? text : "";
}

/* NULL: it is not there. */
static const char *
get_optional(struct reading *r, const char *key)
{
	return json_object_get(r->object, key) != NULL ? get_text(r, key)
						       : NULL;
}

static uint64_t
get_u64(struct reading *r, const char *key)
{
	const json_t *v = json_object_get(r->object, key);

	if ((!json_is_integer(v) || json_integer_value(v) < 0) &&
		r->wrong == NULL)
		r->wrong = key;
	return (uint64_t)json_integer_value(v);
}

static int64_t
get_time(struct reading *r, const char *key)
{
	int64_t wall = 0;

	if (!clock_parse_time(get_text(r, key), &wall) && r->wrong == NULL)
		r->wrong = key;
	return wall;
}

static void
get_sum(struct reading *r, const char *key, uint8_t sum[HASH_LEN])
{
	const char *text = get_text(r, key);

	if ((strlen(text) != 2 * HASH_LEN ||
		    !str_parse_hex(text, sum, HASH_LEN)) &&
		r->wrong == NULL)
		r->wrong = key;
}

/* The position of a text in a NULL-terminated table. */
static unsigned
get_name(struct reading *r, const char *key, const char *const names[])
{
	const char *text = get_text(r, key);

	for (unsigned i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	if (r->wrong == NULL)
		r->wrong = key;
	return 0;
}

static enum relation
get_relation(struct reading *r, const char *key)
{
	const char *text = get_text(r, key);

	for (unsigned i = 0; relation_name(i) != NULL; i++)
		if (strcmp(relation_name(i), text) == 0)
			return (enum relation)i;
	if (r->wrong == NULL)
		r->wrong = key;
	return RELATION_FIRST;
}

/* The caller frees what is returned. */
static uint8_t *
get_percent(struct reading *r, const char *key, size_t *ret_len)
{
	const char *text = get_text(r, key);
	size_t len = strlen(text);
	uint8_t *bytes = mem_alloc(len + 1);

	if (!str_parse_percent(text, len, bytes, len, ret_len) &&
		r->wrong == NULL)
		r->wrong = key;
	return bytes;
}

static void
get_lineage(
	struct reading *r, struct provenance *p, struct provenance_keep *keep)
{
	const json_t *list = json_object_get(r->object, "lineage");
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > CONTAINERS_MAX) {
		if (r->wrong == NULL)
			r->wrong = "lineage";
		return;
	}
	if (n == 0)
		return;
	keep->lineage = mem_array(n, sizeof(*keep->lineage));
	keep->n_lineage = n;
	for (size_t i = 0; i < n; i++) {
		struct reading inner = {.object = json_array_get(list, i)};
		struct container *c = &keep->lineage[i];

		get_sum(&inner, "bytes_sha256", c->bytes_sha256);
		c->name = get_percent(&inner, "name", &c->name_len);
		c->size = get_u64(&inner, "size");
		if (inner.wrong != NULL && r->wrong == NULL)
			r->wrong = "lineage";
	}
	p->lineage = keep->lineage;
	p->n_lineage = n;
}

static enum rc
get_dialect(struct reading *r, struct provenance *p, struct err *e)
{
	const json_t *v = json_object_get(r->object, "dialect");
	char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	enum rc rc;

	if (text == NULL)
		return err_set(e, BAD_ITEM, "no dialect");
	rc = dialect_read(&p->dialect, text, strlen(text), e);
	free(text);
	return rc;
}

/* Parts in order, one byte between two, from 0 to the object's size. */
static void
get_parts(struct reading *r, struct provenance *p, struct provenance_keep *keep)
{
	const json_t *parts = json_object_get(r->object, "parts");
	size_t n = json_array_size(parts);
	uint64_t end = 0;
	bool good = n > 0;

	keep->part = mem_array(n + 1, sizeof(*keep->part));
	for (size_t i = 0; i < n && good; i++) {
		const json_t *x = json_array_get(parts, i);
		json_int_t offset =
			json_integer_value(json_object_get(x, "offset"));
		json_int_t length =
			json_integer_value(json_object_get(x, "length"));

		good = length >= 0 && offset == (json_int_t)end &&
			(uint64_t)length <= p->size - end;
		keep->part[i] = (struct landed_span){
			(uint64_t)offset, (uint64_t)length};
		end += (uint64_t)length + (i + 1 < n);
		good = good && end <= p->size;
	}
	if ((!good || end != p->size) && r->wrong == NULL)
		r->wrong = "parts";
	p->api.part = keep->part;
	p->api.n_parts = n;
}

static void
get_api(struct reading *r, struct provenance *p, struct provenance_keep *keep)
{
	const json_t *window = json_object_get(r->object, "window");

	p->api.stream = get_text(r, "stream");
	p->api.partition =
		json_string_value(json_object_get(r->object, "partition"));
	p->api.seen = get_u64(r, "seen");
	keep->window = json_dumps(window, JSON_COMPACT | JSON_SORT_KEYS);
	p->api.window = keep->window;
	if (keep->window == NULL && r->wrong == NULL)
		r->wrong = "window";
	get_parts(r, p, keep);
}

enum rc
provenance_read(struct provenance *p, struct provenance_keep *keep,
	const char *text, size_t len, struct err *e)
{
	json_error_t je;
	struct reading r = {0};
	struct scan_totals *t = &p->totals;

	*p = (struct provenance){0};
	*keep = (struct provenance_keep){0};
	keep->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	r.object = keep->json;
	if (!json_is_object(r.object)) {
		provenance_release(keep);
		return err_set(
			e, BAD_ITEM, "provenance is not JSON: %s", je.text);
	}
	t->bom = json_is_true(json_object_get(r.object, "bom"));
	get_sum(&r, "bytes_sha256", p->bytes_sha256);
	t->columns = (uint32_t)get_u64(&r, "columns");
	p->dialect_origin = get_text(&r, "dialect_origin");
	p->drift = get_optional(&r, "drift");
	t->encoding = get_name(&r, "encoding", scan_encoding_names);
	p->evidence = get_text(&r, "evidence");
	if (get_u64(&r, "format_version") != FORMAT_VERSION && r.wrong == NULL)
		r.wrong = "format_version";
	p->generation = (uint32_t)get_u64(&r, "generation");
	p->has_header = json_object_get(r.object, "header_sha256") != NULL;
	if (p->has_header)
		get_sum(&r, "header_sha256", p->header_sha256);
	t->invalid_utf8 = get_u64(&r, "invalid_utf8");
	get_lineage(&r, p, keep);
	t->malformed = get_u64(&r, "malformed");
	p->mtime = get_time(&r, "mtime");
	keep->name = get_percent(&r, "name", &p->name_len);
	p->name = keep->name;
	t->nul_bytes = get_u64(&r, "nul_bytes");
	if (p->generation > 1)
		get_sum(&r, "previous_sha256", p->previous_sha256);
	p->reason = get_optional(&r, "reason");
	t->records = get_u64(&r, "records");
	p->relation = get_relation(&r, "relation");
	p->released = get_optional(&r, "released");
	if (p->released != NULL)
		p->settles = get_u64(&r, "settles");
	p->seen_at = get_time(&r, "seen_at");
	p->size = get_u64(&r, "size");
	t->bytes = p->size;
	p->source = get_text(&r, "source");
	p->staged_at = get_time(&r, "staged_at");
	t->stray_quotes = get_u64(&r, "stray_quotes");
	p->compared = get_optional(&r, "totals");
	p->transport = get_text(&r, "transport");
	p->unpacked = json_is_true(json_object_get(r.object, "unpacked"));
	if (json_object_get(r.object, "stream") != NULL)
		get_api(&r, p, keep);
	if (r.wrong != NULL)
		err_set(e, BAD_ITEM, "provenance: '%s' is missing or wrong",
			r.wrong);
	else if (get_dialect(&r, p, e) == OK)
		return OK;
	else
		err_add(e, "provenance");
	provenance_release(keep);
	return e->code;
}

void
provenance_release(struct provenance_keep *keep)
{
	json_decref(keep->json);
	for (size_t i = 0; i < keep->n_lineage; i++)
		free(keep->lineage[i].name);
	free(keep->lineage);
	free(keep->name);
	free(keep->window);
	free(keep->part);
	*keep = (struct provenance_keep){0};
}
