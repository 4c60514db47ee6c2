/* ledger/: hashes, files, notes, what a crash leaves and what damage shows. */
#include "landfall/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/durable.h"
#include "base/mem.h"
#include "ledger/note.h"
#include "ledger/proof.h"
#include "ledger/tile.h"
#include "ledger/tree.h"

#include "unit.h"

#define ORIGIN "ledger.example.com/zone1"

/* ---- a zone and a state directory to play with ---- */

struct place {
	char root[64];
	int zone, state;
};

static int
open_dir(const char *root, const char *name)
{
	CLEANUP(str_release) struct str path = STR_INIT;
	struct err e = ERR_INIT;
	int fd = -1;

	str_addf(&path, "%s/%s", root, name);
	assert_int_equal(mkdir(path.s, 0700), 0);
	must(io_open(AT_FDCWD, path.s, O_RDONLY | O_DIRECTORY, 0, &fd, BROKEN,
		     &e),
		&e);
	return fd;
}

static struct place
place_make(void)
{
	struct place p = {.root = "/tmp/landfall-ledger.XXXXXX"};

	umask(022);
	assert_non_null(mkdtemp(p.root));
	p.zone = open_dir(p.root, "zone");
	p.state = open_dir(p.root, "state");
	return p;
}

static void
shell(const char *fmt, const char *root)
{
	CLEANUP(str_release) struct str command = STR_INIT;

	str_addf(&command, "set -e; cd %s; %s", root, fmt);
	if (system(command.s) != 0)
		fail_msg("%s", command.s);
}

static void
place_remove(struct place *p)
{
	io_drop(&p->zone);
	io_drop(&p->state);
	shell("chmod -R u+w . && rm -r zone state", p->root);
	rmdir(p->root);
}

static struct ledger *
must_open(const struct place *p)
{
	struct err e = ERR_INIT;
	struct ledger *l = NULL;

	must(ledger_open(p->zone, p->state, ORIGIN, &l, &e), &e);
	return l;
}

static struct ledger *
must_create(const struct place *p)
{
	struct err e = ERR_INIT;

	must(ledger_create(p->zone, p->state, ORIGIN, &e), &e);
	return must_open(p);
}

/* The i-th entry of every ledger in this file. */
static void
entry_text(uint64_t i, char out[64])
{
	snprintf(out, 64, "{\"index\":%" PRIu64 "}", i);
}

static enum rc
append(struct ledger *l, size_t n, struct err *e)
{
	struct ledger_entry *entries = mem_array(n + 1, sizeof(*entries));
	char(*text)[64] = mem_array(n + 1, sizeof(*text));
	uint64_t size = ledger_size(l);
	enum rc rc;

	for (size_t i = 0; i < n; i++) {
		entry_text(size + i, text[i]);
		entries[i].text = text[i];
		entries[i].len = strlen(text[i]);
	}
	rc = ledger_append(l, entries, n, e);
	free(entries);
	free(text);
	return rc;
}

static void
must_append(struct ledger *l, size_t n)
{
	struct err e = ERR_INIT;

	must(append(l, n, &e), &e);
}

static struct ledger_view *
must_view(const struct place *p)
{
	struct ledger_view *v = NULL;
	struct err e = ERR_INIT;

	must(ledger_view_open(p->zone, NULL, &v, &e), &e);
	return v;
}

/* Nothing is expected: the first finding is the failure's text. */
static void
no_finding(void *arg UNUSED, const char *file, const char *what)
{
	fail_msg("%s: %s", file, what);
}

static void
any_finding(void *arg, const char *file UNUSED, const char *what UNUSED)
{
	++*(unsigned *)arg;
}

static void
must_verify(const struct place *p, uint64_t size)
{
	struct ledger_view *v = must_view(p);
	struct err e = ERR_INIT;

	assert_int_equal(ledger_view_size(v), size);
	must(ledger_view_check(v, no_finding, NULL, &e), &e);
	ledger_view_close(v);
}

static bool
exists(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, 0) == 0;
}

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

/* ---- keys and notes ---- */

#define SPEC_VKEY \
	"example.com/foo+530d903a+" \
	"AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

static void
test_vkey_of_the_specification(void **state UNUSED)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	static const uint8_t id[] = {0x53, 0x0d, 0x90, 0x3a};
	struct err e = ERR_INIT;
	struct key k;

	must(key_parse_vkey(&k, SPEC_VKEY, strlen(SPEC_VKEY), &e), &e);
	assert_string_equal(k.name, "example.com/foo");
	assert_memory_equal(k.id, id, sizeof(id));
	key_add_vkey(&k, &s);
	assert_string_equal(s.s, SPEC_VKEY);
	key_release(&k);
}

