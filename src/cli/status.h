/*
 * status.h - how things stand, for `status`: each part as JSON
 * (status-json.c) and in words (status-words.c).
 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "base/jsonw.h"
#include "cli/standing.h"

/* Each is a key of an object; an alert is an object of an array. */
void status_json_source(
	struct jsonw *j, const struct standing *s, struct catalog *c);
void status_json_daemon(struct jsonw *j, const struct standing_daemon *d);
void status_json_ledger(
	struct jsonw *j, const struct ledger_view *v, uint64_t recorded);
void status_json_alert(struct jsonw *j, const struct catalog_alert *a);

/* Each is lines on stdout; names of sources have `width` columns. */
void status_words_header(size_t width);
void
status_words_source(const struct standing *s, size_t width, struct catalog *c);
void status_words_daemon(const struct standing_daemon *d);
void status_words_ledger(const struct ledger_view *v);
void status_words_alert(const struct catalog_alert *a);

#endif
