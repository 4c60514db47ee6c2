/*
 * Walls around a program that is not ours. What it needs cannot be listed, so
 * the system call filter lists what it may not: what reaches the kernel's
 * rarer parts, other processes, and the network.
 */
#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "proc/sandbox.h"

/* Fail as they do for who has no right to them. */
static const int forbidden[] = {SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(open_tree),
	SCMP_SYS(fsmount), SCMP_SYS(mount_setattr), SCMP_SYS(chroot),
	SCMP_SYS(pivot_root), SCMP_SYS(unshare), SCMP_SYS(setns),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct),
	SCMP_SYS(quotactl), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex), SCMP_SYS(personality), SCMP_SYS(mknod),
	SCMP_SYS(mknodat)};

static int
add_forbidden(scmp_filter_ctx filter)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(forbidden) && rc == 0; i++)
		rc = seccomp_rule_add_array(
			filter, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0, NULL);
	return rc;
}

/* Sockets of every family, or of every one but that of paths. */
static int
add_sockets(scmp_filter_ctx filter, bool unix_sockets)
{
	const struct scmp_arg_cmp other = {
		.arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX};

	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES),
		SCMP_SYS(socket), unix_sockets ? 1 : 0, &other);
}

static enum rc
confine_calls(const struct proc_confine *c, struct err *e)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (filter == NULL)
		return err_set(e, BROKEN, "sandbox: seccomp_init failed");
	rc = seccomp_attr_set(
		filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = add_forbidden(filter);
	if (rc == 0)
		rc = add_sockets(filter, c->unix_sockets);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc != 0)
		return err_sys(e, BROKEN, -rc, "sandbox: system call filter");
	return OK;
}

enum rc
proc_confine(const struct proc_confine *c, struct err *e)
{
	enum rc rc;

	/* Already so in a child; what follows depends on it. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_sys(e, BROKEN, errno, "sandbox: prctl");
	rc = sandbox_landlock_but(c, e);
	if (rc != OK && rc != END)
		return rc;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		return OK;
	return confine_calls(c, e);
}