static void
test_vkey_with_any_byte_changed_is_refused(void **state UNUSED)
{
	char text[] = SPEC_VKEY;
	struct err e = ERR_INIT;
	struct key k;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char kept = text[i];

		/* Case of a hex digit is the one thing that means nothing. */
		for (char bit = 1; bit > 0 && bit <= 0x10; bit <<= 1) {
			text[i] = kept ^ bit;
			assert_int_equal(
				key_parse_vkey(&k, text, sizeof(text) - 1, &e),
				BAD_ITEM);
		}
		text[i] = kept;
	}
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(key_parse_vkey(&k, text, n, &e), BAD_ITEM);
}

static void
test_private_key_survives_its_file(void **state UNUSED)
{
	CLEANUP(str_release) struct str pem = STR_INIT;
	uint8_t sig[KEY_SIGNATURE_LEN];
	struct err e = ERR_INIT;
	struct key a, b;

	must(key_generate(&a, ORIGIN, &e), &e);
	key_add_private_pem(&a, &pem);
	must(key_parse_pem(&b, ORIGIN, pem.s, pem.len, &e), &e);
	assert_memory_equal(a.public_key, b.public_key, KEY_PUBLIC_LEN);
	key_sign(&b, "text", 4, sig);
	assert_true(key_verify(&a, "text", 4, sig, sizeof(sig)));
	assert_false(key_verify(&a, "texT", 4, sig, sizeof(sig)));
	assert_false(key_verify(&a, "text", 4, sig, sizeof(sig) - 1));
	assert_int_equal(
		key_parse_pem(&b, ORIGIN, pem.s, pem.len / 2, &e), BAD_ITEM);
	key_release(&a);
	key_release(&b);
}

#define ROOT0 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define SIG "\xe2\x80\x94 a AAAAAAA=\n"

static const struct hostile_note {
	const char *text;
	const char *why;
} hostile_notes[] = {
	{"", "note: no empty line between text and signatures"},
	{"\n", "note: no empty line between text and signatures"},
	{"o\n0\n" ROOT0 "\n",
		"note: no empty line between text and signatures"},
	{"o\n0\n" ROOT0 "\n\n", "note: no signature"},
	{"o\n0\n" ROOT0 "\n\nx\n", "note: signature line 1 is malformed"},
	{"o\n0\n" ROOT0 "\n\n" SIG "x\n",
		"note: signature line 2 is malformed"},
	{"o\n0\n" ROOT0 "\n\n\xe2\x80\x94 a AAAAAAA=",
		"note: signature line 1 is malformed"},
	{"o\n0\n" ROOT0 "\n\n\xe2\x80\x94 a AAAA\n",
		"note: signature line 1 is malformed"},
	{"o\n0\n" ROOT0 "\n\n\xe2\x80\x94 a AAAAAA==\n",
		"note: signature line 1 is malformed"},
	{"o\n0\n" ROOT0 "\n\n\xe2\x80\x94 a AAAAA==\n",
		"note: signature line 1 is malformed"},
	{"o\n0\n" ROOT0 "\n\n\xe2\x80\x94  AAAAAAA=\n",
		"note: signature line 1 is malformed"},
	{"o\n0\n" ROOT0 "\n\n\xe2\x80\x94 a+b AAAAAAA=\n",
		"note: signature line 1 is malformed"},
	{"o\n0\n" ROOT0 "\n\n\xe2\x80\x94 a b AAAAAAA=\n",
		"note: signature line 1 is malformed"},
	{"o\n0\n" ROOT0 "\n\n\xe2\x80\x94",
		"note: signature line 1 is malformed"},
	{"o\r\n0\n" ROOT0 "\n\n" SIG, "note: control character at byte 1"},
	{"o\xff\n0\n" ROOT0 "\n\n" SIG, "note: not UTF-8"},
	{"\n\n" SIG, "checkpoint: bad origin line"},
	{"o\n\n" SIG, "checkpoint: bad size line"},
	{"o\n00\n" ROOT0 "\n\n" SIG, "checkpoint: bad size line"},
	{"o\n01\n" ROOT0 "\n\n" SIG, "checkpoint: bad size line"},
	{"o\n+1\n" ROOT0 "\n\n" SIG, "checkpoint: bad size line"},
	{"o\n\n" ROOT0 "\n\n" SIG, "checkpoint: bad size line"},
	{"o\n18446744073709551616\n" ROOT0 "\n\n" SIG,
		"checkpoint: bad size line"},
	{"o\n1\n\n" SIG, "checkpoint: bad root line"},
	{"o\n1\nAAAA\n\n" SIG, "checkpoint: bad root line"},
	{"o\n1\n" ROOT0 "AAAA\n\n" SIG, "checkpoint: bad root line"},
	{"o\n1\n" ROOT0 "\n\nmore\n\n" SIG, "checkpoint: empty extension line"},
};

