#include "cli/order.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/verdict.h"

#define PATIENCE (ORDER_WIRE_PATIENCE * CLOCK_SECOND)

_Static_assert((int)STATUS_UNREACHED == ORDER_CANCELLED,
	"who is cancelled may be asked again");

/* What each verb is done by, and what can be wrong with its arguments. */
static const struct {
	enum status (*check)(struct cli *c, const struct order_request *q);
	enum status (*work)(struct order_work *w);
} verbs[ORDER_VERBS] = {
	[ORDER_BACKFILL] = {cmd_backfill_check, cmd_backfill_work},
	[ORDER_RESET] = {cmd_reset_check, cmd_reset_work},
	[ORDER_RELEASE] = {verdict_check, cmd_release_work},
	[ORDER_REJECT] = {verdict_check, cmd_reject_work},
};

/* ---- here ---- */

enum status
order_wait(struct order_work *w, const struct source_config *s)
{
	struct err e = ERR_INIT;

	switch (w->order != NULL ? order_turn(w->order, s, &e) : OK) {
	case OK:
		return STATUS_DONE;
	case END:
		cli_error(w->cli,
			"the daemon does not watch %s: it was started for "
			"other sources; stop it, or start it for this one too",
			s->name);
		return STATUS_USAGE;
	default:
		return STATUS_UNREACHED;
	}
}

/* ---- at the daemon ---- */

/* It is gone, or speaks of what nobody knows. */
static enum status
lost(const char *why)
{
	fprintf(stderr,
		"landfall: error: %s: it is not known how far it got; give "
		"the command again, which lands nothing twice\n",
		why);
	return STATUS_BROKEN;
}

static enum status
not_taken(void)
{
	fprintf(stderr,
		"landfall: error: the daemon ended before it took the order: "
		"nothing was done; give the command again\n");
	return STATUS_BROKEN;
}

/* To the end of the order. */
static enum status
listen(int fd, struct message *m)
{
	int64_t until = clock_mono() + PATIENCE;
	bool taken = false;

	for (;;) {
		CLEANUP(mem_release) char *line = mem_alloc(MESSAGE_MAX);
		struct err e = ERR_INIT;
		uint64_t status = STATUS_BROKEN;
		enum rc rc = channel_recv(fd, m, false, until, &e);

		if (rc == AGAIN)
			return lost("the daemon does not answer");
		if (rc != OK)
			return taken ? lost("the daemon is gone") : not_taken();
		if (m->type == ORDER_WIRE_END)
			status = message_take_u64(m);
		else if (m->type != ORDER_WIRE_TAKEN)
			message_take_text(m, line, MESSAGE_MAX);
		if (!message_end(m) || status > STATUS_BROKEN)
			return lost("the daemon says what makes no sense");
		switch (m->type) {
		case ORDER_WIRE_TAKEN:
			until = CHANNEL_FOREVER;
			taken = true;
			break;
		case ORDER_WIRE_OUT:
			fputs(line, stdout);
			break;
		case ORDER_WIRE_TALK:
			fputs(line, stderr);
			break;
		case ORDER_WIRE_END:
			return (enum status)status;
		default:
			return lost("the daemon says what makes no sense");
		}
	}
}

static enum status
speak(int fd, const struct order_request *q)
{
	CLEANUP(mem_release) struct message *m = mem_alloc(sizeof(*m));
	struct err e = ERR_INIT;

	order_wire_put(m, q);
	/* Who sends us away does not read it; why, it has said. */
	if (channel_send(fd, m, clock_mono() + PATIENCE, &e) == AGAIN)
		return lost("the daemon does not answer");
	return listen(fd, m);
}

/* held: what engine_open() said of who has the lock. */
static enum status
ask(const struct cli *c, const struct order_request *q, const struct err *held)
{
	struct err e = ERR_INIT;
	int state = -1, fd = -1;
	enum status st;
	enum rc rc = io_open(AT_FDCWD, c->config->state, O_RDONLY | O_DIRECTORY,
		0, &state, BROKEN, &e);

	if (rc == OK)
		rc = order_wire_connect(state, &fd, &e);
	/* At work, but no daemon, or not yet, or not any more. */
	if (rc == END)
		st = cli_fail(held);
	else if (rc != OK)
		st = cli_fail(&e);
	else
		st = speak(fd, q);
	io_drop(&fd);
	io_drop(&state);
	return st;
}

enum status
order_give(struct cli *c, const struct order_request *q)
{
	const struct engine_options options = {.config = c->config};
	struct order_work w = {.cli = c, .request = q};
	struct err e = ERR_INIT;
	enum status st;

	cli_live();
	if (engine_open(&options, &w.engine, &e) != OK)
		return e.cause == EWOULDBLOCK ? ask(c, q, &e) : cli_fail(&e);
	st = verbs[q->verb].work(&w);
	engine_close(w.engine);
	return st;
}

/* ---- in the daemon ---- */

static const struct command *
command_of(enum order_verb v)
{
	const struct command *cmd = commands;

	while (strcmp(cmd->name, order_verb_name(v)) != 0)
		cmd++;
	return cmd;
}

int
order_carry_out(void *cli UNUSED, struct order *o)
{
	const struct order_request *q = order_request(o);
	const struct config *config = order_config(o);
	struct cli c = {
		.json = q->json,
		.quiet = q->quiet,
		.command = command_of(q->verb),
		/* Nobody changes it, though commands may own theirs. */
		.config = (struct config *)(uintptr_t)config,
		.order = o,
	};
	struct order_work w = {
		.cli = &c, .engine = order_engine(o), .request = q, .order = o};
	enum status st = verbs[q->verb].check(&c, q);
	const char *why;

	if (st != STATUS_DONE) {
		cli_error(&c,
			"so says the configuration that the daemon has read; "
			"if %s has changed since, have the daemon read it "
			"(SIGHUP, or systemctl reload landfall)",
			config->path);
		return (int)st;
	}
	st = verbs[q->verb].work(&w);
	why = order_cancelled(o);
	/* What was done, or went wrong by itself, is told as that. */
	if (why == NULL || st != STATUS_UNREACHED)
		return (int)st;
	cli_error(&c,
		"cancelled: %s; what has landed stays, and the command may be "
		"given again",
		why);
	return ORDER_CANCELLED;
}
