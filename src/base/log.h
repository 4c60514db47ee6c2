/*
 * log.h - one line for each event, on stderr: logfmt or JSON.
 *
 *	struct log l = log_begin(LOG_INFO, "landed");
 *	log_text(&l, "source", cfg->name);
 *	log_bytes(&l, "name", name, len);
 *	log_u64(&l, "size", size);
 *	log_end(&l);
 *
 * time=2026-11-23T01:02:03Z level=info event=landed source=acme name=a.csv
 *
 * Whoever decides what happens next logs, once: modules return errors. A line
 * is one write, so lines of several threads do not mix.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/jsonw.h"

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log {
	struct str line;
	struct jsonw json;
};

/* JSON from now on, for the whole process. Before threads start. */
void log_as_json(void);

struct log log_begin(enum log_level level, const char *event);
void log_text(struct log *l, const char *key, const char *text);
void log_bytes(struct log *l, const char *key, const void *p, size_t n);
void log_u64(struct log *l, const char *key, uint64_t v);
void log_duration(struct log *l, const char *key, uint64_t ns);
void log_end(struct log *l);

/* Event, level and one text under "what". */
void log_say(enum log_level level, const char *event, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
