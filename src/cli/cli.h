/*
 * cli.h - the command line: one table of commands, one file for each.
 *
 * Primary output goes to stdout (--json: one object a line, stable), talk and
 * progress to stderr. A command returns one of the exit statuses below.
 *
 * What a daemon may do in a command's place prints with cli_line_to,
 * cli_fail_to, cli_error, cli_usage and cli_say alone, which see to it that
 * the command prints it.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "landfall/config.h"

enum status {
	STATUS_DONE = 0,      /* nothing wrong */
	STATUS_USAGE = 1,     /* command line or configuration */
	STATUS_ATTENTION = 2, /* quarantined, late or missing */
	STATUS_UNREACHED = 3, /* a source could not be looked at */
	STATUS_DAMAGE = 4,    /* verification found damage */
	STATUS_BROKEN = 5,    /* our disk, catalog or ledger failed */
};

struct order;

struct cli {
	/* What every command takes. */
	const char *config_path; /* -c FILE; NULL: the usual places */
	bool json;
	bool quiet;
	/* What is left of the command line. */
	char **arg;
	int n_args;
	const struct command *command;
	struct config *config; /* after cli_config */
	/* In a daemon: its lines go to who gave this (order.h); NULL: here. */
	struct order *order;
};

/* An option of one command; one of flag, text is set, or both: optional. */
struct cli_option {
	const char *name;  /* without the dashes */
	bool *flag;	   /* set to true */
	const char **text; /* set to the argument */
	const char *value; /* what to call the argument in help */
	const char *help;
	bool optional; /* the argument, which is then given as --name=VALUE */
	/* NULL, or called for each occurrence instead (text is the value). */
	enum status (*each)(void *arg, const char *value);
	void *arg;
	char letter; /* a short name for it, e.g. 'o'; 0: none */
};

struct command {
	const char *name;
	const char *args; /* "FILE... --source S" */
	const char *summary;
	const char *help; /* more for `landfall help NAME`; may be NULL */
	enum status (*run)(struct cli *c, int argc, char **argv);
};

extern const struct command commands[]; /* ends with a NULL name */

/* The command most like this word, for "did you mean"; NULL: none is near. */
const char *cli_nearest_command(const char *name);

/*
 * Parses argv (argv[0] is the command's name) against the options of this
 * command and those every command has. STATUS_DONE: go on; otherwise the
 * command returns what this returned: the mistake, or the help asked for
 * with --help, is told already.
 */
#define CLI_STOP (-1) /* --help: return STATUS_DONE */
int cli_parse(struct cli *c, int argc, char **argv,
	const struct cli_option *options, size_t n) MUST_USE;

/* "landfall: error: ..." on stderr, and the status that goes with it. */
enum status cli_fail(const struct err *e);
enum status cli_fail_to(const struct cli *c, const struct err *e);
void cli_error(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum status
cli_usage(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Talk for humans on stderr; silent with --quiet. */
void cli_say(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One line of output: s and a newline on stdout; s is cleared. */
void cli_line(struct str *s);
void cli_line_to(const struct cli *c, struct str *s);

/*
 * From now on, and before the first of them, a line is written when it is
 * made: of what takes its time. Much output is faster without.
 */
void cli_live(void);

/*
 * stdout is flushed and was writable all along; else STATUS_BROKEN. A reader
 * that has left wants no more, which is nobody's failure.
 */
enum status cli_end(enum status st);

/*
 * Loads c->config from -c, ./landfall.yaml or the system's place. On a
 * mistake the report is printed and STATUS_USAGE returned.
 */
enum status cli_config(struct cli *c) MUST_USE;

/* Is this source among the arguments? Without arguments every one is. */
bool cli_chosen(const struct cli *c, const char *source);

/* The source of this name, or NULL after "did you mean" was told. */
const struct source_config *cli_source(const struct cli *c, const char *name);

#endif
