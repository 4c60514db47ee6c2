/*
 * one - takes archives apart through unpack.h, as the daemon does, and says
 * what it saw: one JSON object a line for each member, then one for the end.
 * Nothing is written anywhere.
 *
 *	one [OPTION...] FILE...
 *
 *	--spool DIR	for archives inside; default: none
 *	--password FILE	its bytes are the password
 *	--depth N --members N --total N --member N --ratio N --name N
 *	--cpu S --wall S --memory N --free N	limits
 *	--number	names that come again are numbered
 *	--keep		archives below the depth are files
 *	--skip		members are not read
 *	--quiet		the end only
 *	--rate		no sums; at the end, the time it took
 *
 * Ends with 0 when all ended, however.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "landfall/proc.h"
#include "landfall/unpack.h"
#include "late/archive.h"
#include "proc/sanitized.h"

enum { PIECE = 256 << 10 };

static struct unpack_options o = {.spool = -1, .limits = UNPACK_LIMITS_DEFAULT};
static struct str out = STR_INIT, password = STR_INIT;
static int skip, quiet, rate, number, keep;
static uint8_t piece[PIECE];

static const char *const types[] = {"file", "archive", "folder", "finding"};

static void
print(void)
{
	str_addc(&out, '\n');
	fwrite(out.s, 1, out.len, stdout);
	str_clear(&out);
}

static void
failed(struct jsonw *j, enum rc rc, const struct err *e)
{
	jsonw_key(j, "failed"), jsonw_text(j, err_name(rc));
	jsonw_key(j, "text"), jsonw_text(j, e->text);
}

static enum rc
read_file(struct unpack *u, struct jsonw *j, uint64_t *total, struct err *e)
{
	uint8_t sum[HASH_LEN];
	struct hash h;
	uint64_t size = 0;
	size_t got;
	enum rc rc;

	hash_init(&h);
	do {
		got = 0;
		rc = unpack_read(u, piece, sizeof(piece), &got, e);
		if (!rate)
			hash_add(&h, piece, got);
		size += got;
	} while (rc == OK && got == sizeof(piece));
	hash_end(&h, sum);
	*total += size;
	if (rc != OK) {
		failed(j, rc, e);
		return rc;
	}
	jsonw_key(j, "bytes"), jsonw_u64(j, size);
	jsonw_key(j, "sha256"), jsonw_hex(j, sum, sizeof(sum));
	return OK;
}

static void
say_member(struct jsonw *j, const struct unpack_member *m)
{
	jsonw_object(j);
	jsonw_key(j, "type"), jsonw_text(j, types[m->type]);
	jsonw_key(j, "name"), jsonw_percent(j, m->name, m->name_len);
	jsonw_key(j, "nth"), jsonw_u64(j, m->nth);
	if (m->size != UNPACK_UNKNOWN)
		jsonw_key(j, "size"), jsonw_u64(j, m->size);
	if (m->has_mtime)
		jsonw_key(j, "mtime"), jsonw_time_ns(j, m->mtime);
	if (m->finding != NULL)
		jsonw_key(j, "finding"), jsonw_text(j, m->finding);
	if (m->type == UNPACK_ARCHIVE)
		jsonw_key(j, "sha256"), jsonw_hex(j, m->sha256, HASH_LEN);
	jsonw_key(j, "in");
	jsonw_array(j);
	for (unsigned i = 0; i < m->n_in; i++) {
		jsonw_object(j);
		jsonw_key(j, "name");
		jsonw_percent(j, m->in[i].name, m->in[i].name_len);
		jsonw_key(j, "size"), jsonw_u64(j, m->in[i].size);
		jsonw_key(j, "sha256");
		jsonw_hex(j, m->in[i].sha256, HASH_LEN);
		jsonw_end(j);
	}
	jsonw_end(j);
}

static enum rc
take_apart(struct unpack *u, uint64_t *total, uint64_t *members, struct err *e)
{
	struct unpack_member m;
	enum rc rc;

	while ((rc = unpack_next(u, &m, e)) == OK ||
		(rc == BAD_ITEM && !unpack_over(u))) {
		struct jsonw j = jsonw_to(&out);

		++*members;
		if (rc == OK) {
			say_member(&j, &m);
			if (m.type == UNPACK_FILE && !skip)
				rc = read_file(u, &j, total, e);
		} else {
			jsonw_object(&j);
			failed(&j, rc, e);
		}
		jsonw_end(&j);
		if (quiet)
			str_clear(&out);
		else
			print();
		if (rc != OK && unpack_over(u))
			return rc;
	}
	return rc;
}

/* KiB of memory at most so far, of this process and of a child's. */
static uint64_t
peak(void)
{
	struct rusage own, child;

	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &child);
	return (uint64_t)own.ru_maxrss + (uint64_t)child.ru_maxrss;
}

