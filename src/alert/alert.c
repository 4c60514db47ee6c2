#include "landfall/alert.h"

#include <string.h>

#include "alert/way.h"
#include "base/hash.h"
#include "base/jsonw.h"

#define ID_LEN 16
#define SAID_MAX 200

/*
 * The same alert has the same id, however often it is sent and whatever
 * became of the catalog meanwhile.
 */
static void
add_id(struct jsonw *j, const struct alert *a)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	uint8_t sum[HASH_LEN];

	str_addf(&s, "landfall alert\n%s\n%s\n%s\n%s\n%llu\n", a->origin,
		a->source, alert_event_names[a->event],
		a->event == ALERT_RECOVERED ? alert_event_names[a->was] : "",
		(unsigned long long)a->key);
	hash_bytes(s.s, s.len, sum);
	jsonw_key(j, "id"), jsonw_hex(j, sum, ID_LEN);
}

static void
add_band(struct jsonw *j, const char *key, const struct band *b)
{
	jsonw_key(j, key), jsonw_object(j);
	jsonw_key(j, "least"), jsonw_u64(j, b->least);
	jsonw_key(j, "most");
	if (b->most == UINT64_MAX)
		jsonw_null(j);
	else
		jsonw_u64(j, b->most);
	jsonw_end(j);
}

static void
add_expected(struct jsonw *j, const struct alert *a)
{
	jsonw_key(j, "expected"), jsonw_object(j);
	jsonw_key(j, "by"), jsonw_time(j, a->day->due);
	add_band(j, "bytes", &a->expect->bytes);
	add_band(j, "files", &a->expect->files);
	jsonw_key(j, "late_after"), jsonw_time(j, a->day->late);
	add_band(j, "records", &a->expect->records);
	jsonw_end(j);
}

static void
add_found(struct jsonw *j, const struct alert *a)
{
	jsonw_key(j, "found"), jsonw_object(j);
	jsonw_key(j, "bytes"), jsonw_u64(j, a->arrived->bytes);
	jsonw_key(j, "files"), jsonw_u64(j, a->arrived->files);
	jsonw_key(j, "records"), jsonw_u64(j, a->arrived->records);
	jsonw_end(j);
}

void
alert_body(const struct alert *a, struct str *s)
{
	struct jsonw j = jsonw_canonical(s);

	jsonw_object(&j);
	jsonw_key(&j, "at"), jsonw_time(&j, a->at);
	if (a->n_names > 0)
		jsonw_key(&j, "count"), jsonw_u64(&j, a->count);
	jsonw_key(&j, "event");
	jsonw_text(&j, alert_event_names[a->event]);
	if (a->expect != NULL) {
		add_expected(&j, a);
		add_found(&j, a);
	}
	add_id(&j, a);
	if (a->n_names > 0) {
		jsonw_key(&j, "name");
		jsonw_percent(&j, a->name[0].name, a->name[0].len);
		jsonw_key(&j, "names"), jsonw_array(&j);
		for (size_t i = 0; i < a->n_names; i++)
			jsonw_percent(&j, a->name[i].name, a->name[i].len);
		jsonw_end(&j);
	}
	jsonw_key(&j, "origin"), jsonw_text(&j, a->origin);
	jsonw_key(&j, "source"), jsonw_text(&j, a->source);
	jsonw_key(&j, "text"), jsonw_text(&j, a->text);
	if (a->event == ALERT_RECOVERED) {
		jsonw_key(&j, "was");
		jsonw_text(&j, alert_event_names[a->was]);
	}
	jsonw_key(&j, "what_to_do"), jsonw_text(&j, a->todo);
	jsonw_end(&j);
}

void
way_add_said(struct str *s, const void *p, size_t n)
{
	const char *text = p;

	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL &&
		text[n - 1] != '\0')
		n--;
	if (n == 0)
		return;
	str_add(s, ": ");
	str_add_quoted(s, text, n < SAID_MAX ? n : SAID_MAX);
	if (n > SAID_MAX)
		str_add(s, "...");
}

static const struct alert_way *
way_of(const struct alert_config *a)
{
	return a->n_command > 0 ? &command_way : &post_way;
}

enum rc
alert_send(const struct alert_config *a, const char *body, size_t len,
	int64_t timeout, const atomic_bool *cancel, struct err *e)
{
	return way_of(a)->send(a, body, len, timeout, cancel, e);
}

enum rc
alert_check(const struct alert_config *a, struct err *e)
{
	return way_of(a)->check(a, e);
}
