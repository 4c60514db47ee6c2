/*
 * The system call filter, as a table. What is not in it fails with ENOSYS,
 * as on a kernel that never heard of it, so that a libc newer than the table
 * falls back to what it did before.
 */
#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proc/sandbox.h"
#include "proc/sanitized.h"

/* The channel; what it was given; last words on stderr. */
static const int talk[] = {SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64),
	SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(close), SCMP_SYS(write),
	SCMP_SYS(writev)};

/* Sockets and files it was given. */
static const int transfer[] = {SCMP_SYS(pwrite64), SCMP_SYS(ftruncate),
	SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(shutdown), SCMP_SYS(fcntl), SCMP_SYS(select),
	SCMP_SYS(pselect6)};

/*
 * libcurl connects a socket even when it is told that it is connected; "under
 * way" makes it look, and see that it is so. And it would wake itself from
 * other threads, by a pair that it can do without.
 */
static const int connected[] = {SCMP_SYS(connect)};
static const int pair[] = {SCMP_SYS(socketpair)};

/* Memory, time, chance, and the end. */
static const int compute[] = {SCMP_SYS(brk), SCMP_SYS(mremap), SCMP_SYS(munmap),
	SCMP_SYS(madvise), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(futex),
	SCMP_SYS(sched_yield), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* Memory too, but never to be executed. */
static const int map[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

/* Libraries look for files of theirs, and do without. */
static const int look[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(uname)};

/* Nothing of ours does these. Whoever does is not us any more. */
static const int intrude[] = {SCMP_SYS(execve), SCMP_SYS(execveat),
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(kill),
	SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(socket), SCMP_SYS(bind),
	SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
	SCMP_SYS(io_uring_setup), SCMP_SYS(memfd_create),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(unshare),
	SCMP_SYS(setns), SCMP_SYS(setuid), SCMP_SYS(setgid),
	SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setrlimit),
	SCMP_SYS(bpf), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(reboot)};

/* What a sanitizer's run-time part needs to start and to report. */
static const int report[] = {
	SCMP_SYS(sched_getaffinity), SCMP_SYS(getrlimit), SCMP_SYS(tgkill)};

#define UNPACK (1u << CHILD_UNPACK)
#define FETCH (1u << CHILD_FETCH)
#define CALLS(calls) (calls), ARRAY_LEN(calls)

static const struct group {
	const int *call;
	size_t n;
	unsigned profiles;
	uint32_t action;
	bool no_code; /* only without PROT_EXEC in the third argument */
} groups[] = {
	{CALLS(talk), UNPACK | FETCH, SCMP_ACT_ALLOW, false},
	{CALLS(transfer), FETCH, SCMP_ACT_ALLOW, false},
	{CALLS(connected), FETCH, SCMP_ACT_ERRNO(EINPROGRESS), false},
	{CALLS(pair), FETCH, SCMP_ACT_ERRNO(EACCES), false},
	{CALLS(connected), UNPACK, SCMP_ACT_KILL_PROCESS, false},
	{CALLS(pair), UNPACK, SCMP_ACT_KILL_PROCESS, false},
	{CALLS(compute), UNPACK | FETCH, SCMP_ACT_ALLOW, false},
	{CALLS(map), UNPACK | FETCH, SCMP_ACT_ALLOW, true},
	{CALLS(look), UNPACK | FETCH, SCMP_ACT_ERRNO(EACCES), false},
	{CALLS(intrude), UNPACK | FETCH, SCMP_ACT_KILL_PROCESS, false},
	{CALLS(report), SANITIZED ? UNPACK | FETCH : 0, SCMP_ACT_ALLOW, false},
};

static int
add(scmp_filter_ctx filter, const struct group *g)
{
	const struct scmp_arg_cmp no_code = {.arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = PROT_EXEC,
		.datum_b = 0};
	int rc = 0;

	for (size_t i = 0; i < g->n && rc == 0; i++)
		rc = seccomp_rule_add_array(filter, g->action, g->call[i],
			g->no_code ? 1 : 0, &no_code);
	return rc;
}

/* abort() and failed assertions signal this very process, nobody else. */
static int
add_abort(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp own = {
		.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()};

	return seccomp_rule_add_array(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own);
}

enum rc
sandbox_filter(enum child_profile profile, struct err *e)
{
	scmp_filter_ctx filter;
	int rc;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		err_sys(e, END, errno, "this kernel has no system call filter");
		return END;
	}
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL)
		return err_set(e, BROKEN, "sandbox: seccomp_init failed");
	/* A call of another architecture's table has another meaning. */
	rc = seccomp_attr_set(
		filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < ARRAY_LEN(groups) && rc == 0; i++)
		if (groups[i].profiles & (1u << profile))
			rc = add(filter, &groups[i]);
	if (rc == 0)
		rc = add_abort(filter);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc != 0)
		return err_sys(e, BROKEN, -rc, "sandbox: system call filter");
	return OK;
}
