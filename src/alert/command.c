/*
 * An alert as a command's standard input.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alert/way.h"
#include "base/clock.h"
#include "base/run.h"

#define OUTPUT_KEPT 4096

/* Ours may hold secrets ({env: NAME}), and nothing in it is the command's. */
static char *const environment[] = {
	(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/"
		 "sbin:/bin"},
	(char[]){"LANG=C.UTF-8"},
	NULL,
};

static enum rc
send_to_command(const struct alert_config *a, const char *body, size_t len,
	int64_t timeout, const atomic_bool *cancel, struct err *e)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	uint8_t said[OUTPUT_KEPT];
	struct run r = {
		.argv = a->command,
		.env = environment,
		.input = body,
		.input_len = len,
		.room = said,
		.size = sizeof(said),
		.errors = true,
		.timeout = timeout,
		.cancel = cancel,
	};
	int status;
	enum rc rc = run_program(&r, &status, e);

	if (rc == AGAIN && cancel != NULL && *cancel)
		return AGAIN;
	if (rc == AGAIN) {
		str_add_duration(&text, (uint64_t)timeout);
		return err_set(e, BAD_SOURCE,
			"command %s: not done within %s; ended it",
			a->command[0], text.s);
	}
	if (rc != OK || status == 0)
		return rc;
	way_add_said(&text, said, r.len);
	return err_set(e, BAD_SOURCE, "command %s: %s %d%s", a->command[0],
		WIFSIGNALED(status) ? "signal" : "exit status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		text.s);
}

static enum rc
check_command(const struct alert_config *a, struct err *e)
{
	const char *path = a->command[0];
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, BAD_SOURCE, errno, "alert command %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, BAD_SOURCE,
			"alert command %s: not a regular file", path);
	if (access(path, X_OK) < 0)
		return err_sys(e, BAD_SOURCE, errno,
			"alert command %s cannot be executed", path);
	return OK;
}

const struct alert_way command_way = {
	.send = send_to_command,
	.check = check_command,
};
