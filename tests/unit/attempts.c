#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"

static int
told(long rc)
{
	return rc >= 0 ? 0 : errno;
}

/* Descriptors are left to the end of the process, which is near. */
static int
open_read(pid_t victim UNUSED)
{
	return told(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int
open_directory(pid_t victim UNUSED)
{
	return told(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int
open_path(pid_t victim UNUSED)
{
	return told(open("/", O_PATH | O_CLOEXEC));
}

static int
open_relative(pid_t victim UNUSED)
{
	return told(openat(AT_FDCWD, ".", O_RDONLY | O_CLOEXEC));
}

static int
open_nameless(pid_t victim UNUSED)
{
	return told(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

static int
open_how(pid_t victim UNUSED)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};

	return told(syscall(
		SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how)));
}

static int
create_file(pid_t victim UNUSED)
{
	return told(creat("/tmp/landfall-escaped", 0600));
}

static int
create_device(pid_t victim UNUSED)
{
	return told(mknod("/tmp/landfall-escaped", S_IFIFO | 0600, 0));
}

static int
make_directory(pid_t victim UNUSED)
{
	return told(mkdir("/tmp/landfall-escaped", 0700));
}

static int
make_link(pid_t victim UNUSED)
{
	return told(symlink("/etc/passwd", "/tmp/landfall-escaped"));
}

static int
look_at(pid_t victim UNUSED)
{
	struct stat st;

	return told(stat("/etc/passwd", &st));
}

static int
change_mode(pid_t victim UNUSED)
{
	return told(chmod("/tmp", 01777));
}

static int
change_directory(pid_t victim UNUSED)
{
	return told(chdir("/"));
}

static int
change_root(pid_t victim UNUSED)
{
	return told(chroot("/"));
}

static int
remove_file(pid_t victim UNUSED)
{
	return unlink("/tmp/landfall-is-not-there") == 0 || errno == ENOENT
		? 0
		: errno;
}

static int
socket_tcp(pid_t victim UNUSED)
{
	return told(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
socket_udp(pid_t victim UNUSED)
{
	return told(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int
socket_unix(pid_t victim UNUSED)
{
	return told(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
socket_pair(pid_t victim UNUSED)
{
	int fd[2];

	return told(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
}

/* With the only socket there is: its channel, or outside none. */
static int
connect_tcp(pid_t victim UNUSED)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(22),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return told(connect(3, (struct sockaddr *)&a, sizeof(a)));
}

static int
connect_unix(pid_t victim UNUSED)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

	return told(connect(3, (struct sockaddr *)&a, sizeof(a)));
}

static int
bind_unix(pid_t victim UNUSED)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0x"};

	return told(bind(3, (struct sockaddr *)&a, sizeof(a)));
}

static int
gone(pid_t pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return told(pid);
}

static int
fork_it(pid_t victim UNUSED)
{
	return gone((pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int
fork_by_libc(pid_t victim UNUSED)
{
	return gone(fork());
}

static int
fork_newly(pid_t victim UNUSED)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal,
			stack, stack_size, tls;
	} how = {.exit_signal = SIGCHLD};

	return gone((pid_t)syscall(435 /* clone3 */, &how, sizeof(how)));
}

static int
execute(pid_t victim UNUSED)
{
	char name[] = "true";
	char *argv[] = {name, NULL}, *none[] = {NULL};

	execve("/bin/true", argv, none);
	return errno;
}

static int
execute_at(pid_t victim UNUSED)
{
	char name[] = "true";
	char *argv[] = {name, NULL}, *none[] = {NULL};

	return told(
		syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, none, 0));
}

static int
kill_victim(pid_t victim)
{
	return told(kill(victim, SIGTERM));
}

static int
ask_for_victim(pid_t victim)
{
	return told(kill(victim, 0));
}

static int
kill_by_thread(pid_t victim)
{
	return told(syscall(SYS_tgkill, victim, victim, SIGTERM));
}

static int
kill_with_value(pid_t victim)
{
	return told(sigqueue(victim, SIGTERM, (union sigval){0}));
}

static int
hold_victim(pid_t victim)
{
	return told(syscall(SYS_pidfd_open, victim, 0));
}

static int
trace_victim(pid_t victim)
{
	return told(ptrace(PTRACE_SEIZE, victim, NULL, NULL));
}

static int
read_victim(pid_t victim)
{
	char c;
	struct iovec to = {&c, 1}, from = {&c, 1};

	return told(process_vm_readv(victim, &to, 1, &from, 1, 0));
}

static int
limit_victim(pid_t victim)
{
	struct rlimit r = {1, 1};

	return told(prlimit(victim, RLIMIT_CPU, &r, NULL));
}

static int
map_code(pid_t victim UNUSED)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? 0 : errno;
}

static int
turn_into_code(pid_t victim UNUSED)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	return told(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
file_in_memory(pid_t victim UNUSED)
{
	return told(memfd_create("x", MFD_CLOEXEC));
}

static int
segment(pid_t victim UNUSED)
{
	return told(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
}

static int
raise_limit(pid_t victim UNUSED)
{
	struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};

	return told(setrlimit(RLIMIT_CPU, &r));
}

static int
become_traceable(pid_t victim UNUSED)
{
	return told(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
become_root(pid_t victim UNUSED)
{
	return told(setuid(0));
}

static int
own_namespace(pid_t victim UNUSED)
{
	return told(unshare(CLONE_NEWUSER));
}

static int
mount_it(pid_t victim UNUSED)
{
	return told(mount("none", "/proc", "tmpfs", 0, NULL));
}

static int
ring(pid_t victim UNUSED)
{
	uint8_t parameters[120] = {0};

	return told(syscall(425 /* io_uring_setup */, 1, parameters));
}

static int
program_the_kernel(pid_t victim UNUSED)
{
	uint8_t attr[16] = {0};

	return told(syscall(SYS_bpf, 0 /* map */, attr, sizeof(attr)));
}

static int
own_keys(pid_t victim UNUSED)
{
	return told(syscall(SYS_keyctl, 0, -3 /* session */, 1));
}

static int
push_input(pid_t victim UNUSED)
{
	return told(syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"));
}

const struct attempt attempts[] = {
	{"open a file", open_read, true},
	{"open a directory", open_directory, true},
	{"open a path", open_path, true},
	{"open where it stands", open_relative, true},
	{"open a file without a name", open_nameless, false},
	{"open by openat2", open_how, true},
	{"create a file", create_file, false},
	{"create a pipe", create_device, false},
	{"make a directory", make_directory, false},
	{"make a link", make_link, false},
	{"stat a file", look_at, true},
	{"change a mode", change_mode, false},
	{"change its directory", change_directory, true},
	{"change its root", change_root, false},
	{"remove a file", remove_file, true},
	{"make a TCP socket", socket_tcp, true},
	{"make a UDP socket", socket_udp, true},
	{"make a unix socket", socket_unix, true},
	{"make a pair of sockets", socket_pair, true},
	{"connect to a port", connect_tcp, false},
	{"connect to a unix socket", connect_unix, false},
	{"bind its socket", bind_unix, false},
	{"fork", fork_it, true},
	{"fork as libc does", fork_by_libc, true},
	{"fork by clone3", fork_newly, false},
	{"execute", execute, false},
	{"execute at", execute_at, false},
	{"kill its parent", kill_victim, false},
	{"ask for its parent", ask_for_victim, true},
	{"kill its parent's thread", kill_by_thread, false},
	{"kill its parent with a value", kill_with_value, false},
	{"hold its parent", hold_victim, true},
	{"trace its parent", trace_victim, false},
	{"read its parent's memory", read_victim, false},
	{"limit its parent", limit_victim, false},
	{"map code", map_code, true},
	{"turn memory into code", turn_into_code, true},
	{"make a file in memory", file_in_memory, true},
	{"make a shared segment", segment, false},
	{"raise its limits", raise_limit, false},
	{"become traceable", become_traceable, true},
	{"become root", become_root, false},
	{"make a namespace", own_namespace, false},
	{"mount", mount_it, false},
	{"make a ring", ring, false},
	{"program the kernel", program_the_kernel, false},
	{"have keys", own_keys, false},
	{"push input", push_input, false},
	{NULL, NULL, false},
};
