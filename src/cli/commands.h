/*
 * commands.h - the entry of each command.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

struct order_request;
struct order_work;

enum status cmd_init(struct cli *c, int argc, char **argv);
enum status cmd_check(struct cli *c, int argc, char **argv);
enum status cmd_plan(struct cli *c, int argc, char **argv);
enum status cmd_run(struct cli *c, int argc, char **argv);
enum status cmd_land(struct cli *c, int argc, char **argv);
enum status cmd_release(struct cli *c, int argc, char **argv);
enum status cmd_reject(struct cli *c, int argc, char **argv);
enum status cmd_backfill(struct cli *c, int argc, char **argv);
enum status cmd_reset(struct cli *c, int argc, char **argv);
enum status cmd_scan(struct cli *c, int argc, char **argv);
enum status cmd_receipt(struct cli *c, int argc, char **argv);
enum status cmd_status(struct cli *c, int argc, char **argv);
enum status cmd_ls(struct cli *c, int argc, char **argv);
enum status cmd_why(struct cli *c, int argc, char **argv);
enum status cmd_cat(struct cli *c, int argc, char **argv);
enum status cmd_verify(struct cli *c, int argc, char **argv);
enum status cmd_catalog(struct cli *c, int argc, char **argv);
enum status cmd_help(struct cli *c, int argc, char **argv);

/* ---- what a daemon may do in their place: see order.h ---- */

/* By c's configuration; what is wrong is told. */
enum status cmd_backfill_check(struct cli *c, const struct order_request *q);
enum status cmd_reset_check(struct cli *c, const struct order_request *q);

enum status cmd_backfill_work(struct order_work *w);
enum status cmd_reset_work(struct order_work *w);
enum status cmd_release_work(struct order_work *w);
enum status cmd_reject_work(struct order_work *w);

#endif
