/*
 * proc.h - a child process for one hostile job.
 *
 * The child is this same program, executed again, with an empty environment,
 * no descriptor but those it is given, and nothing in its arguments but its
 * kind. Before it sees a byte of a partner's it locks itself in (see "the
 * sandbox" below). What it is to do, and all it finds, goes through messages
 * (message.h).
 *
 *	supervisor				child
 *
 *	proc_spawn(&start, &p, &e)		main: child_main(kinds, ...)
 *	  proc_weak(p): log it			  kind->run(&child)
 *	proc_send(p, &m, deadline, &e)		    channel_recv(CHILD_CHANNEL,
 *	proc_recv(p, &m, deadline, &e)		    channel_send(CHILD_CHANNEL,
 *	proc_end(p, deadline, &e)		    return 0
 *	proc_free(p)
 *
 * When the supervisor dies, however it dies, the child finds its channel
 * closed and ends; what computes for ever meets its CPU limit.
 *
 * A struct proc belongs to one thread at a time; different ones may be used
 * by different threads.
 *
 * ---- the sandbox ----
 *
 * Limits on memory, CPU time, file sizes and descriptors; no core dump, not
 * traceable; no capabilities, no new privileges; Landlock without a single
 * path, TCP port or outside process to signal; a system call filter. A
 * refused call is of two kinds: what a library may try on the side (open a
 * file) fails with an error, and what only an intruder does (execute, fork,
 * make a socket, signal) kills the child with SIGSYS.
 *
 * Nothing is opened in a child: whatever it works on is a descriptor that the
 * supervisor opened (a connected socket, a spool file). So no profile has a
 * list of paths or addresses that could be too long.
 */
#ifndef LANDFALL_PROC_H
#define LANDFALL_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "landfall/message.h"

enum child_profile {
	CHILD_UNPACK, /* computes: reads what it was given, talks */
	CHILD_FETCH,  /* also talks on sockets and writes to files given */
	CHILD_RUN,    /* runs another program; see proc_confine */
};

/* ---- the child's side ---- */

#define CHILD_CHANNEL 3 /* the socket to the supervisor */
#define CHILD_FDS 4	/* the first descriptor it was given; then in order */
#define CHILD_FDS_MAX 16

struct child {
	unsigned fds; /* how many it was given */
	bool weak;    /* a part of the sandbox is missing */
};

struct child_kind {
	const char *name;
	enum child_profile profile;
	int (*run)(const struct child *c); /* the process's exit status */
	/* What needs files, before it is locked in; NULL: nothing does. */
	enum rc (*prepare)(struct err *e);
};

/*
 * True: this process is to be a child; main returns child_main(), before it
 * does anything else. kinds: the last has no name.
 */
bool child_wanted(int argc, char **argv) MUST_USE;
int child_main(const struct child_kind *kinds, char **argv);

/*
 * For a child of profile CHILD_RUN, which only has limits, between fork and
 * exec: from here on this process and what becomes of it read and execute
 * below `readable`, write below `writable` too, and open nothing else; no
 * network, no foreign process, nothing that only an intruder does. Without
 * Landlock, paths are free: proc_weak said so. BROKEN: a wall could not be
 * built.
 */
struct proc_confine {
	const int *readable; /* descriptors: folders or files */
	size_t n_readable;
	const int *writable;
	size_t n_writable;
	bool unix_sockets; /* on paths; a socket there is anybody's */
};

enum rc proc_confine(const struct proc_confine *c, struct err *e) MUST_USE;

/* ---- the supervisor's side ---- */

struct proc_limits {
	uint64_t memory;    /* bytes, beyond the program itself */
	uint64_t file_size; /* no file it was given may grow beyond this */
	uint64_t cpu;	    /* seconds */
	uint64_t fds;	    /* that come with messages, at a time; 0: a few */
};

struct proc_start {
	const char *kind;
	const int *fds; /* stay open here */
	unsigned n_fds; /* <= CHILD_FDS_MAX */
	struct proc_limits limits;
};

struct proc;

/*
 * Starts a child and waits until it has locked itself in. AGAIN: not now (no
 * memory, no processes, killed meanwhile). BROKEN: this program cannot be
 * executed again, or could not lock itself in.
 */
enum rc proc_spawn(
	const struct proc_start *s, struct proc **ret, struct err *e) MUST_USE;

/* Kills it if it still runs. */
void proc_free(struct proc *p);

/*
 * NULL, or what this kernel lacks for the sandbox, in words. The caller logs
 * it: a child that is held by less must not go unnoticed.
 */
const char *proc_weak(const struct proc *p);

pid_t proc_pid(const struct proc *p);

/*
 * Readable: there is something to receive. For poll alone, beside other
 * things that are waited for; -1 once the child is gone.
 */
int proc_fd(const struct proc *p);

/*
 * As channel_send and channel_recv. A child that is gone or talks nonsense is
 * BAD_ITEM, with the cause of its death: "unpack child: killed after 60 s of
 * CPU time, its limit". AGAIN: the deadline; the child still runs.
 */
enum rc proc_send(struct proc *p, const struct message *m, int64_t deadline,
	struct err *e) MUST_USE;
enum rc proc_send_data(struct proc *p, uint32_t type, const void *data,
	size_t n, int64_t deadline, struct err *e) MUST_USE;
enum rc proc_recv(struct proc *p, struct message *m, int64_t deadline,
	struct err *e) MUST_USE;
enum rc
proc_recv_data(struct proc *p, struct message *m, uint32_t type, void *data,
	size_t n, size_t *ret_n, int64_t deadline, struct err *e) MUST_USE;

/*
 * No more messages: closes the channel and waits for the end. BAD_ITEM: it
 * ended badly, or not by the deadline and was killed.
 */
enum rc proc_end(struct proc *p, int64_t deadline, struct err *e) MUST_USE;

#endif