static void
test_notes_that_are_not_checkpoints(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(hostile_notes); i++) {
		const char *text = hostile_notes[i].text;
		/* No NUL behind: an overrun is an error under ASan. */
		char *bytes = mem_array(1, strlen(text) + 1);
		struct checkpoint c;
		struct err e = ERR_INIT;
		struct note note;
		enum rc rc;

		memcpy(bytes, text, strlen(text));
		rc = note_parse(bytes, strlen(text), &note, &e);
		if (rc == OK)
			rc = note_checkpoint(&note, &c, &e);
		assert_int_equal(rc, BAD_ITEM);
		assert_string_equal(e.text, hostile_notes[i].why);
		free(bytes);
	}
}

static void
add_signature(struct str *s, const char *name, const uint8_t id[KEY_ID_LEN],
	const uint8_t *sig, size_t n)
{
	uint8_t raw[256];

	memcpy(raw, id, KEY_ID_LEN);
	memcpy(raw + KEY_ID_LEN, sig, n);
	str_addf(s, "\xe2\x80\x94 %s ", name);
	str_add_base64(s, raw, KEY_ID_LEN + n);
	str_addc(s, '\n');
}

static enum rc
parse_and_verify(const struct str *s, const struct key *k, struct err *e)
{
	struct note note;

	if (note_parse(s->s, s->len, &note, e) != OK)
		return e->code;
	return note_verify(&note, k, e);
}

static void
test_signatures_by_others_are_ignored(void **state UNUSED)
{
	CLEANUP(str_release) struct str s = STR_INIT;
	static const uint8_t junk[KEY_SIGNATURE_LEN] = {1, 2, 3};
	struct checkpoint c = {.origin = ORIGIN};
	uint8_t other[KEY_ID_LEN];
	struct err e = ERR_INIT;
	size_t unsigned_len;
	struct key k;

	must(key_generate(&k, ORIGIN, &e), &e);
	note_add_checkpoint(&s, &c, &k);
	memcpy(other, k.id, KEY_ID_LEN);
	other[3] ^= 1;
	/* Same name with another ID, same ID with another name, long ones. */
	add_signature(&s, ORIGIN, other, junk, sizeof(junk));
	add_signature(&s, "witness.example", k.id, junk, 1);
	for (int i = 0; i < 16; i++)
		add_signature(&s, "w.example", other, junk, sizeof(junk));
	must(parse_and_verify(&s, &k, &e), &e);
	/* One by our key that is wrong spoils it all. */
	unsigned_len = s.len;
	add_signature(&s, ORIGIN, k.id, junk, sizeof(junk));
	assert_int_equal(parse_and_verify(&s, &k, &e), BAD_ITEM);
	assert_string_equal(e.text, "the signature by " ORIGIN " is wrong");
	str_cut(&s, unsigned_len);
	add_signature(&s, ORIGIN, k.id, junk, 3);
	assert_int_equal(parse_and_verify(&s, &k, &e), BAD_ITEM);
	/* Nobody we know. */
	str_clear(&s);
	str_add(&s, "text\n\n");
	add_signature(&s, ORIGIN, other, junk, sizeof(junk));
	assert_int_equal(parse_and_verify(&s, &k, &e), BAD_ITEM);
	assert_string_equal(
		e.text, "no signature by " ORIGIN " with the expected key");
	for (int i = 0; i < NOTE_SIGNATURES_MAX; i++)
		add_signature(&s, "w.example", other, junk, sizeof(junk));
	assert_int_equal(parse_and_verify(&s, &k, &e), BAD_ITEM);
	assert_string_equal(e.text, "note: more than 64 signatures");
	key_release(&k);
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
		cmocka_unit_test(test_vkey_of_the_specification),
		cmocka_unit_test(test_vkey_with_any_byte_changed_is_refused),
		cmocka_unit_test(test_private_key_survives_its_file),
		cmocka_unit_test(test_notes_that_are_not_checkpoints),
		cmocka_unit_test(test_signatures_by_others_are_ignored),
		cmocka_unit_test(test_every_changed_byte_is_found),
		cmocka_unit_test(test_findings_name_the_file),
		cmocka_unit_test(test_another_key_is_refused),
		cmocka_unit_test(test_absurd_size_ends),
		cmocka_unit_test(test_proofs_of_every_leaf),
		cmocka_unit_test(test_entries_come_back),
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
		cmocka_unit_test(test_commands_of_the_readme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
