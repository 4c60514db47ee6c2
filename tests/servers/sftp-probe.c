/*
 * sftp-probe - the supervisor of an SFTP child, by hand: what comes of
 * landfall/sftp.h with a server, one line for each event.
 *
 *	sftp-probe [OPTION]... PORT COMMAND [ARGUMENT]...
 *
 *	-u USER  -k KEYFILE[:PASSPHRASE]  -p PASSWORD  -a AGENT_SOCKET
 *	-f SHA256:...	the host key it must be; without it any is trusted
 *	-c N		connections (1)		-n N	files in flight
 *	-o BITS		enum sftp_old
 *	-i SECONDS	idle timeout		-A SECONDS  auth timeout
 *	-r BYTES	max_rate		-m BYTES    max_file
 *	-K SECONDS	keepalive		-q	no item and progress
 *lines
 *
 *	connect				until all are up
 *	wait SECONDS			connected, then so long
 *	list PATH [DEPTH [MAX [follow]]]
 *	fetch PATH SPOOL [OFFSET SUM WINDOW [SIZE MTIME]]
 *	mirror PATH FOLDER		list, then fetch all; "mirrored N ..."
 *	look PATH [follow]		remove PATH [SIZE MTIME]
 *	move PATH TO			put PATH FILE
 *	try PATH...			what a child in the same sandbox can do
 *with these paths and PORT: a line for each, and how it ended that tried to
 *make a socket
 *
 * Status: 0 the command was FINE; 2 it was not; 3 the connection; 1 usage.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "landfall/sftp.h"
#include "source/sftp/host-key.h"

static struct sftp_credential credentials[SFTP_CREDENTIALS_MAX];
static struct sftp_login login = {.user = "root", .credential = credentials};
static struct sftp_start start = {.source = "probe", .connections = 1};
static const char *pinned;
static unsigned old;
static int port;
static bool quiet;
static unsigned up;

static NORETURN void
die(const char *what)
{
	fprintf(stderr, "sftp-probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static NORETURN void
lost(const struct err *e)
{
	printf("lost %s\n", e->text);
	exit(3);
}

/* ---- options ---- */

static uint8_t *
read_all(const char *path, size_t *ret)
{
	uint8_t *p = mem_alloc(SFTP_SECRET_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, p, SFTP_SECRET_MAX) : -1;

	if (n < 0)
		die(path);
	close(fd);
	*ret = (size_t)n;
	return p;
}

static struct sftp_credential *
credential(enum sftp_credential_kind kind, const char *name)
{
	struct sftp_credential *c = &credentials[login.n_credentials++];

	*c = (struct sftp_credential){
		.kind = kind, .name = name, .secret = (const uint8_t *)""};
	return c;
}

static void
add_key(char *spec)
{
	struct sftp_credential *c = credential(SFTP_KEY, "key");
	char *colon = strchr(spec, ':');

	if (colon != NULL) {
		*colon = '\0';
		c->passphrase = colon + 1;
	}
	c->secret = read_all(spec, &c->len);
}

static void
add_password(const char *text)
{
	struct sftp_credential *c = credential(SFTP_PASSWORD, "password");

	c->secret = (const uint8_t *)text;
	c->len = strlen(text);
}

static void
add_agent(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct sftp_credential *c = credential(SFTP_AGENT, "agent");

	c->agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (strlen(path) >= sizeof(a.sun_path))
		die(path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (connect(c->agent, (struct sockaddr *)&a, sizeof(a)) != 0)
		die(path);
}

/* ---- events ---- */

static void
say_name(const uint8_t *name, size_t len)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_percent(&s, name, len, "/");
	printf(" %s", s.s);
}

static void
say_sum(const uint8_t *sum)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_hex(&s, sum, HASH_LEN);
	printf(" %s", s.s);
}

static void
say_attrs(const struct sftp_attrs *a)
{
	if (a->has_size)
		printf(" %" PRIu64, a->size);
	else
		printf(" -");
	if (a->has_time)
		printf(" %" PRId64, a->mtime);
	else
		printf(" -");
}

