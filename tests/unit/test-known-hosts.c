/*
 * source/sftp/known-hosts: held against what ssh-keygen makes of the same
 * file, and against files nobody should have.
 */
#include "source/sftp/known-hosts.h"

#include <stdio.h>

#include "base/io.h"
#include "source/sftp/host-key.h"
#include "unit.h"

#include "scratch.h"

static char dir[SCRATCH_PATH];
static int dir_fd;

/* Standard output of a command in the scratch directory. */
static char *
output_of(const char *command)
{
	struct str s = STR_INIT, line = STR_INIT;
	char text[4096];
	FILE *f;

	str_addf(&line, "cd %s && %s", dir, command);
	f = popen(line.s, "r");
	assert_non_null(f);
	while (fgets(text, sizeof(text), f) != NULL)
		str_add(&s, text);
	pclose(f);
	str_release(&line);
	return str_take(&s);
}

static void
put(const char *name, const char *text)
{
	char path[SCRATCH_PATH + 32];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static struct str
get(const char *name)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;

	must(io_read_file(dir_fd, name, 1 << 20, &s, BROKEN, &e), &e);
	return s;
}

struct key {
	char line[2048]; /* "type base64" */
	uint8_t blob[HOST_KEY_MAX];
	size_t len;
};

static struct key ed, ecdsa, rsa;

static void
make_key(struct key *k, const char *type, const char *file)
{
	char command[200], type_name[64], base64[1900];
	char *text;

	snprintf(command, sizeof(command),
		"ssh-keygen -q -t %s -N '' -C '' -f %s && cat %s.pub", type,
		file, file);
	text = output_of(command);
	assert_int_equal(sscanf(text, "%63s %1899s", type_name, base64), 2);
	snprintf(k->line, sizeof(k->line), "%s %s", type_name, base64);
	assert_true(str_parse_base64(
		base64, strlen(base64), k->blob, sizeof(k->blob), &k->len));
	free(text);
}

static int
setup(void **state UNUSED)
{
	dir_fd = scratch_make(dir);
	make_key(&ed, "ed25519", "ed");
	make_key(&ecdsa, "ecdsa", "ecdsa");
	make_key(&rsa, "rsa -b 2048", "rsa");
	return 0;
}

static int
teardown(void **state UNUSED)
{
	scratch_remove(dir);
	return 0;
}

static struct known_answer
ask(const char *text, size_t len, const char *host, unsigned port,
	const struct key *k)
{
	struct known_hosts file = {text, len, host, (uint16_t)port};
	struct known_answer a = KNOWN_ANSWER_INIT;

	known_hosts_ask(&file, k->blob, k->len, &a);
	return a;
}

static void
assert_answer(const char *text, const char *host, unsigned port,
	const struct key *k, enum known_verdict verdict, unsigned line)
{
	struct known_answer a = ask(text, strlen(text), host, port, k);

	if (a.verdict != verdict || a.line != line)
		fail_msg("%s port %u: verdict %d, line %u; wanted %d, %u", host,
			port, a.verdict, a.line, verdict, line);
	str_release(&a.others);
}

/* ---- like ssh-keygen ---- */

static void
test_fingerprints(void **state UNUSED)
{
	const struct {
		const struct key *key;
		const char *file;
	} all[] = {{&ed, "ed"}, {&ecdsa, "ecdsa"}, {&rsa, "rsa"}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct str ours = STR_INIT;
		char command[100], theirs[128];
		char *text;

		snprintf(command, sizeof(command), "ssh-keygen -l -f %s.pub",
			all[i].file);
		text = output_of(command);
		assert_int_equal(sscanf(text, "%*u %127s", theirs), 1);
		host_key_add_fingerprint(
			&ours, all[i].key->blob, all[i].key->len);
		assert_string_equal(ours.s, theirs);
		assert_true(host_key_is_fingerprint(theirs));
		theirs[strlen(theirs) - 1] = '\0';
		assert_false(host_key_is_fingerprint(theirs));
		str_release(&ours);
		free(text);
	}
	assert_false(host_key_is_fingerprint("MD5:00:11"));
	assert_false(host_key_is_fingerprint(""));
}

