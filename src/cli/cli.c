#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/order.h"

static void
print_options(const struct cli_option *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char left[64];

		if (o[i].letter != 0)
			snprintf(left, sizeof(left), "-%c, ", o[i].letter);
		else
			left[0] = '\0';
		snprintf(left + strlen(left), sizeof(left) - strlen(left),
			"--%s%s%s%s", o[i].name,
			o[i].optional		     ? "[="
				: o[i].value != NULL ? " "
						     : "",
			o[i].value != NULL ? o[i].value : "",
			o[i].optional ? "]" : "");
		printf("  %-22s  %s\n", left, o[i].help);
	}
}

static void
print_help(const struct command *cmd, const struct cli_option *o, size_t n)
{
	printf("usage: landfall %s%s%s\n\n%s.\n", cmd->name,
		*cmd->args != '\0' ? " " : "", cmd->args, cmd->summary);
	if (cmd->help != NULL)
		printf("\n%s\n", cmd->help);
	printf("\noptions:\n");
	print_options(o, n);
	printf("  -c FILE                 the configuration (default: "
	       "./landfall.yaml, then\n"
	       "                          " LANDFALL_SYSCONFDIR
	       "/landfall.yaml)\n"
	       "  --json                  output for programs, one object a "
	       "line\n"
	       "  --quiet                 no talk, no progress\n");
}

static void
suggest(const char *given, const struct cli_option *o, size_t n)
{
	static const char *const every[] = {"json", "quiet", "help"};
	const char *best = NULL;
	unsigned least = 3;

	for (size_t i = 0; i < n + ARRAY_LEN(every); i++) {
		const char *name = i < n ? o[i].name : every[i - n];
		unsigned d = str_distance(given, name);

		if (d < least) {
			least = d;
			best = name;
		}
	}
	if (best != NULL)
		fprintf(stderr, "did you mean --%s?\n", best);
}

const char *
cli_nearest_command(const char *name)
{
	const char *best = NULL;
	unsigned least = 3;

	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		unsigned d = str_distance(name, cmd->name);

		if (d < least) {
			least = d;
			best = cmd->name;
		}
	}
	return best;
}

/* The option getopt's value stands for: its letter, or its place from 1. */
static const struct cli_option *
option_of(int opt, const struct cli_option *o, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (o[i].letter != 0 && opt == o[i].letter)
			return &o[i];
	return &o[opt - 1];
}

int
cli_parse(struct cli *c, int argc, char **argv, const struct cli_option *o,
	size_t n)
{
	enum { OPTION_JSON = 1000, OPTION_QUIET, OPTION_HELP };
	CLEANUP(mem_release)
	struct option *longs = mem_array(n + 4, sizeof(*longs));
	CLEANUP(str_release) struct str shorts = STR_INIT;
	int opt;

	str_add(&shorts, ":c:hq");
	for (size_t i = 0; i < n; i++) {
		longs[i] = (struct option){.name = o[i].name,
			.has_arg = o[i].optional    ? optional_argument
				: o[i].flag == NULL ? required_argument
						    : no_argument,
			.val = o[i].letter != 0 ? o[i].letter : (int)i + 1};
		if (o[i].letter != 0)
			str_addf(&shorts, "%c%s", o[i].letter,
				o[i].flag == NULL ? ":" : "");
	}
	longs[n] = (struct option){.name = "json", .val = OPTION_JSON};
	longs[n + 1] = (struct option){.name = "quiet", .val = OPTION_QUIET};
	longs[n + 2] = (struct option){.name = "help", .val = OPTION_HELP};
	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, shorts.s, longs, NULL)) != -1) {
		const struct cli_option *x;

		switch (opt) {
		case 'c':
			c->config_path = optarg;
			continue;
		case OPTION_JSON:
			c->json = true;
			continue;
		case 'q':
		case OPTION_QUIET:
			c->quiet = true;
			continue;
		case 'h':
		case OPTION_HELP:
			print_help(c->command, o, n);
			return CLI_STOP;
		case ':':
			return cli_usage(
				c, "%s needs a value", argv[optind - 1]);
		case '?':
			cli_usage(c, "unknown option %s", argv[optind - 1]);
			if (strncmp(argv[optind - 1], "--", 2) == 0)
				suggest(argv[optind - 1] + 2, o, n);
			return STATUS_USAGE;
		}
		x = option_of(opt, o, n);
		if (x->each != NULL) {
			enum status st = x->each(x->arg, optarg);

			if (st != STATUS_DONE)
				return (int)st;
		} else {
			if (x->flag != NULL)
				*x->flag = true;
			if (x->text != NULL && optarg != NULL)
				*x->text = optarg;
		}
	}
	c->arg = argv + optind;
	c->n_args = argc - optind;
	return STATUS_DONE;
}

