#include "proc/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "proc/sanitized.h"

enum {
	STATM_MAX = 256,
	RESERVED = 8, /* addresses for each byte that is used */
	FDS_FIRST = CHILD_FDS + CHILD_FDS_MAX,
	FDS_MORE = 8, /* when nobody says how many come with messages */
};

static enum rc
limit(int what, const char *name, uint64_t soft, uint64_t hard, struct err *e)
{
	struct rlimit r = {.rlim_cur = soft, .rlim_max = hard};

	if (setrlimit((__rlimit_resource_t)what, &r) != 0)
		return err_sys(e, BROKEN, errno, "sandbox: limit of %s", name);
	return OK;
}

/* What the program itself takes of the address space. */
static enum rc
own_size(uint64_t *ret, struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	uint64_t pages;
	size_t len = 0;

	if (io_read_file(AT_FDCWD, "/proc/self/statm", STATM_MAX, &s, BROKEN,
		    e) != OK)
		return err_set(e, BROKEN, "sandbox: /proc is not mounted");
	while (len < s.len && s.s[len] != ' ')
		len++;
	if (!str_parse_u64(s.s, len, &pages))
		return err_set(e, BROKEN, "sandbox: /proc/self/statm: %s", s.s);
	*ret = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return OK;
}

static enum rc
drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	/* Ambient and bounding sets matter only to who executes something. */
	if (syscall(SYS_capset, &h, none) != 0)
		return err_sys(e, BROKEN, errno, "sandbox: capabilities");
	return OK;
}

enum rc
sandbox_limit(
	enum child_profile profile, const struct proc_limits *l, struct err *e)
{
	uint64_t size = 0;
	uint64_t first = l->memory;
	uint64_t most = l->widened > first ? l->widened : first;
	uint64_t fds = FDS_FIRST + (l->fds > 0 ? l->fds : FDS_MORE);

	if (own_size(&size, e) != OK)
		return e->code;
	/* Programs in Go reserve far more addresses than they use: what they
	 * may write to is counted, and addresses only kept within reason. */
	if (profile == CHILD_RUN && !SANITIZED) {
		if (limit(RLIMIT_DATA, "memory", first, first, e) != OK)
			return e->code;
		first *= RESERVED;
		most *= RESERVED;
	}
	/* Sanitizers reserve terabytes and never touch them. Which of the two
	 * holds is the supervisor's to say: the filter has no setrlimit. */
	if (!SANITIZED &&
		limit(RLIMIT_AS, "memory", size + first, size + most, e) != OK)
		return e->code;
	/* SIGXCPU first; whoever survives that is killed. */
	if (limit(RLIMIT_CPU, "CPU time", l->cpu, l->cpu + 2, e) != OK ||
		limit(RLIMIT_FSIZE, "file size", l->file_size, l->file_size,
			e) != OK ||
		limit(RLIMIT_NOFILE, "descriptors", fds, fds, e) != OK ||
		limit(RLIMIT_CORE, "core files", 0, 0, e) != OK)
		return e->code;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_sys(e, BROKEN, errno, "sandbox: prctl");
	return drop_capabilities(e);
}

static void
lacks(struct str *weak, const struct err *e)
{
	if (weak->len > 0)
		str_add(weak, "; ");
	str_add(weak, e->text);
}

enum rc
sandbox_enter(enum child_profile profile, const struct proc_limits *l,
	struct str *weak, struct err *e)
{
	enum rc rc = sandbox_limit(profile, l, e);

	if (rc == OK && profile == CHILD_RUN) {
		/* Its walls come with the program: proc_confine. */
		rc = sandbox_has_landlock(e);
		if (rc == END)
			lacks(weak, e);
		return OK;
	}
	if (rc == OK) {
		rc = sandbox_landlock(e);
		if (rc == END) {
			lacks(weak, e);
			rc = OK;
		}
	}
	if (rc == OK) {
		rc = sandbox_filter(profile, e);
		if (rc == END) {
			lacks(weak, e);
			rc = OK;
		}
	}
	return rc;
}