static const struct {
	const char *host;
	unsigned port;
} asked[] = {
	{"plain.example", 22},
	{"alias.example", 22},
	{"plain.example", 2222},
	{"port.example", 2222},
	{"port.example", 22},
	{"port.example", 2223},
	{"a.wild.example", 22},
	{"a.b.wild.example", 22},
	{"wild.example", 22},
	{"bad.wild.example", 22},
	{"x1.query.example", 22},
	{"x12.query.example", 22},
	{"192.0.2.7", 22},
	{"2001:db8::7", 22},
	{"2001:db8::7", 2222},
	{"[2001:db8::7]", 22},
	{"nobody.example", 22},
	{"plain.example.evil", 22},
	{"lain.example", 22},
};

static void
make_file(void)
{
	struct str s = STR_INIT;

	str_add(&s, "# partners\n\n");
	str_addf(&s, "plain.example,alias.example %s a comment\n", ed.line);
	str_addf(&s, "[port.example]:2222\t%s\r\n", ed.line);
	str_addf(&s, "*.wild.example,!bad.wild.example %s\n", ed.line);
	str_addf(&s, "x?.query.example %s\n", ed.line);
	str_addf(&s, "192.0.2.7,2001:db8::7 %s\n", ed.line);
	str_addf(&s, "[2001:db8::7]:2222 %s", ed.line);
	put("known", s.s);
	str_release(&s);
}

/* The line ssh-keygen finds the host in, 0: none. */
static unsigned
their_line(const char *file, const char *host, unsigned port)
{
	char command[200];
	unsigned line = 0;
	const char *at;
	char *text;

	if (port == 22)
		snprintf(command, sizeof(command), "ssh-keygen -f %s -F '%s'",
			file, host);
	else
		snprintf(command, sizeof(command),
			"ssh-keygen -f %s -F '[%s]:%u'", file, host, port);
	text = output_of(command);
	at = strstr(text, "found: line ");
	if (at != NULL)
		line = (unsigned)atoi(at + strlen("found: line "));
	free(text);
	return line;
}

static void
assert_like_theirs(const char *file)
{
	struct str text = get(file);

	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		unsigned line = their_line(file, asked[i].host, asked[i].port);

		assert_answer(text.s, asked[i].host, asked[i].port, &ed,
			line != 0 ? KNOWN_MATCH : KNOWN_NONE, line);
		assert_answer(text.s, asked[i].host, asked[i].port, &rsa,
			line != 0 ? KNOWN_OTHER : KNOWN_NONE, 0);
	}
	str_release(&text);
}

static void
test_like_ssh_keygen(void **state UNUSED)
{
	make_file();
	assert_int_equal(their_line("known", "plain.example", 22), 3);
	assert_like_theirs("known");
}

/* ssh-keygen -H hides plain names, each in a line of its own. */
static void
test_hashed(void **state UNUSED)
{
	struct str text;

	make_file();
	free(output_of("cp known hashed && ssh-keygen -q -H -f hashed 2>&1"));
	text = get("hashed");
	assert_non_null(strstr(text.s, "|1|"));
	assert_null(strstr(text.s, "plain.example"));
	/* As ssh does it: ssh-keygen -F takes a name as it is typed. */
	assert_answer(text.s, "PLAIN.example", 22, &ed, KNOWN_MATCH, 3);
	str_release(&text);
	assert_like_theirs("hashed");
}

/* ---- what is said of a server ---- */

static void
test_several_keys(void **state UNUSED)
{
	struct known_hosts file = {.host = "h", .port = 22};
	struct str s = STR_INIT, types = STR_INIT, theirs = STR_INIT;
	struct known_answer a;

	str_addf(&s, "h %s\nother %s\nh %s\nh %s again\n", ed.line, rsa.line,
		ecdsa.line, ed.line);
	assert_answer(s.s, "h", 22, &ed, KNOWN_MATCH, 1);
	assert_answer(s.s, "h", 22, &ecdsa, KNOWN_MATCH, 3);
	a = ask(s.s, s.len, "h", 22, &rsa);
	assert_int_equal(a.verdict, KNOWN_OTHER);
	host_key_add_fingerprint(&theirs, ed.blob, ed.len);
	assert_non_null(strstr(a.others.s, theirs.s));
	assert_non_null(strstr(a.others.s, "(ssh-ed25519, line 1)"));
	assert_non_null(strstr(a.others.s, "(ecdsa-sha2-nistp256, line 3)"));
	file.text = s.s;
	file.len = s.len;
	known_hosts_types(&file, &types);
	assert_string_equal(types.s, "ssh-ed25519,ecdsa-sha2-nistp256");
	str_release(&a.others);
	str_release(&theirs);
	str_release(&types);
	str_release(&s);
}

