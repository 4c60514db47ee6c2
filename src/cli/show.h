/*
 * show.h - how deliveries and passes are told, for humans and programs.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/cli.h"
#include "daemon/pass.h"
#include "landfall/commit.h"

/* One delivery, a line on stdout: the JSON shape of `land`, or words. */
void show_delivery(const struct cli *c, const struct delivery *d);

/* One pass, a line on stdout. */
void show_pass(const struct cli *c, const struct pass_report *r);

#endif
