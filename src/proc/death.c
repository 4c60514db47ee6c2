#include "proc/death.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

static const struct {
	int signal;
	const char *text;
} deaths[] = {
	{SIGSYS, "killed by SIGSYS: the sandbox refused a system call"},
	{SIGSEGV, "crashed (SIGSEGV)"},
	{SIGBUS, "crashed (SIGBUS)"},
	{SIGILL, "crashed (SIGILL)"},
	{SIGFPE, "crashed (SIGFPE)"},
	{SIGTRAP, "crashed (SIGTRAP)"},
	{SIGABRT, "aborted (SIGABRT), for want of memory or found damaged"},
	{SIGXFSZ, "wrote a file beyond its limit (SIGXFSZ)"},
	/* Nobody of ours: those we kill are told by `ours`. */
	{SIGKILL,
		"killed by SIGKILL: by the system for want of memory, or "
		"by somebody"},
};

void
death_describe(struct str *s, const siginfo_t *info,
	const struct proc_limits *l, const char *ours)
{
	if (info->si_code == CLD_EXITED) {
		str_addf(s, "ended with status %d", info->si_status);
		return;
	}
	if (info->si_status == SIGXCPU) {
		str_addf(s, "used up its %" PRIu64 " s of CPU time", l->cpu);
		return;
	}
	if (info->si_status == SIGKILL && ours != NULL) {
		str_addf(s, "killed: %s", ours);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(deaths); i++) {
		if (deaths[i].signal == info->si_status) {
			str_add(s, deaths[i].text);
			return;
		}
	}
	str_addf(s, "killed by signal %d", info->si_status);
}
