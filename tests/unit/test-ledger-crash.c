/* ledger/: what a crash leaves is brought forward, and damage shows. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "landfall/ledger.h"
#include "ledger/note.h"

#include "ledger-place.h"

static void
any_finding(void *arg, const char *file UNUSED, const char *what UNUSED)
{
	++*(unsigned *)arg;
}

/* ---- damage ---- */

static bool
is_found(const struct place *p)
{
	struct ledger_view *v = NULL;
	struct err e = ERR_INIT;
	unsigned found = 0;
	enum rc rc;

	rc = ledger_view_open(p->zone, NULL, &v, &e);
	if (rc != OK)
		return rc == BAD_ITEM;
	rc = ledger_view_check(v, any_finding, &found, &e);
	ledger_view_close(v);
	assert_int_equal(rc == BAD_ITEM, found > 0);
	return rc == BAD_ITEM;
}

static void
spoil(const struct place *p, const char *path, size_t step)
{
	CLEANUP(str_release) struct str whole = STR_INIT;
	struct err e = ERR_INIT;
	size_t at;

	must(io_read_file(p->zone, path, 1 << 20, &whole, BROKEN, &e), &e);
	for (size_t i = 0; i < whole.len; i += step) {
		uint8_t old = (uint8_t)whole.s[i];

		whole.s[i] = (char)(old ^ 1 << i % 8);
		must(durable_replace_later(
			     p->zone, path, whole.s, whole.len, 0444, &e),
			&e);
		if (!is_found(p))
			fail_msg("%s: byte %zu changed unseen", path, i);
		whole.s[i] = (char)old;
	}
	/* Cut, grown and gone. */
	at = whole.len - 1;
	must(durable_replace_later(p->zone, path, whole.s, at, 0444, &e), &e);
	assert_true(is_found(p));
	str_addc(&whole, '\n');
	must(durable_replace_later(p->zone, path, whole.s, whole.len, 0444, &e),
		&e);
	assert_true(is_found(p));
	assert_int_equal(unlinkat(p->zone, path, 0), 0);
	if (strcmp(path, "_ledger/checkpoint") != 0)
		assert_true(is_found(p));
	must(durable_replace_later(
		     p->zone, path, whole.s, whole.len - 1, 0444, &e),
		&e);
	assert_false(is_found(p));
}

static void
test_every_changed_byte_is_found(void **state UNUSED)
{
	struct place p = place_make();
	struct ledger *l = must_create(&p);

	must_append(l, 5);
	spoil(&p, "_ledger/checkpoint", 1);
	spoil(&p, "_ledger/tile/0/000.p/5", 1);
	spoil(&p, "_ledger/tile/entries/000.p/5", 1);
	must_append(l, 260);
	assert_false(exists(p.zone, "_ledger/tile/0/000.p"));
	ledger_close(l);
	spoil(&p, "_ledger/checkpoint", 1);
	spoil(&p, "_ledger/tile/0/000", 37);
	spoil(&p, "_ledger/tile/0/001.p/9", 1);
	spoil(&p, "_ledger/tile/1/000.p/1", 1);
	spoil(&p, "_ledger/tile/entries/000", 37);
	spoil(&p, "_ledger/tile/entries/001.p/9", 1);
	place_remove(&p);
}

static void
save_finding(void *arg, const char *file, const char *what)
{
	str_addf(arg, "%s: %s\n", file, what);
}

static void
test_findings_name_the_file(void **state UNUSED)
{
	CLEANUP(str_release) struct str seen = STR_INIT;
	struct place p = place_make();
	struct ledger *l = must_create(&p);
	struct ledger_view *v;
	struct err e = ERR_INIT;

	must_append(l, 600);
	ledger_close(l);
	shell("chmod -R u+w zone; cd zone/_ledger/tile;"
	      "printf X | dd of=0/001 bs=1 seek=64 conv=notrunc 2>/dev/null;"
	      "rm entries/000",
		p.root);
	v = must_view(&p);
	assert_int_equal(
		ledger_view_check(v, save_finding, &seen, &e), BAD_ITEM);
	assert_string_equal(e.text, "_ledger: does not verify, 2 findings");
	assert_string_equal(seen.s,
		"_ledger/tile/entries/000: missing\n"
		"_ledger/tile/0/001: 1 of 256 hashes are not those of the "
		"entries below, first number 258\n");
	ledger_view_close(v);
	place_remove(&p);
}