static void
say(const struct sftp_event *ev)
{
	static const char *const kinds[] = {
		"file", "folder", "symlink", "other", "unknown"};

	switch (ev->type) {
	case SFTP_HOST_KEY:
	case SFTP_UP:
		break;
	case SFTP_DOWN:
		printf("down %u %s: %s\n", ev->slot, sftp_fault_name(ev->fault),
			ev->text);
		break;
	case SFTP_ITEM:
		if (quiet)
			break;
		printf("item %s", kinds[ev->kind]);
		say_attrs(&ev->attrs);
		say_name(ev->name, ev->name_len);
		printf("\n");
		break;
	case SFTP_TROUBLE:
		printf("trouble %s", sftp_fault_name(ev->fault));
		say_name(ev->name, ev->name_len);
		printf(" %s\n", ev->text);
		break;
	case SFTP_PROGRESS:
		if (quiet)
			break;
		printf("progress %" PRIu64, ev->size);
		say_sum(ev->sum);
		printf("\n");
		break;
	case SFTP_DONE:
		if (quiet && ev->fault == SFTP_FINE)
			break;
		printf("done %s", sftp_fault_name(ev->fault));
		printf(" %" PRIu64 " %" PRIu64, ev->size, ev->received);
		say_sum(ev->sum);
		say_attrs(&ev->attrs);
		printf(" %s %" PRIu64 " %s\n", kinds[ev->kind], ev->names,
			ev->text);
		break;
	}
	fflush(stdout);
}

static void
trust(struct sftp *s, const struct sftp_event *ev)
{
	CLEANUP(str_release) struct str print = STR_INIT;
	struct err e = ERR_INIT;
	const char *type = "?";
	size_t len = 1;
	bool yes;

	host_key_add_fingerprint(&print, ev->key, ev->key_len);
	if (!host_key_type(ev->key, ev->key_len, &type, &len))
		len = 1;
	printf("key %.*s %s\n", (int)len, type, print.s);
	yes = pinned == NULL || strcmp(pinned, print.s) == 0;
	if (sftp_trust(s, ev->slot, yes ? &login : NULL, &e) != OK)
		lost(&e);
}

/* The next event that is not about the connections. */
static void
next(struct sftp *s, struct sftp_event *ev)
{
	struct err e = ERR_INIT;

	for (;;) {
		enum rc rc =
			sftp_next(s, ev, clock_mono() + 600 * CLOCK_SECOND, &e);

		if (rc != OK)
			lost(&e);
		say(ev);
		if (ev->type == SFTP_HOST_KEY) {
			trust(s, ev);
			continue;
		}
		if (ev->type == SFTP_UP) {
			printf("up %u %s %s\n", ev->slot, ev->banner,
				ev->algorithms);
			up++;
			return;
		}
		if (ev->type == SFTP_DOWN && up == 0)
			exit(3);
		if (ev->type == SFTP_DOWN)
			continue;
		return;
	}
}

static void
connect_slot(struct sftp *s, unsigned slot)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct sftp_connection c = {.slot = slot, .socket = fd, .old = old};
	struct err e = ERR_INIT;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die("connect");
	if (sftp_connect(s, &c, &e) != OK)
		lost(&e);
	close(fd);
}

static struct sftp *
bring_up(void)
{
	struct err e = ERR_INIT;
	struct sftp_event ev;
	struct sftp *s;

	if (sftp_start(&start, &s, &e) != OK)
		lost(&e);
	if (sftp_weak(s) != NULL)
		printf("weak %s\n", sftp_weak(s));
	for (unsigned i = 0; i < start.connections; i++)
		connect_slot(s, i);
	while (up < start.connections)
		next(s, &ev);
	return s;
}

/* ---- commands ---- */

static int
until_done(struct sftp *s)
{
	struct sftp_event ev;

	do
		next(s, &ev);
	while (ev.type != SFTP_DONE);
	return ev.fault == SFTP_FINE ? 0 : 2;
}

static int
spool_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	return fd;
}

static struct sftp_attrs
expected_of(char **arg)
{
	struct sftp_attrs a = {0};

	if (arg[0] == NULL || arg[1] == NULL)
		return a;
	a.has_size = a.has_time = true;
	a.size = strtoull(arg[0], NULL, 10);
	a.mtime = strtoll(arg[1], NULL, 10);
	return a;
}

#define PATH(text) (const uint8_t *)(text), strlen(text)

