/*
 * show.h - how deliveries and passes are told, for humans and programs.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "base/jsonw.h"
#include "cli/cli.h"
#include "daemon/arrival.h"
#include "daemon/pass.h"
#include "landfall/commit.h"

/* One delivery, a line on stdout: the JSON shape of `land`, or words. */
void show_delivery(const struct cli *c, const struct delivery *d);

/* How an arrival contract stands, a line on stdout. */
void show_arrival(const struct cli *c, const char *source,
	const struct arrival_report *r);

/* The keys of an arrival inside an open object; and "late, 1 file; ...". */
void show_arrival_json(struct jsonw *j, const struct arrival_report *r);
void show_arrival_words(struct str *s, const struct arrival_report *r);

/* One pass, a line on stdout. */
void show_pass(const struct cli *c, const struct pass_report *r);

/* "`landfall release 5` or `landfall reject 5`" */
void show_decision(struct str *s, uint64_t entry);

#endif
