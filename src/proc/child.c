/*
 * A process from exec to its job: learn the limits, lock in, say so. Until it
 * is locked in it has heard nothing but its supervisor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/frame.h"
#include "proc/sandbox.h"

/* Exit statuses; the first is that of any other wrong use of the program. */
enum { NO_SUPERVISOR = 1, NO_SANDBOX = 2 };

bool
child_wanted(int argc, char **argv)
{
	return argc > 1 &&
		strncmp(argv[1], FRAME_ARGUMENT, strlen(FRAME_ARGUMENT)) == 0;
}

static const struct child_kind *
child_find(const struct child_kind *kinds, const char *name)
{
	for (; kinds->name != NULL; kinds++)
		if (strcmp(kinds->name, name) == 0)
			return kinds;
	return NULL;
}

/* Somebody who tries the hidden argument by hand has no such socket. */
static bool
has_supervisor(void)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(CHILD_CHANNEL, SOL_SOCKET, SO_TYPE, &type, &len) ==
		0 &&
		type == SOCK_SEQPACKET;
}

static bool
take_start(struct message *m, struct proc_limits *l, struct child *c)
{
	struct err e = ERR_INIT;

	if (channel_recv(CHILD_CHANNEL, m, false, CHANNEL_FOREVER, &e) != OK ||
		m->type != FRAME_START)
		return false;
	l->memory = message_take_u64(m);
	l->file_size = message_take_u64(m);
	l->cpu = message_take_u64(m);
	l->fds = message_take_u64(m);
	c->fds = (unsigned)message_take_u64(m);
	return message_end(m);
}

int
child_main(const struct child_kind *kinds, char **argv)
{
	const struct child_kind *kind =
		child_find(kinds, argv[1] + strlen(FRAME_ARGUMENT));
	CLEANUP(str_release) struct str weak = STR_INIT;
	struct message *m = mem_alloc(sizeof(*m));
	struct proc_limits limits;
	struct child c = {0};
	struct err e = ERR_INIT;
	bool entered;
	int status;

	if (kind == NULL || !has_supervisor() || !take_start(m, &limits, &c)) {
		fprintf(stderr,
			"landfall: %s is for landfall itself, not for a "
			"command line\n",
			argv[1]);
		_exit(NO_SUPERVISOR);
	}
	entered = (kind->prepare == NULL || kind->prepare(&e) == OK) &&
		sandbox_enter(kind->profile, &limits, &weak, &e) == OK;
	c.weak = weak.len > 0;
	message_begin(m, entered ? FRAME_READY : FRAME_FAILED);
	message_put_text(m, entered ? weak.s : e.text);
	if (channel_send(CHILD_CHANNEL, m, CHANNEL_FOREVER, &e) != OK ||
		!entered)
		_exit(NO_SANDBOX);
	free(m);
	status = kind->run(&c);
	/* Nothing of ours runs at exit, and less is better in here. */
	_exit(status);
}