static enum rc
command(struct sftp *s, char **arg, struct err *e)
{
	const char *what = arg[0], *path = arg[1];
	static uint8_t sum[HASH_LEN];
	unsigned n = 0;

	while (arg[n] != NULL)
		n++;
	if (n < 2)
		return err_set(e, BROKEN, "usage");
	if (strcmp(what, "list") == 0) {
		struct sftp_list l = {.path = (const uint8_t *)path,
			.path_len = strlen(path),
			.depth = n > 2 ? (unsigned)atoi(arg[2]) : 0,
			.max_names = n > 3 ? strtoull(arg[3], NULL, 10) : 0,
			.follow = n > 4};

		return sftp_list(s, 1, &l, e);
	}
	if (strcmp(what, "fetch") == 0 && n > 2) {
		struct sftp_fetch f = {.path = (const uint8_t *)path,
			.path_len = strlen(path),
			.spool = spool_open(arg[2])};

		if (n > 5) {
			f.offset = strtoull(arg[3], NULL, 10);
			if (!str_parse_hex(arg[4], sum, HASH_LEN))
				return err_set(e, BROKEN, "usage: sum");
			f.prefix_sum = sum;
			f.window = strtoull(arg[5], NULL, 10);
			f.expected = expected_of(arg + 6);
		}
		return sftp_fetch(s, 1, &f, e);
	}
	if (strcmp(what, "look") == 0)
		return sftp_look(s, 1, PATH(path), n > 2, e);
	if (strcmp(what, "remove") == 0) {
		struct sftp_attrs a = expected_of(arg + 2);

		return sftp_remove(s, 1, PATH(path), &a, e);
	}
	if (strcmp(what, "move") == 0 && n > 2) {
		struct sftp_move m = {.path = (const uint8_t *)path,
			.path_len = strlen(path),
			.to = (const uint8_t *)arg[2],
			.to_len = strlen(arg[2]),
			.make_folders = true};

		return sftp_move(s, 1, &m, e);
	}
	if (strcmp(what, "put") == 0 && n > 2) {
		struct sftp_put p = {.path = (const uint8_t *)path,
			.path_len = strlen(path),
			.fd = spool_open(arg[2]),
			.make_folders = true};

		p.size = (uint64_t)lseek(p.fd, 0, SEEK_END);
		return sftp_put(s, 1, &p, e);
	}
	return err_set(e, BROKEN, "usage");
}

struct wanted {
	struct str name;
	struct sftp_attrs attrs;
	int fd;
};

/* Names of files below path; *ret_n of them. */
static struct wanted *
names_of(struct sftp *s, const char *path, size_t *ret_n)
{
	struct sftp_list l = {.path = (const uint8_t *)path,
		.path_len = strlen(path),
		.depth = 8};
	struct wanted *w = NULL;
	struct err e = ERR_INIT;
	struct sftp_event ev;
	size_t n = 0;

	if (sftp_list(s, 1u << 30, &l, &e) != OK)
		lost(&e);
	for (;;) {
		next(s, &ev);
		if (ev.type == SFTP_DONE)
			break;
		if (ev.type != SFTP_ITEM || ev.kind != SFTP_TYPE_FILE)
			continue;
		w = mem_resize(w, n + 1, sizeof(*w));
		w[n] = (struct wanted){.name = STR_INIT, .attrs = ev.attrs};
		str_addn(&w[n++].name, ev.name, ev.name_len);
	}
	if (ev.fault != SFTP_FINE)
		exit(2);
	*ret_n = n;
	return w;
}

static void
fetch_one(struct sftp *s, const char *path, const char *folder,
	struct wanted *w, uint64_t id)
{
	CLEANUP(str_release) struct str from = STR_INIT, to = STR_INIT;
	struct sftp_fetch f = {.expected = w->attrs};
	struct err e = ERR_INIT;

	str_addf(&from, "%s/%s", path, w->name.s);
	str_addf(&to, "%s/", folder);
	str_add_percent(&to, w->name.s, w->name.len, "");
	f.path = (const uint8_t *)from.s;
	f.path_len = from.len;
	f.spool = spool_open(to.s);
	if (sftp_fetch(s, id, &f, &e) != OK)
		lost(&e);
	close(f.spool);
}

static int
mirror(struct sftp *s, const char *path, const char *folder)
{
	size_t n, asked = 0, done = 0, fine = 0;
	struct wanted *w = names_of(s, path, &n);
	int64_t since = clock_mono();
	uint64_t bytes = 0;

	while (done < n) {
		struct sftp_event ev;

		while (asked < n && sftp_pending(s) < 250)
			fetch_one(s, path, folder, &w[asked], asked), asked++;
		next(s, &ev);
		if (ev.type != SFTP_DONE)
			continue;
		done++;
		fine += ev.fault == SFTP_FINE;
		bytes += ev.size;
	}
	while (asked > 0)
		str_release(&w[--asked].name);
	free(w);
	printf("mirrored %zu of %zu, %" PRIu64 " bytes, %.2f s\n", fine, n,
		bytes, (double)(clock_mono() - since) / CLOCK_SECOND);
	return fine == n ? 0 : 2;
}

/* ---- what the sandbox lets it do ---- */

static const char trying[] = "try";

