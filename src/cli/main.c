#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "cli/children.h"
#include "cli/cli.h"

static void
print_overview(FILE *to)
{
	fprintf(to,
		"landfall lands what partners deliver: raw, whole, once "
		"and provably.\n\nusage: landfall COMMAND [options]\n\n");
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++)
		fprintf(to, "  %-10s %s\n", cmd->name, cmd->summary);
	fprintf(to,
		"\n`landfall help COMMAND` says more; `landfall help config` "
		"lists every option of\nthe configuration, `landfall help "
		"KEY` explains one.\n\nExit status: 0 done, 1 usage or "
		"configuration, 2 something was quarantined, late\nor "
		"missing, 3 a source could not be reached, 4 verification "
		"found damage, 5 our\nown disk, catalog or ledger failed.\n");
}

static const struct command *
find(const char *name)
{
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++)
		if (strcmp(cmd->name, name) == 0)
			return cmd;
	return NULL;
}

static int
unknown(const char *name)
{
	const char *best = cli_nearest_command(name);

	fprintf(stderr, "landfall: no command '%s'%s%s%s\n", name,
		best != NULL ? "; did you mean '" : "",
		best != NULL ? best : "", best != NULL ? "'?" : "");
	return STATUS_USAGE;
}

/* `landfall -c FILE check`: the same words in their order. */
static int
option_first(int argc, char **argv)
{
	const struct command *cmd = NULL;
	int at = 1;

	while (at < argc && (cmd = find(argv[at])) == NULL)
		at++;
	fprintf(stderr, "landfall: options follow the command: landfall %s",
		cmd != NULL ? cmd->name : "COMMAND");
	for (int i = 1; i < argc; i++)
		if (i != at)
			fprintf(stderr, " %s", argv[i]);
	fputc('\n', stderr);
	return STATUS_USAGE;
}

/*
 * A standard descriptor that is closed would be the next file opened, and
 * what is printed would go into it. Opened the wrong way round it fails.
 */
static bool
take_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct cli c = {0};
	enum status st;

	if (child_wanted(argc, argv))
		return child_main(child_kinds, argv);
	if (!take_standard_descriptors())
		return STATUS_BROKEN;
	/* Names are bytes: the C locale everywhere but in what users read. */
	setlocale(LC_ALL, "C");
	/* Who reads what we print may leave; what is being done is done. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_overview(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("landfall " PACKAGE_VERSION);
		return (int)cli_end(STATUS_DONE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		(strcmp(argv[1], "help") == 0 && argc == 2)) {
		print_overview(stdout);
		return (int)cli_end(STATUS_DONE);
	}
	if (argv[1][0] == '-')
		return option_first(argc, argv);
	c.command = find(argv[1]);
	if (c.command == NULL)
		return unknown(argv[1]);
	st = c.command->run(&c, argc - 1, argv + 1);
	config_free(c.config);
	return (int)cli_end(st);
}
