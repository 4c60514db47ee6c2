/*
 * tracer - runs a program and stops it at system calls that can fail.
 *
 *	tracer -l FILE PROGRAM ARG...		number its calls into FILE
 *	tracer -n N -a ACTION [-l FILE] ...	act at call N, and at no other
 *	tracer -g PROGRAM ARG...		ask before each call
 *
 * ACTION is a decimal errno (the call is not made and fails with it),
 * "late:" and an errno (the call is made, and then said to have failed),
 * "short" (half of the bytes asked for are read or written) or "kill"
 * (SIGKILL before the call).
 *
 * With -g each call is a line on descriptor 3, answered on descriptor 4 by
 * one byte: 'g' go on, 'k' kill.
 *
 * Calls are numbered through all threads, from 1; strace(1) can count only
 * by thread, so that the first write of a second thread could never fail
 * alone. Numbering starts at the first path outside of the system's own
 * directories: what the loader does is not ours to test. A line is
 *
 *	N THREAD CALL PATH
 *
 * Exit status: the program's, or 128 and the signal; 125 for our own
 * failures. Only calls in the table stop the program (a seccomp filter picks
 * them), so that the others cost nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "tracer: written for x86-64 registers"
#endif

#define OURS 125 /* exit status of our own failures */

enum shape {
	PATH0, /* argument 0 is a path, 1 is one, ... */
	PATH1,
	PATH3,
	FD,    /* argument 0 is a descriptor */
	FD_RW, /* and argument 2 is a count of bytes */
};

static const struct call {
	long number;
	const char *name;
	enum shape shape;
} calls[] = {
	{SYS_open, "open", PATH0},
	{SYS_openat, "openat", PATH1},
	{SYS_read, "read", FD_RW},
	{SYS_pread64, "pread64", FD_RW},
	{SYS_write, "write", FD_RW},
	{SYS_pwrite64, "pwrite64", FD_RW},
	{SYS_getdents64, "getdents64", FD},
	{SYS_newfstatat, "newfstatat", PATH1},
	{SYS_stat, "stat", PATH0},
	{SYS_lseek, "lseek", FD},
	{SYS_fsync, "fsync", FD},
	{SYS_fdatasync, "fdatasync", FD},
	{SYS_syncfs, "syncfs", FD},
	{SYS_ftruncate, "ftruncate", FD},
	{SYS_fallocate, "fallocate", FD},
	{SYS_fchmod, "fchmod", FD},
	{SYS_close, "close", FD},
	{SYS_flock, "flock", FD},
	{SYS_fcntl, "fcntl", FD},
	{SYS_rename, "rename", PATH1},
	{SYS_renameat, "renameat", PATH3},
	{SYS_renameat2, "renameat2", PATH3},
	{SYS_link, "link", PATH1},
	{SYS_linkat, "linkat", PATH3},
	{SYS_mkdir, "mkdir", PATH0},
	{SYS_mkdirat, "mkdirat", PATH1},
	{SYS_rmdir, "rmdir", PATH0},
	{SYS_unlink, "unlink", PATH0},
	{SYS_unlinkat, "unlinkat", PATH1},
};
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

enum action { NONE, FAIL, LATE, SHORT, KILL };

static struct {
	pid_t program;
	FILE *log;
	bool gate;
	unsigned long at; /* 0: nowhere */
	enum action action;
	int error;
	unsigned long count;
	bool started;
	pid_t late; /* the thread whose call is being made */
} t;

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
	if (t.program > 0)
		kill(t.program, SIGKILL);
	exit(OURS);
}

/* ---- the program ---- */

static void
stop_at_calls(void)
{
	struct sock_filter code[N_CALLS + 5];
	struct sock_fprog filter = {.filter = code};
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, N_CALLS + 1);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < N_CALLS; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number,
			(unsigned char)(N_CALLS - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	filter.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		die("seccomp");
}

static void
start(char **argv)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |
		PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
		PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	int status;

	t.program = fork();
	if (t.program < 0)
		die("fork");
	if (t.program == 0) {
		if (t.gate) {
			close(3);
			close(4);
		}
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			die("ptrace");
		raise(SIGSTOP);
		stop_at_calls();
		execv(argv[0], argv);
		die(argv[0]);
	}
	if (waitpid(t.program, &status, 0) < 0 || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, t.program, 0, options) < 0 ||
		ptrace(PTRACE_CONT, t.program, 0, 0) < 0)
		die("start");
}

/* ---- what a call is about ---- */

