#include "cli/entry.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* Each of these notes the first key that is not as it must be. */
struct reading {
	const json_t *object;
	const char *wrong;
};

static const char *
get_text(struct reading *r, const char *key)
{
	const char *text = json_string_value(json_object_get(r->object, key));

	if (text == NULL && r->wrong == NULL)
		r->wrong = key;
	return text != NULL ? text : "";
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

static void
get_sum(struct reading *r, const char *key, uint8_t sum[HASH_LEN])
{
	const char *text = get_text(r, key);

	if ((strlen(text) != 2 * HASH_LEN ||
		    !str_parse_hex(text, sum, HASH_LEN)) &&
		r->wrong == NULL)
		r->wrong = key;
}

static void
get_name(struct reading *r, struct entry *x)
{
	const char *text = get_text(r, "name");
	size_t len = strlen(text);

	x->name = mem_alloc(len + 1);
	if (!str_parse_percent(text, len, x->name, len, &x->name_len) &&
		r->wrong == NULL)
		r->wrong = "name";
}

static enum disposition
get_disposition(struct reading *r)
{
	const char *text = get_text(r, "disposition");

	for (unsigned i = 1; i < DISPOSITIONS; i++)
		if (strcmp(disposition_name(i), text) == 0)
			return (enum disposition)i;
	return 0;
}

/* The landing file; only an archive may have none. */
static void
get_file(struct reading *r, struct entry *x)
{
	x->is_again = json_object_get(r->object, "again") != NULL;
	if (x->is_again)
		x->again = get_u64(r, "again");
	x->file = "";
	if (json_object_get(r->object, "file") == NULL &&
		(x->is_again || x->disposition == DISPOSITION_UNPACKED))
		return;
	x->file = get_text(r, "file");
	if (!entry_is_path(x->file) && r->wrong == NULL)
		r->wrong = "file";
	get_sum(r, "file_sha256", x->file_sha256);
	x->records = get_u64(r, "records");
}

bool
entry_is_path(const char *path)
{
	do {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') ||
			(n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
	} while (*path++ == '/');
	return true;
}

enum rc
entry_read(struct entry *x, const char *text, size_t len, struct err *e)
{
	struct reading r = {0};
	json_error_t je;

	*x = (struct entry){0};
	x->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	r.object = x->json;
	if (!json_is_object(r.object)) {
		entry_release(x);
		return err_set(e, BAD_ITEM, "not a JSON object: %s", je.text);
	}
	x->index = get_u64(&r, "index");
	x->disposition = get_disposition(&r);
	x->rejected = strcmp(get_text(&r, "disposition"), "rejected") == 0;
	x->settles = json_object_get(r.object, "settles") != NULL;
	if (x->settles)
		x->settled = get_u64(&r, "settles");
	if (x->rejected)
		x->disposition = DISPOSITION_QUARANTINED;
	if (x->disposition != 0) {
		x->source = get_text(&r, "source");
		get_name(&r, x);
		get_sum(&r, "bytes_sha256", x->bytes_sha256);
		get_file(&r, x);
		x->generation = (uint32_t)get_u64(&r, "generation");
		x->size = get_u64(&r, "size");
		if (!clock_parse_time(
			    get_text(&r, "landed_at"), &x->landed_at) &&
			r.wrong == NULL)
			r.wrong = "landed_at";
	}
	if (r.wrong == NULL)
		return OK;
	entry_release(x);
	return err_set(e, BAD_ITEM, "'%s' is missing or wrong", r.wrong);
}

void
entry_release(struct entry *x)
{
	json_decref(x->json);
	free(x->name);
	*x = (struct entry){0};
}

enum rc
entry_at(struct entry *x, struct ledger_view *v, uint64_t index, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;

	*x = (struct entry){0};
	if (ledger_view_entry(v, index, &text, e) != OK)
		return e->code;
	if (entry_read(x, text.s, text.len, e) != OK)
		return err_add(e, "ledger entry %" PRIu64, index);
	if (x->index == index)
		return OK;
	err_set(e, BAD_ITEM, "ledger entry %" PRIu64 " calls itself %" PRIu64,
		index, x->index);
	entry_release(x);
	return e->code;
}

bool
entry_has_file(const struct entry *x)
{
	return !x->rejected &&
		(x->disposition == DISPOSITION_LANDED ||
			x->disposition == DISPOSITION_NEW_VERSION ||
			x->disposition == DISPOSITION_QUARANTINED ||
			(x->disposition == DISPOSITION_UNPACKED &&
				*x->file != '\0'));
}