static enum rc
one(const char *path, struct jsonw *j, struct err *e)
{
	struct unpack *u = NULL;
	uint64_t total = 0, members = 0;
	int64_t begin = clock_mono();
	int fd = -1;
	enum rc rc;
	struct stat st;

	rc = io_open(AT_FDCWD, path, O_RDONLY, 0, &fd, BROKEN, e);
	if (rc != OK || fstat(fd, &st) != 0)
		return BROKEN;
	o.fd = fd;
	o.size = (uint64_t)st.st_size;
	o.name = (const uint8_t *)path;
	o.name_len = strlen(path);
	rc = unpack_open(&o, &u, e);
	if (rc == OK)
		rc = take_apart(u, &total, &members, e);
	jsonw_object(j);
	jsonw_key(j, "end"), jsonw_text(j, err_name(rc));
	if (rc != END)
		jsonw_key(j, "text"), jsonw_text(j, e->text);
	jsonw_key(j, "bytes"), jsonw_u64(j, total);
	jsonw_key(j, "members"), jsonw_u64(j, members);
	if (u != NULL && unpack_weak(u) != NULL)
		jsonw_key(j, "weak"), jsonw_text(j, unpack_weak(u));
	unpack_free(u);
	if (rate)
		jsonw_key(j, "ms"),
			jsonw_u64(
				j, (uint64_t)(clock_mono() - begin) / 1000000);
	/* A sanitizer's build has no limit of memory. */
	if (!SANITIZED)
		jsonw_key(j, "peak_kib"), jsonw_u64(j, peak());
	io_drop(&fd);
	return OK;
}

static const struct option options[] = {{"spool", 1, NULL, 's'},
	{"password", 1, NULL, 'p'}, {"depth", 1, NULL, 'd'},
	{"members", 1, NULL, 'm'}, {"total", 1, NULL, 't'},
	{"member", 1, NULL, 'b'}, {"ratio", 1, NULL, 'r'},
	{"name", 1, NULL, 'n'}, {"cpu", 1, NULL, 'c'}, {"wall", 1, NULL, 'w'},
	{"memory", 1, NULL, 'M'}, {"free", 1, NULL, 'f'},
	{"number", 0, &number, 1}, {"keep", 0, &keep, 1}, {"skip", 0, &skip, 1},
	{"quiet", 0, &quiet, 1}, {"rate", 0, &rate, 1}, {NULL, 0, NULL, 0}};

static void
usage(const char *what)
{
	fprintf(stderr, "one: %s\n", what);
	exit(1);
}

static void
set_limit(int c, uint64_t v)
{
	struct unpack_limits *l = &o.limits;

	switch (c) {
	case 'd':
		l->depth = (unsigned)v;
		break;
	case 'm':
		l->members = v;
		break;
	case 't':
		l->total_bytes = v;
		break;
	case 'b':
		l->member_bytes = v;
		break;
	case 'r':
		l->ratio = v;
		break;
	case 'n':
		l->name_len = (unsigned)v;
		break;
	case 'c':
		l->cpu = v;
		break;
	case 'w':
		l->wall = (int64_t)v * CLOCK_SECOND;
		break;
	case 'M':
		l->memory = v;
		break;
	case 'f':
		l->free_space = v;
	}
}

static void
take_option(int c)
{
	struct err e = ERR_INIT;
	uint64_t v;

	if (c == 0)
		return;
	if (c == 's') {
		if (io_open(AT_FDCWD, optarg, O_RDONLY | O_DIRECTORY, 0,
			    &o.spool, BROKEN, &e) != OK)
			usage(e.text);
	} else if (c == 'p') {
		if (io_read_file(AT_FDCWD, optarg, 1024, &password, BROKEN,
			    &e) != OK)
			usage(optarg);
		o.password = (const uint8_t *)password.s;
		o.password_len = password.len;
	} else if (c != '?' && str_parse_u64(optarg, strlen(optarg), &v)) {
		set_limit(c, v);
	} else {
		usage("wrong use; see its source");
	}
}

static const struct child_kind kinds[] = {
	{UNPACK_CHILD, CHILD_UNPACK, unpack_child, late_archive},
	{NULL, 0, NULL, NULL}};

int
main(int argc, char **argv)
{
	int c;

	if (child_wanted(argc, argv))
		return child_main(kinds, argv);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(c);
	o.number = number;
	o.keep_deeper = keep;
	for (int i = optind; i < argc; i++) {
		CLEANUP(str_release) struct str end = STR_INIT;
		struct jsonw j = jsonw_to(&end);
		struct err e = ERR_INIT;

		if (one(argv[i], &j, &e) != OK)
			usage(e.text);
		jsonw_key(&j, "archive"), jsonw_text(&j, argv[i]);
		jsonw_end(&j);
		str_addn(&out, end.s, end.len);
		print();
	}
	return 0;
}
