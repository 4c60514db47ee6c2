/*
 * through - runs one program through filter.h and says how it ended, as one
 * JSON object.
 *
 *	through [OPTION...] IN OUT PROGRAM [ARGUMENT...]
 *
 *	--home DIR --read PATH... --password FILE
 *	--bytes N --wall SECONDS --cpu SECONDS --free N
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "landfall/filter.h"
#include "landfall/proc.h"

static struct filter_options o = {.limits = FILTER_LIMITS_DEFAULT};
static const char *paths[16];
static size_t n_paths;
static struct str password = STR_INIT;

static const struct option options[] = {{"home", 1, NULL, 'h'},
	{"read", 1, NULL, 'r'}, {"password", 1, NULL, 'p'},
	{"bytes", 1, NULL, 'b'}, {"wall", 1, NULL, 'w'}, {"cpu", 1, NULL, 'c'},
	{"free", 1, NULL, 'f'}, {NULL, 0, NULL, 0}};

static void
die(const char *what)
{
	fprintf(stderr, "through: %s\n", what);
	exit(1);
}

static void
take_option(int c)
{
	struct err e = ERR_INIT;
	uint64_t v = 0;

	switch (c) {
	case 'h':
		o.home = optarg;
		return;
	case 'r':
		if (n_paths + 1 == ARRAY_LEN(paths))
			die("too many paths");
		paths[n_paths++] = optarg;
		return;
	case 'p':
		if (io_read_file(AT_FDCWD, optarg, 1024, &password, BROKEN,
			    &e) != OK)
			die(e.text);
		o.password = (const uint8_t *)password.s;
		o.password_len = password.len;
		return;
	case '?':
		die("wrong use; see its source");
	}
	if (!str_parse_u64(optarg, strlen(optarg), &v))
		die("a number, please");
	if (c == 'b')
		o.limits.bytes = v;
	else if (c == 'w')
		o.limits.wall = (int64_t)v * CLOCK_SECOND;
	else if (c == 'c')
		o.limits.cpu = v;
	else
		o.limits.free_space = v;
}

static void
through(struct str *out)
{
	CLEANUP(str_release) struct str weak = STR_INIT;
	struct jsonw j = jsonw_to(out);
	struct err e = ERR_INIT;
	uint64_t size = 0;
	enum rc rc = filter_run(&o, &size, &weak, &e);

	jsonw_object(&j);
	jsonw_key(&j, "end"), jsonw_text(&j, err_name(rc));
	if (rc != OK)
		jsonw_key(&j, "text"), jsonw_text(&j, e.text);
	jsonw_key(&j, "size"), jsonw_u64(&j, size);
	jsonw_key(&j, "weak"), jsonw_text(&j, weak.s);
	jsonw_end(&j);
}

static const struct child_kind kinds[] = {
	{FILTER_CHILD, CHILD_RUN, filter_child, NULL}, {NULL, 0, NULL, NULL}};

int
main(int argc, char **argv)
{
	CLEANUP(str_release) struct str out = STR_INIT;
	struct err e = ERR_INIT;
	int c;

	if (child_wanted(argc, argv))
		return child_main(kinds, argv);
	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1)
		take_option(c);
	if (argc - optind < 3)
		die("IN OUT PROGRAM");
	if (io_open(AT_FDCWD, argv[optind], O_RDONLY, 0, &o.in, BROKEN, &e) !=
			OK ||
		io_open(AT_FDCWD, argv[optind + 1], O_RDWR | O_CREAT | O_TRUNC,
			0600, &o.out, BROKEN, &e) != OK)
		die(e.text);
	o.argv = (const char *const *)argv + optind + 2;
	o.read = paths;
	through(&out);
	printf("%s\n", out.s);
	return 0;
}