/* A line, or some, for standard error. */
static void
talk(const struct cli *c, const char *line)
{
	if (c != NULL && c->order != NULL)
		order_say(c->order, ORDER_WIRE_TALK, line);
	else
		fprintf(stderr, "%s\n", line);
}

void
cli_error(const struct cli *c, const char *fmt, ...)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	va_list ap;

	str_add(&s, "landfall: error: ");
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	talk(c, s.s);
}

enum status
cli_fail(const struct err *e)
{
	return cli_fail_to(NULL, e);
}

enum status
cli_fail_to(const struct cli *c, const struct err *e)
{
	cli_error(c, "%s", e->text);
	switch (e->code) {
	case BAD_SOURCE:
		return STATUS_UNREACHED;
	case BAD_ITEM:
		return STATUS_ATTENTION;
	default:
		return STATUS_BROKEN;
	}
}

enum status
cli_usage(const struct cli *c, const char *fmt, ...)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	va_list ap;

	str_addf(&s, "landfall %s: ", c->command->name);
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	str_addf(&s, "\nusage: landfall %s%s%s", c->command->name,
		*c->command->args != '\0' ? " " : "", c->command->args);
	talk(c, s.s);
	return STATUS_USAGE;
}

void
cli_say(const struct cli *c, const char *fmt, ...)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	va_list ap;

	if (c->quiet)
		return;
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	talk(c, s.s);
}

void
cli_line(struct str *s)
{
	fwrite(s->s, 1, s->len, stdout);
	putchar('\n');
	str_clear(s);
}

void
cli_line_to(const struct cli *c, struct str *s)
{
	if (c->order == NULL) {
		cli_line(s);
		return;
	}
	order_say(c->order, ORDER_WIRE_OUT, s->s);
	str_clear(s);
}

void
cli_live(void)
{
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

/* Of a pipe or a socket: errno may be of something else by now. */
static bool
reader_has_left(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

enum status
cli_end(enum status st)
{
	const char *why = "not all of it could be written";

	if (fflush(stdout) != 0)
		why = strerror(errno);
	else if (!ferror(stdout))
		return st;
	if (reader_has_left())
		return st;
	fprintf(stderr, "landfall: error: standard output: %s\n", why);
	return STATUS_BROKEN;
}

enum status
cli_config(struct cli *c)
{
	CLEANUP(str_release) struct str report = STR_INIT;
	const char *const places[] = {
		"landfall.yaml", LANDFALL_SYSCONFDIR "/landfall.yaml"};
	struct err e = ERR_INIT;
	enum rc rc = END;

	if (c->config_path != NULL)
		rc = config_load(c->config_path, &c->config, &report, &e);
	else
		for (size_t i = 0; i < ARRAY_LEN(places) && rc == END; i++)
			rc = config_load(places[i], &c->config, &report, &e);
	if (rc == OK)
		return STATUS_DONE;
	if (rc == END && c->config_path != NULL)
		err_set(&e, BAD_ITEM, "no configuration: %s is not there",
			c->config_path);
	else if (rc == END)
		err_set(&e, BAD_ITEM,
			"no configuration: neither ./landfall.yaml nor %s is "
			"there; make one with `landfall init DIR`, or name "
			"one with -c FILE",
			places[1]);
	fputs(report.s, stderr);
	fprintf(stderr, "landfall: error: %s\n", e.text);
	return STATUS_USAGE;
}

bool
cli_chosen(const struct cli *c, const char *source)
{
	for (int i = 0; i < c->n_args; i++)
		if (strcmp(c->arg[i], source) == 0)
			return true;
	return c->n_args == 0;
}

const struct source_config *
cli_source(const struct cli *c, const char *name)
{
	const struct source_config *s = config_source(c->config, name);
	const char *near;

	if (s != NULL)
		return s;
	near = config_nearest_source(c->config, name);
	cli_error(c, "%s has no source '%s'%s%s%s", c->config->path, name,
		near != NULL ? "; did you mean '" : "",
		near != NULL ? near : "", near != NULL ? "'?" : "");
	return NULL;
}
