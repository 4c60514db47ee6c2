#include "daemon/paths.h"

#include <inttypes.h>
#include <string.h>

size_t
paths_fields(const struct api_stream *s,
	const struct api_place *field[PATHS_MOST], bool *ret_cursor)
{
	const struct api_place *cursor = &s->incremental.cursor;
	size_t n = 0;

	while (n < s->key.n && n < PATHS_MOST - 1) {
		field[n] = &s->key.row[n];
		n++;
	}
	*ret_cursor = s->incremental.set &&
		(cursor->column != NULL || cursor->path.n > 0);
	if (*ret_cursor)
		field[n++] = cursor;
	return n;
}

static void
write_place(const struct api_place *p, struct str *text)
{
	if (p->column != NULL)
		str_addf(text, "column %s", p->column);
	else
		jsonpath_write(&p->path, text);
}

void
paths_write(const struct api_selector *s, struct str *text)
{
	switch (s->from) {
	case API_FROM_HEADER:
		str_addf(text, "header %s", s->name);
		break;
	case API_FROM_HEADER_JSON:
		str_addf(text, "header %s, ", s->name);
		jsonpath_write(&s->path, text);
		break;
	case API_FROM_LINK:
		str_addf(text, "link %s", s->name);
		break;
	case API_FROM_LAST:
		str_add(text, "the last record's ");
		jsonpath_write(&s->path, text);
		break;
	default:
		jsonpath_write(&s->path, text);
	}
}

enum rc
paths_check(const struct api_stream *s, const struct reply *r, struct err *e)
{
	const struct api_place *field[PATHS_MOST];
	uint64_t records = reply_records(r);
	bool cursor;
	size_t n = paths_fields(s, field, &cursor);

	for (size_t i = 0; i < n && records > 1; i++) {
		CLEANUP(str_release) struct str path = STR_INIT;

		if (reply_met(r, i) > 0)
			continue;
		write_place(field[i], &path);
		return err_set(e, BAD_SOURCE,
			"%s, %s, is in none of the %" PRIu64 " records of an "
			"answer: is it spelt as the API spells it?",
			cursor && i + 1 == n ? "incremental.cursor" : "key",
			path.s, records);
	}
	return OK;
}

static bool
json_asks_for(const struct api_json *j, const char *number)
{
	if (j->kind == API_JSON_WORD && strcmp(j->word, number) == 0)
		return true;
	for (size_t i = 0; i < j->n; i++)
		if (json_asks_for(&j->child[i], number))
			return true;
	return false;
}

bool
paths_asked_for(const struct api_request *q, const char *url, uint64_t size,
	uint64_t records)
{
	CLEANUP(str_release) struct str number = STR_INIT;
	const char *p = strchr(url, '?');

	if (records == 0)
		return false;
	if (records == size)
		return true;
	str_add_u64(&number, records, 1);
	while (p != NULL && (p = strchr(p, '=')) != NULL) {
		size_t n = strcspn(++p, "&#");

		if (n == number.len && memcmp(p, number.s, n) == 0)
			return true;
	}
	return q->body == API_BODY_JSON && json_asks_for(&q->json, number.s);
}

void
paths_tell(const struct api_stream *s, const struct reply *r, struct str *facts)
{
	const struct api_selector *next = &s->pagination->next;
	const struct api_place *field[PATHS_MOST];
	uint64_t records = reply_records(r);
	bool cursor;
	size_t n = paths_fields(s, field, &cursor);

	str_addf(facts, "stream %s: %" PRIu64 " record%s", s->name, records,
		records == 1 ? "" : "s");
	for (size_t i = 0; i < n && records > 0; i++) {
		str_addf(facts, "; %s ",
			cursor && i + 1 == n ? "cursor" : "key");
		write_place(field[i], facts);
		str_addf(facts, " in %" PRIu64 " of them", reply_met(r, i));
	}
	if (next->from == API_FROM_NOTHING)
		return;
	str_add(facts, "; next ");
	paths_write(next, facts);
	str_add(facts, reply_has(r, next) ? " is there" : " is not there");
}
