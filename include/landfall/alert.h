/*
 * alert.h - one alert on its way to whoever is to be told: what it says, and
 * one attempt to say it.
 *
 *	struct alert a = {.event = ALERT_MISSING, .source = "acme", ...};
 *	alert_body(&a, &body);
 *	...
 *	rc = alert_send(cfg, body.s, body.len, timeout, &cancel, &e);
 *
 * Nothing here retries, waits or remembers: daemon/courier does.
 */
#ifndef LANDFALL_ALERT_H
#define LANDFALL_ALERT_H

#include <stdatomic.h>

#include "landfall/config.h"

#define ALERT_NAMES 10 /* of deliveries, in one body */

/* What a body says; landfall.yaml(5) documents its keys. */
struct alert {
	enum alert_event event;
	enum alert_event was; /* ALERT_RECOVERED: from what */
	const char *origin;   /* the ledger's */
	const char *source;
	int64_t at; /* wall, ns */
	/*
	 * What makes it this alert and no other, together with event, source
	 * and origin: a deadline, an entry of the ledger, a time.
	 */
	uint64_t key;
	const char *text; /* what is wrong */
	const char *todo; /* what to do */
	/* Deliveries: how many, and the first of their names. */
	uint64_t count;
	struct alert_name {
		const uint8_t *name;
		size_t len;
	} name[ALERT_NAMES];
	size_t n_names;
	/* Arrivals. */
	const struct expect *expect; /* NULL: none */
	const struct contract_day *day;
	const struct arrived *arrived;
};

/* One canonical JSON object, without a line end. */
void alert_body(const struct alert *a, struct str *s);

/*
 * One attempt, at most `timeout` ns long. BAD_SOURCE: it was not taken, and
 * e says why without any secret; AGAIN: cancelled (may be NULL). Thread-safe.
 */
enum rc alert_send(const struct alert_config *a, const char *body, size_t len,
	int64_t timeout, const atomic_bool *cancel, struct err *e) MUST_USE;

/*
 * Could it be sent, as far as can be told without sending? BAD_SOURCE: no,
 * and e says why.
 */
enum rc alert_check(const struct alert_config *a, struct err *e) MUST_USE;

#endif
