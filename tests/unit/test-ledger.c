/* ledger/: hashes, tiles, entries and proofs, as specified. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "landfall/ledger.h"
#include "ledger/proof.h"
#include "ledger/tile.h"
#include "ledger/tree.h"

#include "ledger-place.h"

static off_t
file_size(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0) != 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st.st_size;
}

static mode_t
file_mode(int dir, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(dir, path, &st, 0), 0);
	return st.st_mode & 07777;
}

/* ---- hashing ---- */

/* RFC 6962 section 2.1 as it is written, and as slow. */
static void
naive_root(uint64_t first, uint64_t n, uint8_t ret[HASH_LEN])
{
	uint8_t both[1 + 2 * HASH_LEN] = {1};
	uint64_t k = 1;

	if (n == 0) {
		hash_bytes("", 0, ret);
	} else if (n == 1) {
		char text[65] = "";

		entry_text(first, text + 1);
		hash_bytes(text, 1 + strlen(text + 1), ret);
	} else {
		while (k * 2 < n)
			k *= 2;
		naive_root(first, k, both + 1);
		naive_root(first + k, n - k, both + 1 + HASH_LEN);
		hash_bytes(both, sizeof(both), ret);
	}
}

static void
grow(struct tree *t, uint64_t n)
{
	for (; n > 0; n--) {
		uint8_t leaf[HASH_LEN];
		char text[64];

		entry_text(t->size, text);
		tree_leaf(text, strlen(text), leaf);
		tree_add(t, leaf);
	}
}

static void
test_roots_are_those_of_the_definition(void **state UNUSED)
{
	struct tree *t = mem_alloc(sizeof(*t));
	uint8_t want[HASH_LEN], got[HASH_LEN];

	tree_init(t);
	for (uint64_t n = 0; n <= 600; n++) {
		naive_root(0, n, want);
		tree_root(t, got);
		assert_memory_equal(got, want, HASH_LEN);
		grow(t, 1);
	}
	free(t);
}

/* The eight leaves and roots that every CT implementation is tested with. */
static const struct vector {
	const char *leaf;
	const char *root;
} vectors[] = {
	{"",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa0"
		"1d"},
	{"00",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c1"
		"25"},
	{"10",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e"
		"77"},
	{"2021",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614"
		"b7"},
	{"3031",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264"
		"d4"},
	{"40414243",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087"
		"ef"},
	{"5051525354555657",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c"
		"8c"},
	{"606162636465666768696a6b6c6d6e6f",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff46043"
		"28"},
};

static void
test_published_roots(void **state UNUSED)
{
	struct tree *t = mem_alloc(sizeof(*t));

	tree_init(t);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		uint8_t data[16], leaf[HASH_LEN], root[HASH_LEN];
		uint8_t want[HASH_LEN];
		size_t n = strlen(vectors[i].leaf) / 2;

		assert_true(str_parse_hex(vectors[i].leaf, data, n));
		assert_true(str_parse_hex(vectors[i].root, want, HASH_LEN));
		tree_leaf(data, n, leaf);
		tree_add(t, leaf);
		tree_root(t, root);
		assert_memory_equal(root, want, HASH_LEN);
	}
	free(t);
}

/* ---- files ---- */

static const struct path_case {
	struct tile tile;
	const char *path;
} path_cases[] = {
	{{0, 0, 256}, "tile/0/000"},
	{{0, 273, 112}, "tile/0/273.p/112"},
	{{1, 999, 256}, "tile/1/999"},
	{{1, 1000, 256}, "tile/1/x001/000"},
	{{TILE_ENTRIES, 1234067, 1}, "tile/entries/x001/x234/067.p/1"},
	{{7, UINT64_MAX, 255},
		"tile/7/x018/x446/x744/x073/x709/x551/615.p/255"},
};

static void
test_tile_paths(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(path_cases); i++) {
		CLEANUP(str_release) struct str s = STR_INIT;

		tile_add_path(&s, &path_cases[i].tile);
		assert_string_equal(s.s, path_cases[i].path);
	}
}