static void
test_another_key_is_refused(void **state UNUSED)
{
	struct place p = place_make();
	struct ledger_view *v = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(ledger_view_open(p.zone, NULL, &v, &e), END);
	ledger_close(must_create(&p));
	assert_int_equal(ledger_view_open(p.zone, SPEC_VKEY, &v, &e), BAD_ITEM);
	assert_int_equal(ledger_view_open(p.zone, "", &v, &e), BAD_ITEM);
	must_verify(&p, 0);
	assert_int_equal(unlinkat(p.zone, "_ledger/checkpoint", 0), 0);
	assert_int_equal(ledger_view_open(p.zone, NULL, &v, &e), END);
	place_remove(&p);
}

/* A key of our own signs 2^60 entries that are not there: it must end. */
static void
test_absurd_size_ends(void **state UNUSED)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	CLEANUP(str_release) struct str pem = STR_INIT;
	struct checkpoint c = {.origin = ORIGIN, .size = UINT64_C(1) << 60};
	uint8_t proof[64 * HASH_LEN];
	struct place p = place_make();
	struct err e = ERR_INIT;
	struct ledger_view *v;
	unsigned found = 0;
	struct key k;
	size_t n;

	ledger_close(must_create(&p));
	must(io_read_file(p.state, "ledger.key", 4096, &pem, BROKEN, &e), &e);
	must(key_parse_pem(&k, ORIGIN, pem.s, pem.len, &e), &e);
	note_add_checkpoint(&s, &c, &k);
	key_release(&k);
	must(durable_replace_later(
		     p.zone, "_ledger/checkpoint", s.s, s.len, 0444, &e),
		&e);
	v = must_view(&p);
	assert_int_equal(
		ledger_view_check(v, any_finding, &found, &e), BAD_ITEM);
	assert_in_range(found, 1000, 1200);
	str_clear(&s);
	assert_int_equal(ledger_view_entry(v, c.size - 1, &s, &e), BAD_ITEM);
	assert_int_equal(
		ledger_view_proof(v, c.size - 1, proof, &n, &e), BAD_ITEM);
	ledger_view_close(v);
	place_remove(&p);
}

/* ---- what a crash leaves; DESIGN.md has the table ---- */

/* Open must succeed with that many entries, and go on. */
static void
must_recover(const struct place *p, uint64_t size)
{
	struct ledger *l = must_open(p);

	assert_int_equal(ledger_size(l), size);
	must_verify(p, size);
	must_append(l, 3);
	ledger_close(l);
	must_verify(p, size + 3);
	ledger_close(must_open(p));
}

static void
must_refuse(const struct place *p, const char *text)
{
	struct ledger *l = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(
		ledger_open(p->zone, p->state, ORIGIN, &l, &e), BROKEN);
	if (strstr(e.text, text) == NULL)
		fail_msg("'%s' says nothing of '%s'", e.text, text);
}

/* sizes: before the crash, of the append it came into. */
static const struct crash_case {
	size_t before, n;
} crash_cases[] = {{0, 1}, {4, 3}, {254, 1}, {255, 1}, {255, 2}, {250, 600}};

static void
crash(const char *undo, bool counts)
{
	for (size_t i = 0; i < ARRAY_LEN(crash_cases); i++) {
		const struct crash_case *c = &crash_cases[i];
		struct place p = place_make();
		struct ledger *l = must_create(&p);

		must_append(l, c->before);
		shell("cp -a zone zone0; cp -a state state0", p.root);
		must_append(l, c->n);
		ledger_close(l);
		/* Before the sweep, which comes last. */
		shell("cp -an zone0/. zone/", p.root);
		shell(undo, p.root);
		must_recover(&p, c->before + (counts ? c->n : 0));
		shell("chmod -R u+w .; rm -r zone0 state0", p.root);
		place_remove(&p);
	}
}

