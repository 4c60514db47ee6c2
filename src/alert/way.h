/*
 * way.h - the ways an alert can go, one file each.
 */
#ifndef ALERT_WAY_H
#define ALERT_WAY_H

#include "landfall/alert.h"

struct alert_way {
	/* As alert_send and alert_check. */
	enum rc (*send)(const struct alert_config *a, const char *body,
		size_t len, int64_t timeout, const atomic_bool *cancel,
		struct err *e);
	enum rc (*check)(const struct alert_config *a, struct err *e);
};

extern const struct alert_way command_way;
extern const struct alert_way post_way;

/* What somebody else said, for an error text: its beginning, on one line. */
void way_add_said(struct str *s, const void *p, size_t n);

#endif
