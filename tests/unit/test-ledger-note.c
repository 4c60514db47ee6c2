/* ledger/: keys, notes and who has signed them. */
#include <stdlib.h>

#include "base/mem.h"
#include "ledger/note.h"

#include "ledger-place.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vkey_of_the_specification),
		cmocka_unit_test(test_vkey_with_any_byte_changed_is_refused),
		cmocka_unit_test(test_private_key_survives_its_file),
		cmocka_unit_test(test_notes_that_are_not_checkpoints),
		cmocka_unit_test(test_signatures_by_others_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