static void
test_crash_before_the_sweep(void **state UNUSED)
{
	crash("true", true);
}

static void
test_crash_before_the_checkpoint(void **state UNUSED)
{
	crash("cp -af zone0/_ledger/checkpoint zone/_ledger/", true);
}

static void
test_crash_before_ledger_last(void **state UNUSED)
{
	crash("cp -af zone0/_ledger/checkpoint zone/_ledger/;"
	      "cp -af state0/ledger.last state/",
		false);
}

/* After a power cut unsynced files may be empty, torn or whole. */
static void
test_crash_among_the_tiles(void **state UNUSED)
{
	crash("cp -af zone0/_ledger/checkpoint zone/_ledger/;"
	      "cp -af state0/ledger.last state/; chmod -R u+w zone;"
	      "for f in `cd zone; find _ledger/tile -type f`; do"
	      " test -e zone0/$f || : >zone/$f; done",
		false);
	crash("cp -af zone0/_ledger/checkpoint zone/_ledger/;"
	      "cp -af state0/ledger.last state/; chmod -R u+w zone;"
	      "for f in `cd zone; find _ledger/tile -type f`; do"
	      " test -e zone0/$f || head -c 20000 /dev/urandom >zone/$f;"
	      " echo x >zone/$f.tmp; done",
		false);
}

static void
test_missing_checkpoint_is_published_again(void **state UNUSED)
{
	crash("rm -f zone/_ledger/checkpoint", true);
}

/* The state directory came from a backup; what we signed since is known. */
static void
test_older_ledger_last_is_brought_forward(void **state UNUSED)
{
	crash("cp -af state0/ledger.last state/", true);
}

static void
test_crash_in_create(void **state UNUSED)
{
	struct place p = place_make();
	struct err e = ERR_INIT;

	/* Before the key: another create begins anew. */
	ledger_close(must_create(&p));
	shell("rm -f state/ledger.key zone/_ledger/checkpoint", p.root);
	ledger_close(must_create(&p));
	/* After it: open finishes. */
	shell("rm -f zone/_ledger/checkpoint", p.root);
	assert_int_equal(ledger_create(p.zone, p.state, ORIGIN, &e), BAD_ITEM);
	assert_int_equal(e.cause, EEXIST);
	must_recover(&p, 0);
	place_remove(&p);
}

static void
test_zone_behind_is_refused(void **state UNUSED)
{
	struct place p = place_make();
	struct ledger *l = must_create(&p);

	must_append(l, 10);
	shell("cp -a zone zone0", p.root);
	must_append(l, 300);
	ledger_close(l);
	shell("chmod -R u+w zone; rm -r zone/_ledger;"
	      "mv zone0/_ledger zone/; chmod -R u+w zone0; rm -r zone0",
		p.root);
	must_refuse(&p, "older copy");
	place_remove(&p);
}

/* The same key signed two histories: neither is chosen. */
static void
test_zone_beside_is_refused(void **state UNUSED)
{
	static const char *const undo[] = {
		"cp -af other/_ledger/checkpoint zone/_ledger/",
		"chmod -R u+w zone; rm -r zone/_ledger;"
		"cp -a other/_ledger zone/",
	};

	for (size_t shift = 0; shift < 3; shift++)
		for (size_t i = 0; i < ARRAY_LEN(undo); i++) {
			static const struct ledger_entry other[] = {
				{"other", 5}, {"more", 4}, {"last", 4}};
			struct place p = place_make();
			struct ledger *l = must_create(&p);
			struct err e = ERR_INIT;

			must_append(l, 10);
			shell("cp -a zone zone0; cp -a state state0", p.root);
			must(ledger_append(l, other, 1 + shift, &e), &e);
			ledger_close(l);
			shell("mv zone/_ledger zone0/other; mkdir other;"
			      "mv zone0/other other/_ledger;"
			      "cp -a zone0/_ledger zone/;"
			      "cp -af state0/ledger.last state/",
				p.root);
			l = must_open(&p);
			must_append(l, 2);
			ledger_close(l);
			shell(undo[i], p.root);
			must_refuse(&p, "the tiles in the zone are not");
			shell("chmod -R u+w .; rm -r zone0 state0 other",
				p.root);
			place_remove(&p);
		}
}

