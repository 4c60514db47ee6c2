#include <string.h>

#include "cli/commands.h"

enum status
cmd_help(struct cli *c, int argc, char **argv)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	char help[] = "--help";
	const char *near;
	int parsed = cli_parse(c, argc, argv, NULL, 0);

	if (parsed != STATUS_DONE)
		return parsed == CLI_STOP ? STATUS_DONE : (enum status)parsed;
	if (c->n_args != 1)
		return cli_usage(c, "one topic, please");
	if (strcmp(c->arg[0], "config") == 0) {
		config_help(&s);
		fputs(s.s, stdout);
		return STATUS_DONE;
	}
	if (strcmp(c->arg[0], "profile") == 0) {
		config_help_profile(&s);
		fputs(s.s, stdout);
		return STATUS_DONE;
	}
	for (const struct command *cmd = commands; cmd->name != NULL; cmd++) {
		char *args[] = {c->arg[0], help, NULL};

		if (strcmp(cmd->name, c->arg[0]) == 0) {
			c->command = cmd;
			return cmd->run(c, 2, args);
		}
	}
	if (config_help_key(&s, c->arg[0])) {
		fputs(s.s, stdout);
		return STATUS_DONE;
	}
	near = cli_nearest_command(c->arg[0]);
	if (near == NULL)
		near = config_nearest_key(c->arg[0]);
	return cli_usage(c, "there is no command and no key '%s'%s%s%s",
		c->arg[0], near != NULL ? "; did you mean '" : "",
		near != NULL ? near : "", near != NULL ? "'?" : "");
}