/* tlog-tiles' own example: 70,000 entries. */
static void
test_layout_of_the_specification_example(void **state UNUSED)
{
	struct place p = place_make();
	struct ledger *l = must_create(&p);

	must_append(l, 70000);
	ledger_close(l);
	assert_int_equal(file_size(p.zone, "_ledger/tile/0/272"), 8192);
	assert_int_equal(
		file_size(p.zone, "_ledger/tile/0/273.p/112"), 112 * 32);
	assert_int_equal(file_size(p.zone, "_ledger/tile/1/000"), 8192);
	assert_int_equal(file_size(p.zone, "_ledger/tile/1/001.p/17"), 17 * 32);
	assert_int_equal(file_size(p.zone, "_ledger/tile/2/000.p/1"), 32);
	assert_false(exists(p.zone, "_ledger/tile/3"));
	must_verify(&p, 70000);
	l = must_open(&p);
	must_append(l, 1);
	ledger_close(l);
	must_verify(&p, 70001);
	place_remove(&p);
}

/*
 * Each size reached by steps of every kind, each step by a ledger that knows
 * nothing but the disk; the root is the definition's.
 */
static void
test_sizes_around_a_tile(void **state UNUSED)
{
	static const size_t steps[] = {0, 1, 2, 252, 1, 1, 0, 254, 1, 1, 300};
	struct place p = place_make();
	uint64_t size = 0;

	ledger_close(must_create(&p));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct ledger *l = must_open(&p);
		uint8_t want[HASH_LEN], got[HASH_LEN];

		must_append(l, steps[i]);
		size += steps[i];
		assert_int_equal(ledger_size(l), size);
		naive_root(0, size, want);
		ledger_root(l, got);
		assert_memory_equal(got, want, HASH_LEN);
		ledger_close(l);
		must_verify(&p, size);
		if (size == 255)
			assert_int_equal(
				file_size(p.zone, "_ledger/tile/0/000.p/255"),
				255 * 32);
		if (size == 256) {
			assert_true(exists(p.zone, "_ledger/tile/0/000"));
			assert_true(exists(p.zone, "_ledger/tile/1/000.p/1"));
		}
	}
	/* The full tiles' partial ones are gone, the others are kept. */
	assert_false(exists(p.zone, "_ledger/tile/0/000.p"));
	assert_false(exists(p.zone, "_ledger/tile/entries/000.p"));
	assert_true(exists(p.zone, "_ledger/tile/1/000.p/1"));
	assert_int_equal(file_mode(p.zone, "_ledger/tile/0/000"), 0444);
	assert_int_equal(file_mode(p.zone, "_ledger/tile/0"), 0755);
	assert_int_equal(file_mode(p.zone, "_ledger/checkpoint"), 0444);
	assert_int_equal(file_mode(p.state, "ledger.key"), 0400);
	place_remove(&p);
}

static void
test_largest_entry_and_refused_lengths(void **state UNUSED)
{
	struct place p = place_make();
	struct ledger *l = must_create(&p);
	char *big = mem_alloc(FORMAT_ENTRY_MAX + 1);
	CLEANUP(str_release) struct str s = STR_INIT;
	struct ledger_entry entry = {.text = big, .len = FORMAT_ENTRY_MAX + 1};
	struct ledger_view *v;
	struct err e = ERR_INIT;

	memset(big, 'x', FORMAT_ENTRY_MAX + 1);
	assert_int_equal(ledger_append(l, &entry, 1, &e), BAD_ITEM);
	entry.len = 0;
	assert_int_equal(ledger_append(l, &entry, 1, &e), BAD_ITEM);
	assert_int_equal(ledger_size(l), 0);
	entry.len = FORMAT_ENTRY_MAX;
	must(ledger_append(l, &entry, 1, &e), &e);
	ledger_close(l);
	must_verify(&p, 1);
	v = must_view(&p);
	must(ledger_view_entry(v, 0, &s, &e), &e);
	assert_int_equal(s.len, FORMAT_ENTRY_MAX);
	assert_memory_equal(s.s, big, s.len);
	assert_int_equal(ledger_view_entry(v, 1, &s, &e), BAD_ITEM);
	ledger_view_close(v);
	free(big);
	place_remove(&p);
}