static void
test_markers(void **state UNUSED)
{
	struct str s = STR_INIT;
	struct known_answer a;

	/* Revoked wins, wherever it stands. */
	str_addf(&s, "h %s\n@revoked * %s\n", ed.line, ed.line);
	assert_answer(s.s, "h", 22, &ed, KNOWN_REVOKED, 2);
	assert_answer(s.s, "h", 22, &rsa, KNOWN_OTHER, 0);
	str_clear(&s);
	str_addf(&s, "@revoked other %s\nh %s\n", ed.line, ed.line);
	assert_answer(s.s, "h", 22, &ed, KNOWN_MATCH, 2);
	/* An authority's key is not the server's. */
	str_clear(&s);
	str_addf(&s, "@cert-authority *.example %s\n", ed.line);
	a = ask(s.s, s.len, "h.example", 22, &ed);
	assert_int_equal(a.verdict, KNOWN_NONE);
	assert_int_equal(a.authorities, 1);
	str_release(&a.others);
	str_release(&s);
}

/* ---- damaged files ---- */

static void
test_malformed(void **state UNUSED)
{
	const char *const lines[] = {
		"h",
		"h ssh-ed25519",
		"h ssh-ed25519 !!!!",
		"h ssh-ed25519 AAAA",
		"@unknown h ssh-ed25519 AAAA",
		"h ssh-rsa %s", /* another type than in the key */
		"h 2048 65537 1234567",
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *word = strchr(ed.line, ' ') + 1;
		const char *at = strstr(lines[i], "%s");
		struct str s = STR_INIT;
		struct known_answer a;

		str_add(&s, "# first\n");
		if (at != NULL) {
			str_addn(&s, lines[i], (size_t)(at - lines[i]));
			str_add(&s, word);
		} else {
			str_add(&s, lines[i]);
		}
		str_addf(&s, "\nh %s\n", rsa.line);
		a = ask(s.s, s.len, "h", 22, &rsa);
		assert_int_equal(a.verdict, KNOWN_MATCH);
		assert_int_equal(a.line, 3);
		assert_int_equal(a.malformed, 1);
		assert_int_equal(a.malformed_at, 2);
		str_release(&a.others);
		str_release(&s);
	}
}

static void
test_broken_hashes(void **state UNUSED)
{
	const char *const hosts[] = {"|1|", "|1||", "|1|AAAA|AAAA", "|2|a|b",
		"|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "|", "|1|=|="};

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct str s = STR_INIT;

		str_addf(&s, "%s %s\n", hosts[i], ed.line);
		assert_answer(s.s, "h", 22, &ed, KNOWN_NONE, 0);
		str_release(&s);
	}
}

/* An overlong line and a pattern made to be slow cost nothing. */
static void
test_bounds(void **state UNUSED)
{
	struct known_answer a;
	struct str s = STR_INIT, host = STR_INIT;

	for (int i = 0; i < 5000; i++)
		str_add(&s, "h,h,h,");
	str_addf(&s, "h %s\nh %s\n", ed.line, ed.line);
	a = ask(s.s, s.len, "h", 22, &ed);
	assert_int_equal(a.verdict, KNOWN_MATCH);
	assert_int_equal(a.line, 2);
	assert_int_equal(a.malformed, 1);
	str_release(&a.others);
	str_clear(&s);
	for (int i = 0; i < 7000; i++)
		str_add(&s, "*a");
	str_addf(&s, "b %s\n", ed.line);
	for (int i = 0; i < 255; i++)
		str_addc(&host, 'a');
	assert_answer(s.s, host.s, 22, &ed, KNOWN_NONE, 0);
	for (int i = 0; i < 255; i++)
		str_addc(&host, 'a');
	str_clear(&s);
	str_addf(&s, "* %s\n", ed.line);
	assert_answer(s.s, host.s, 22, &ed, KNOWN_NONE, 0);
	str_release(&host);
	str_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_like_ssh_keygen),
		cmocka_unit_test(test_hashed),
		cmocka_unit_test(test_several_keys),
		cmocka_unit_test(test_markers),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_broken_hashes),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