/* Says what came of it. A socket nobody may make, and so nobody answers. */
static int
try_child(const struct child *c UNUSED)
{
	struct message *m = mem_alloc(sizeof(*m));
	struct err e = ERR_INIT;
	char path[4096];

	while (channel_recv(CHILD_CHANNEL, m, true, CHANNEL_FOREVER, &e) ==
		OK) {
		uint64_t what = m->type;

		message_take_text(m, path, sizeof(path));
		message_begin(m, (uint32_t)what);
		errno = 0;
		if (what == 1 && open(path, O_RDONLY | O_CLOEXEC) < 0)
			message_put_text(m, strerror(errno));
		else if (what == 2 && open(path, O_RDWR | O_CLOEXEC) < 0)
			message_put_text(m, strerror(errno));
		else if (what == 3 && unlink(path) < 0)
			message_put_text(m, strerror(errno));
		else if (what == 4 && truncate(path, 0) < 0)
			message_put_text(m, strerror(errno));
		else if (what == 5)
			(void)!socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (what <= 5 && m->len == 0)
			message_put_text(m, "done");
		if (channel_send(CHILD_CHANNEL, m, CHANNEL_FOREVER, &e) != OK)
			return 1;
	}
	return 0;
}

static int
try_all(char **paths)
{
	static const char *const what[] = {
		"", "read", "write", "remove", "empty", "socket"};
	struct proc_start with = {.kind = trying,
		.limits = {.memory = 64u << 20,
			.file_size = 1u << 30,
			.cpu = 60,
			.fds = 8}};
	struct message *m = mem_alloc(sizeof(*m));
	struct err e = ERR_INIT;
	struct proc *p;
	char text[200];

	if (proc_spawn(&with, &p, &e) != OK)
		lost(&e);
	for (unsigned i = 1; i <= 5; i++)
		for (char **path = paths; *path != NULL; path++) {
			message_begin(m, i);
			message_put_text(m, *path);
			if (proc_send(p, m, CHANNEL_FOREVER, &e) != OK ||
				proc_recv(p, m, CHANNEL_FOREVER, &e) != OK) {
				printf("%s: %s\n", what[i], e.text);
				return 0;
			}
			message_take_text(m, text, sizeof(text));
			printf("%s: %s\n", what[i], text);
		}
	proc_free(p);
	return 0;
}

static int
run(char **arg)
{
	struct err e = ERR_INIT;
	struct sftp *s;
	int status = 0;

	if (strcmp(arg[0], trying) == 0)
		return try_all(arg + 1);
	s = bring_up();
	if (strcmp(arg[0], "mirror") == 0 && arg[1] && arg[2]) {
		status = mirror(s, arg[1], arg[2]);
	} else if (strcmp(arg[0], "wait") == 0 && arg[1]) {
		struct sftp_event ev;

		while (sftp_next(s, &ev,
			       clock_mono() + atoi(arg[1]) * CLOCK_SECOND,
			       &e) == OK)
			say(&ev);
	} else if (strcmp(arg[0], "connect") != 0) {
		if (command(s, arg, &e) != OK) {
			fprintf(stderr, "sftp-probe: %s\n", e.text);
			return 1;
		}
		status = until_done(s);
	}
	if (sftp_end(s, clock_mono() + 60 * CLOCK_SECOND, &e) != OK)
		lost(&e);
	sftp_free(s);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct child_kind kinds[] = {
		{SFTP_CHILD, CHILD_FETCH, sftp_child, NULL},
		{trying, CHILD_FETCH, try_child, NULL}, {NULL, 0, NULL, NULL}};
	int c;

	if (child_wanted(argc, argv))
		return child_main(kinds, argv);
	while ((c = getopt(argc, argv, "u:k:p:a:f:c:n:o:i:A:r:m:K:q")) != -1) {
		switch (c) {
		case 'u':
			login.user = optarg;
			break;
		case 'k':
			add_key(optarg);
			break;
		case 'p':
			add_password(optarg);
			break;
		case 'a':
			add_agent(optarg);
			break;
		case 'f':
			pinned = optarg;
			break;
		case 'c':
			start.connections = (unsigned)atoi(optarg);
			break;
		case 'n':
			start.files = (unsigned)atoi(optarg);
			break;
		case 'o':
			old = (unsigned)atoi(optarg);
			break;
		case 'i':
			start.idle_timeout = atoi(optarg) * CLOCK_SECOND;
			break;
		case 'A':
			start.auth_timeout = atoi(optarg) * CLOCK_SECOND;
			break;
		case 'r':
			start.max_rate = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			start.max_file = strtoull(optarg, NULL, 10);
			break;
		case 'K':
			start.keepalive = atoi(optarg) * CLOCK_SECOND;
			break;
		case 'q':
			quiet = true;
			break;
		default:
			return 1;
		}
	}
	if (argc - optind < 2)
		return 1;
	port = atoi(argv[optind]);
	return run(argv + optind + 1);
}