static void
test_create_touches_nothing_that_exists(void **state UNUSED)
{
	struct place p = place_make();
	struct err e = ERR_INIT;

	assert_int_equal(
		ledger_create(p.zone, p.state, "with space", &e), BAD_ITEM);
	assert_int_equal(ledger_create(p.zone, p.state, "a+b", &e), BAD_ITEM);
	assert_int_equal(ledger_create(p.zone, p.state, "", &e), BAD_ITEM);
	assert_false(exists(p.zone, "_ledger"));
	ledger_close(must_create(&p));
	shell("cp state/ledger.key key; sha256sum zone/_ledger/[a-z]* >sums",
		p.root);
	assert_int_equal(ledger_create(p.zone, p.state, ORIGIN, &e), BAD_ITEM);
	assert_int_equal(e.cause, EEXIST);
	/* A lost key does not make room for another ledger in this zone. */
	assert_int_equal(unlinkat(p.state, "ledger.key", 0), 0);
	assert_int_equal(ledger_create(p.zone, p.state, ORIGIN, &e), BAD_ITEM);
	assert_int_equal(e.cause, EEXIST);
	shell("cp key state/ledger.key; rm -f key; sha256sum -c --quiet sums;"
	      "rm sums",
		p.root);
	must_verify(&p, 0);
	place_remove(&p);
}

/* ---- proofs ---- */

/* The text that C2SP asks for, from what the proof has. */
static void
check_tlog_proof(
	struct ledger_view *v, uint64_t index, const uint8_t *proof, size_t n)
{
	CLEANUP(str_release) struct str want = STR_INIT, got = STR_INIT;
	uint8_t root[HASH_LEN];
	struct err e = ERR_INIT;

	str_addf(&want, "c2sp.org/tlog-proof@v1\nindex %" PRIu64 "\n", index);
	for (size_t i = 0; i < n; i++) {
		str_add_base64(&want, proof + i * HASH_LEN, HASH_LEN);
		str_addc(&want, '\n');
	}
	ledger_view_root(v, root);
	str_addf(&want, "\n%s\n%" PRIu64 "\n", ledger_view_origin(v),
		ledger_view_size(v));
	str_add_base64(&want, root, HASH_LEN);
	str_add(&want, "\n\n\u2014 ");
	must(ledger_view_tlog_proof(v, index, &got, &e), &e);
	assert_true(got.len > want.len);
	assert_memory_equal(got.s, want.s, want.len);
	assert_int_equal(got.s[got.len - 1], '\n');
}

static void
test_proofs_of_every_leaf(void **state UNUSED)
{
	static const size_t sizes[] = {1, 2, 3, 7, 8, 255, 256, 257, 600};
	struct place p = place_make();
	struct ledger *l = must_create(&p);

	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		struct ledger_view *v;
		uint8_t root[HASH_LEN];

		must_append(l, sizes[s] - ledger_size(l));
		v = must_view(&p);
		ledger_view_root(v, root);
		for (uint64_t i = 0; i < sizes[s]; i++) {
			uint8_t proof[64 * HASH_LEN], leaf[HASH_LEN];
			uint8_t got[HASH_LEN];
			struct err e = ERR_INIT;
			size_t n = 99;

			must(ledger_view_proof(v, i, proof, &n, &e), &e);
			check_tlog_proof(v, i, proof, n);
			naive_root(i, 1, leaf);
			assert_true(
				proof_root(i, sizes[s], leaf, proof, n, got));
			assert_memory_equal(got, root, HASH_LEN);
			/* Neither another place nor another length fits. */
			assert_true(!proof_root(i ^ 1, sizes[s], leaf, proof, n,
					    got) ||
				memcmp(got, root, HASH_LEN) != 0);
			if (n > 0) {
				assert_false(proof_root(
					i, sizes[s], leaf, proof, n - 1, got));
				proof[0] ^= 1;
				assert_true(proof_root(
					i, sizes[s], leaf, proof, n, got));
				assert_memory_not_equal(got, root, HASH_LEN);
			}
		}
		ledger_view_close(v);
	}
	ledger_close(l);
	place_remove(&p);
}

static void
test_entries_come_back(void **state UNUSED)
{
	struct place p = place_make();
	struct ledger *l = must_create(&p);
	struct ledger_view *v;

	must_append(l, 600);
	ledger_close(l);
	v = must_view(&p);
	assert_string_equal(ledger_view_origin(v), ORIGIN);
	for (uint64_t i = 0; i < 1200; i++) {
		CLEANUP(str_release) struct str s = STR_INIT;
		uint64_t index = i < 600 ? i : i * 251 % 600;
		struct err e = ERR_INIT;
		char want[64];

		entry_text(index, want);
		must(ledger_view_entry(v, index, &s, &e), &e);
		assert_string_equal(s.s, want);
	}
	ledger_view_close(v);
	place_remove(&p);
}