static const struct refuse_case {
	const char *damage;
	const char *text;
} refuse_cases[] = {
	{"rm -f state/ledger.last", "ledger.last is missing"},
	{"rm -f state/ledger.key", "ledger.key: missing"},
	{"echo >state/ledger.key", "ledger.key: not an unencrypted Ed25519"},
	{"echo >state/ledger.last", "ledger.last: note: no empty line"},
	{"sed -i s/^3$/4/ zone/_ledger/checkpoint",
		"checkpoint: the signature by " ORIGIN " is wrong"},
	{"sed -i s/zone1/zone2/ zone/_ledger/checkpoint",
		"belongs to ledger ledger.example.com/zone2"},
	{"openssl genpkey -algorithm ed25519 >state/ledger.key 2>/dev/null",
		"with the expected key"},
	{"rm -r zone/_ledger/tile/0", "tile/0/000.p/3: missing"},
	{"rm -r zone/_ledger/tile/entries", "tile/entries/000.p/3: missing"},
	{"sed -i s/index/indeX/ zone/_ledger/tile/entries/000.p/3",
		"tile/entries/000.p/3: entry 0 is not what was signed"},
	{"sed -i s/./Z/7 zone/_ledger/tile/0/000.p/3",
		"the tiles in the zone are not"},
};

static void
test_damage_stops_the_signer(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(refuse_cases); i++) {
		struct place p = place_make();
		struct ledger *l = must_create(&p);

		must_append(l, 3);
		ledger_close(l);
		shell("chmod -R u+w .", p.root);
		shell(refuse_cases[i].damage, p.root);
		must_refuse(&p, refuse_cases[i].text);
		place_remove(&p);
	}
}

static void
test_append_of_nothing_only_signs(void **state UNUSED)
{
	struct place p = place_make();
	struct ledger *l = must_create(&p);
	CLEANUP(str_release) struct str before = STR_INIT;

	must_append(l, 0);
	assert_false(exists(p.zone, "_ledger/tile"));
	must_append(l, 4);
	str_add(&before, ledger_checkpoint(l));
	assert_int_equal(unlinkat(p.zone, "_ledger/checkpoint", 0), 0);
	must_append(l, 0);
	assert_string_equal(ledger_checkpoint(l), before.s);
	must_verify(&p, 4);
	ledger_close(l);
	must_recover(&p, 4);
	place_remove(&p);
}

/* A failed append leaves an object that refuses, and a disk that is fine. */
static void
test_failed_append(void **state UNUSED)
{
	struct place p = place_make();
	struct ledger *l = must_create(&p);
	struct err e = ERR_INIT;

	must_append(l, 4);
	shell("mkdir zone/_ledger/checkpoint.tmp", p.root);
	assert_int_equal(append(l, 2, &e), BROKEN);
	shell("rmdir zone/_ledger/checkpoint.tmp", p.root);
	assert_int_equal(append(l, 2, &e), BROKEN);
	assert_non_null(strstr(e.text, "open it again"));
	ledger_close(l);
	must_recover(&p, 6);
	place_remove(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_changed_byte_is_found),
		cmocka_unit_test(test_findings_name_the_file),
		cmocka_unit_test(test_another_key_is_refused),
		cmocka_unit_test(test_absurd_size_ends),
		cmocka_unit_test(test_crash_before_the_sweep),
		cmocka_unit_test(test_crash_before_the_checkpoint),
		cmocka_unit_test(test_crash_before_ledger_last),
		cmocka_unit_test(test_crash_among_the_tiles),
		cmocka_unit_test(test_missing_checkpoint_is_published_again),
		cmocka_unit_test(test_older_ledger_last_is_brought_forward),
		cmocka_unit_test(test_crash_in_create),
		cmocka_unit_test(test_zone_behind_is_refused),
		cmocka_unit_test(test_zone_beside_is_refused),
		cmocka_unit_test(test_damage_stops_the_signer),
		cmocka_unit_test(test_append_of_nothing_only_signs),
		cmocka_unit_test(test_failed_append),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