static const struct call *
find(long number)
{
	for (size_t i = 0; i < N_CALLS; i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

static void
read_text(pid_t pid, unsigned long address, char *text, size_t size)
{
	struct iovec to = {.iov_base = text, .iov_len = size - 1};
	struct iovec from = {.iov_base = (void *)address, .iov_len = size - 1};
	size_t page = 4096 - address % 4096;
	ssize_t n;

	/* Up to the page's end first: what follows may not be there. */
	if (from.iov_len > page)
		from.iov_len = page;
	n = process_vm_readv(pid, &to, 1, &from, 1, 0);
	if (n < 0)
		n = 0;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static void
subject(pid_t pid, const struct call *c, const struct user_regs_struct *r,
	char *text, size_t size)
{
	const unsigned long argument[] = {r->rdi, r->rsi, r->rdx, r->r10};
	char link[64];
	ssize_t n;

	text[0] = '\0';
	if (c->shape < FD) {
		read_text(pid, argument[c->shape == PATH3 ? 3 : c->shape], text,
			size);
		return;
	}
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, (int)r->rdi);
	n = readlink(link, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
}

static bool
is_ours(const struct call *c, const char *path)
{
	static const char *const others[] = {
		"/lib", "/usr/", "/etc/", "/proc/", "/sys/", "/dev/"};

	if (c->shape >= FD || path[0] == '\0' || strstr(path, ".so") != NULL)
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(path, others[i], strlen(others[i])) == 0)
			return false;
	return true;
}

/* ---- acting ---- */

static void
resume(pid_t pid, int signal)
{
	/* It may have been killed meanwhile. */
	if (ptrace(PTRACE_CONT, pid, 0, (long)signal) < 0 && errno != ESRCH)
		die("continue");
}

static void
set_registers(pid_t pid, struct user_regs_struct *r)
{
	if (ptrace(PTRACE_SETREGS, pid, 0, r) < 0 && errno != ESRCH)
		die("registers");
}

static void
act(pid_t pid, const struct call *c, struct user_regs_struct *r)
{
	switch (t.action) {
	case FAIL:
		r->orig_rax = (unsigned long long)-1;
		r->rax = (unsigned long long)-(long long)t.error;
		set_registers(pid, r);
		break;
	case SHORT:
		/* Another call than last time: its arguments mean others. */
		if (c->shape == FD_RW && r->rdx > 1) {
			r->rdx /= 2;
			set_registers(pid, r);
		}
		break;
	case LATE:
		t.late = pid;
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0)
			die("late");
		return;
	case KILL:
		/*
		 * A call that SIGKILL finds is not made. One of a child's
		 * goes on: that finds out by itself that it is alone.
		 */
		kill(t.program, SIGKILL);
		break;
	case NONE:
		break;
	}
	resume(pid, 0);
}

/* false: the one who was asked says kill. */
static bool
ask(const char *line, size_t len)
{
	char answer = 'k';

	if (write(3, line, len) != (ssize_t)len || read(4, &answer, 1) != 1)
		return false;
	return answer == 'g';
}

static void
at_call(pid_t pid)
{
	struct user_regs_struct r;
	const struct call *c;
	char path[512], line[600];
	bool wanted;
	int len;

	if (ptrace(PTRACE_GETREGS, pid, 0, &r) < 0) {
		if (errno == ESRCH)
			return;
		die("registers");
	}
	c = find((long)r.orig_rax);
	if (c == NULL) {
		resume(pid, 0);
		return;
	}
	wanted = !t.started || t.gate || (t.log != NULL && t.at == 0) ||
		t.count + 1 == t.at;
	if (wanted)
		subject(pid, c, &r, path, sizeof(path));
	if (!t.started && !is_ours(c, path)) {
		resume(pid, 0);
		return;
	}
	t.started = true;
	t.count++;
	if (!wanted || (t.at != 0 && t.count != t.at)) {
		resume(pid, 0);
		return;
	}
	len = snprintf(line, sizeof(line), "%lu %d %s %s\n", t.count,
		(int)(pid - t.program), c->name, path);
	if (t.log != NULL)
		fwrite(line, 1, (size_t)len, t.log);
	/* Whoever ends a hung run by force still wants to know where. */
	if (t.log != NULL && t.at != 0)
		fflush(t.log);
	if (t.gate && !ask(line, (size_t)len)) {
		kill(t.program, SIGKILL);
		return;
	}
	if (t.count == t.at)
		act(pid, c, &r);
	else
		resume(pid, 0);
}

static void
after_call(pid_t pid)
{
	struct user_regs_struct r;

	if (pid == t.late && ptrace(PTRACE_GETREGS, pid, 0, &r) == 0) {
		r.rax = (unsigned long long)-(long long)t.error;
		set_registers(pid, &r);
		t.late = 0;
	}
	resume(pid, 0);
}

static int
watch(void)
{
	int status, result = OURS;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			if (pid == t.program)
				result = WIFEXITED(status)
					? WEXITSTATUS(status)
					: 128 + WTERMSIG(status);
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			at_call(pid);
		else if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			after_call(pid);
		else if (status >> 16 != 0 || WSTOPSIG(status) == SIGTRAP ||
			WSTOPSIG(status) == SIGSTOP)
			resume(pid, 0); /* a thread began */
		else
			resume(pid, WSTOPSIG(status));
	}
	return result;
}

static void
parse_action(const char *text)
{
	if (strcmp(text, "kill") == 0) {
		t.action = KILL;
	} else if (strcmp(text, "short") == 0) {
		t.action = SHORT;
	} else {
		t.action = strncmp(text, "late:", 5) == 0 ? LATE : FAIL;
		t.error = atoi(text + (t.action == LATE ? 5 : 0));
	}
}

int
main(int argc, char **argv)
{
	int option, result;

	while ((option = getopt(argc, argv, "+l:n:a:g")) != -1) {
		switch (option) {
		case 'l':
			t.log = fopen(optarg, "we");
			if (t.log == NULL)
				die(optarg);
			break;
		case 'n':
			t.at = strtoul(optarg, NULL, 10);
			break;
		case 'a':
			parse_action(optarg);
			break;
		case 'g':
			t.gate = true;
			break;
		default:
			return OURS;
		}
	}
	if (optind == argc)
		return OURS;
	start(argv + optind);
	result = watch();
	if (t.log != NULL && fclose(t.log) != 0)
		die("log");
	return result;
}
