/*
 * Landlock, by its system calls: libc has no wrappers, and the kernel headers
 * of a stable distribution are older than the kernels it meets.
 * https://docs.kernel.org/userspace-api/landlock.html
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/sandbox.h"

/* The calls have the same number on every architecture. */
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446
#define GET_VERSION 1u /* flag of CREATE_RULESET */

/* What a ruleset speaks about; what it speaks about and no rule allows is
 * refused. Each version of the interface knows more. */
struct ruleset {
	uint64_t fs;
	uint64_t net;	 /* from version 4 */
	uint64_t scoped; /* from version 6 */
};

static const struct {
	int version;
	size_t size;
	struct ruleset all;
} versions[] = {
	/* execute .. make_sym */
	{1, 8, {.fs = (1u << 13) - 1}},
	/* refer: link and rename across directories */
	{2, 8, {.fs = (1u << 14) - 1}},
	/* truncate */
	{3, 8, {.fs = (1u << 15) - 1}},
	/* bind, connect TCP */
	{4, 16, {.fs = (1u << 15) - 1, .net = 3}},
	/* ioctl of devices */
	{5, 16, {.fs = (1u << 16) - 1, .net = 3}},
	/* abstract unix sockets, signals */
	{6, 24, {.fs = (1u << 16) - 1, .net = 3, .scoped = 3}},
};

/* What a rule says of one folder or file and what is below it. */
struct beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

enum {
	BENEATH = 1,			 /* kind of rule */
	READ = 1 << 0 | 1 << 2 | 1 << 3, /* execute, read files and folders */
	MAKE_DEVICE = 1 << 6 | 1 << 11,
	OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15,
};

static enum rc
find_version(size_t *ret, struct err *e)
{
	long version = syscall(CREATE_RULESET, NULL, 0, GET_VERSION);
	size_t i = ARRAY_LEN(versions);

	if (version < 1) {
		err_sys(e, END, version < 0 ? errno : ENOSYS,
			"this kernel has no Landlock");
		return END;
	}
	while (i > 1 && versions[i - 1].version > version)
		i--;
	*ret = i - 1;
	return OK;
}

enum rc
sandbox_has_landlock(struct err *e)
{
	size_t i;

	return find_version(&i, e);
}

/* Rights of folders mean nothing for a file, and are refused there. */
static enum rc
allow(int ruleset, const int *fds, size_t n, uint64_t rights, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct beneath rule = {.allowed = rights, .parent = fds[i]};
		struct stat st;

		if (fstat(fds[i], &st) != 0)
			return err_sys(e, BROKEN, errno, "sandbox: fstat");
		if (!S_ISDIR(st.st_mode))
			rule.allowed &= OF_FILES;
		if (syscall(ADD_RULE, ruleset, BENEATH, &rule, 0) != 0)
			return err_sys(
				e, BROKEN, errno, "sandbox: Landlock rule");
	}
	return OK;
}

enum rc
sandbox_landlock_but(const struct proc_confine *c, struct err *e)
{
	size_t i = 0;
	enum rc rc = find_version(&i, e);
	uint64_t all;
	int fd;

	if (rc != OK)
		return rc;
	all = versions[i].all.fs;
	fd = (int)syscall(
		CREATE_RULESET, &versions[i].all, versions[i].size, 0);
	if (fd < 0)
		return err_sys(e, BROKEN, errno, "sandbox: Landlock ruleset");
	rc = allow(fd, c->readable, c->n_readable, all & READ, e);
	if (rc == OK)
		rc = allow(fd, c->writable, c->n_writable,
			all & ~(uint64_t)MAKE_DEVICE, e);
	if (rc == OK && syscall(RESTRICT_SELF, fd, 0) != 0)
		rc = err_sys(e, BROKEN, errno, "sandbox: Landlock");
	close(fd);
	return rc;
}

enum rc
sandbox_landlock(struct err *e)
{
	const struct proc_confine nothing = {.n_readable = 0};

	return sandbox_landlock_but(&nothing, e);
}
