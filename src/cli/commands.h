/*
 * commands.h - the entry of each command.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

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

#endif