/* ---- the auditor's README ---- */

/* A zone of 260 entries, the first of them a delivery that exists. */
static void
make_zone_with_a_delivery(const struct place *p)
{
	CLEANUP(str_release) struct str text = STR_INIT;
	CLEANUP(str_release) struct str sums = STR_INIT;
	struct ledger_entry entry;
	struct ledger *l = must_create(p);
	struct err e = ERR_INIT;

	shell("mkdir -p zone/acme/dt=2026-11-23; cd zone;"
	      "echo a,b,c >a; sha256sum <a >../sums;"
	      "zstd -q a -o acme/dt=2026-11-23/a.csv.zst; rm a;"
	      "sha256sum <acme/dt=2026-11-23/a.csv.zst >>../sums",
		p->root);
	must(io_read_file(p->zone, "../sums", 1024, &sums, BROKEN, &e), &e);
	str_addf(&text,
		"{\"bytes_sha256\":\"%.64s\",\"disposition\":\"landed\","
		"\"file\":\"acme/dt=2026-11-23/a.csv.zst\","
		"\"file_sha256\":\"%.64s\",\"generation\":1}",
		sums.s, strchr(sums.s, '\n') + 1);
	entry = (struct ledger_entry){.text = text.s, .len = text.len};
	must(ledger_append(l, &entry, 1, &e), &e);
	must_append(l, 259);
	ledger_close(l);
	shell("rm sums", p->root);
}

static void
run_readme(const struct place *p, struct str *out)
{
	struct err e = ERR_INIT;

	shell("sed -n '/^ \\{20\\}/!s/^    //p' zone/_ledger/README >script;"
	      "(cd zone; sh ../script) >out 2>&1; rm script",
		p->root);
	must(io_read_file(p->zone, "../out", 1 << 20, out, BROKEN, &e), &e);
	shell("rm out", p->root);
}

static void
test_commands_of_the_readme(void **state UNUSED)
{
	CLEANUP(str_release) struct str out = STR_INIT;
	CLEANUP(str_release) struct str want = STR_INIT;
	CLEANUP(str_release) struct str hex = STR_INIT;
	struct place p = place_make();
	struct ledger_view *v;
	uint8_t root[HASH_LEN];

	if (system("{ openssl version && zstd --version &&"
		   "basenc --version; } >/dev/null 2>&1") != 0)
		skip();
	make_zone_with_a_delivery(&p);
	run_readme(&p, &out);
	v = must_view(&p);
	ledger_view_root(v, root);
	ledger_view_close(v);
	str_add_hex(&hex, root, sizeof(root));
	str_addf(&want,
		"Signature Verified Successfully\n%s\n%s\nfiles: 1 good\n",
		hex.s, hex.s);
	if (strstr(out.s, want.s) == NULL)
		fail_msg("want: %s\ngot: %s", want.s, out.s);
	assert_null(strstr(out.s, "BAD"));
	/* And they see damage. */
	shell("cd zone; chmod -R u+w .; echo x | zstd -q "
	      ">acme/dt=2026-11-23/a.csv.zst;"
	      "sed -i s/^260$/261/ _ledger/checkpoint;"
	      "sed -i '1s/index/indeX/' _ledger/tile/entries/000",
		p.root);
	str_clear(&out);
	run_readme(&p, &out);
	assert_non_null(strstr(out.s, "Signature Verification Failure"));
	str_clear(&want);
	str_addf(&want, "%s\n%s", hex.s, hex.s);
	assert_null(strstr(out.s, want.s));
	assert_non_null(strstr(out.s, "a.csv.zst: FAILED"));
	assert_non_null(strstr(out.s, "BAD: acme/dt=2026-11-23/a.csv.zst"));
	shell("rm -r zone/acme", p.root);
	place_remove(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots_are_those_of_the_definition),
		cmocka_unit_test(test_published_roots),
		cmocka_unit_test(test_tile_paths),
		cmocka_unit_test(test_layout_of_the_specification_example),
		cmocka_unit_test(test_sizes_around_a_tile),
		cmocka_unit_test(test_largest_entry_and_refused_lengths),
		cmocka_unit_test(test_create_touches_nothing_that_exists),
		cmocka_unit_test(test_proofs_of_every_leaf),
		cmocka_unit_test(test_entries_come_back),
		cmocka_unit_test(test_commands_of_the_readme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
