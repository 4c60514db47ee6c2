/*
 * daemon/order-wire: an order on its way, and whatever else comes that way.
 * daemon/said: what it says.
 */
#include "daemon/order-wire.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "unit.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/io.h"
#include "daemon/said.h"
#include "scratch.h"

#define SOON (clock_mono() + 60 * CLOCK_SECOND)

static struct message m;

static const struct order_request backfill = {
	.verb = ORDER_BACKFILL,
	.quiet = true,
	.arg = {"shop", "records", "2026-01-01", "2026-01-02"},
};

static void
assert_refused(const char *with)
{
	struct order_request q = {.verb = ORDER_VERBS};
	struct err e = ERR_INIT;

	assert_int_equal(order_wire_take(&m, &q, &e), BAD_ITEM);
	if (strstr(e.text, with) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", e.text, with);
	assert_int_equal(q.verb, ORDER_VERBS);
}

static void
test_an_order_comes_as_it_was_given(void **state UNUSED)
{
	for (enum order_verb v = 0; v < ORDER_VERBS; v++) {
		struct order_request q = {.verb = v, .json = v % 2}, back;
		struct err e = ERR_INIT;

		for (size_t i = 0; i < order_verb_args(v); i++)
			assert_true(order_wire_arg(&q, i, i == 1 ? "" : "x y"));
		order_wire_put(&m, &q);
		must(order_wire_take(&m, &back, &e), &e);
		assert_memory_equal(&q, &back, sizeof(q));
	}
}

static void
test_an_argument_has_an_end(void **state UNUSED)
{
	struct order_request q = backfill, back;
	char text[ORDER_WIRE_TEXT + 1];
	struct err e = ERR_INIT;

	memset(text, 'x', sizeof(text));
	text[ORDER_WIRE_TEXT] = '\0';
	assert_false(order_wire_arg(&q, 0, text));
	text[ORDER_WIRE_TEXT - 1] = '\0';
	assert_true(order_wire_arg(&q, 0, text));
	order_wire_put(&m, &q);
	must(order_wire_take(&m, &back, &e), &e);
	assert_string_equal(back.arg[0], text);
}

/* Cut anywhere, and with bytes behind: never an order. */
static void
test_no_part_of_an_order_is_one(void **state UNUSED)
{
	uint32_t whole;

	order_wire_put(&m, &backfill);
	whole = m.len;
	for (uint32_t len = 0; len < whole; len++) {
		order_wire_put(&m, &backfill);
		m.len = len;
		assert_refused("");
	}
	order_wire_put(&m, &backfill);
	m.body[m.len++] = 0;
	assert_refused("no order");
	order_wire_put(&m, &backfill);
	message_put_text(&m, "and more");
	assert_refused("no order");
}

static void
test_what_lies_is_refused(void **state UNUSED)
{
	/* Behind version, verb, json and quiet: the length of the first. */
	enum { VERSION = 0, VERB = 8, LENGTH = 32 };

	order_wire_put(&m, &backfill);
	m.type = ORDER_WIRE_TAKEN;
	assert_refused("no order");
	order_wire_put(&m, &backfill);
	put_le64(m.body + VERSION, ORDER_WIRE_VERSION + 1);
	assert_refused("restart it");
	/* Whatever else that version has. */
	m.at = 0;
	m.len = 16;
	assert_refused("restart it");
	order_wire_put(&m, &backfill);
	put_le64(m.body + VERB, ORDER_VERBS);
	assert_refused("restart it");
	order_wire_put(&m, &backfill);
	put_le64(m.body + VERB, UINT64_MAX);
	assert_refused("restart it");
	/* The arguments of another verb. */
	order_wire_put(&m, &backfill);
	put_le64(m.body + VERB, ORDER_RELEASE);
	assert_refused("no order");
	for (uint32_t len = 0; len < 9; len++) {
		order_wire_put(&m, &backfill);
		put_le32(m.body + LENGTH, len == 4 ? UINT32_MAX : len);
		assert_refused("no order");
	}
}

static void
test_nul_is_in_no_argument(void **state UNUSED)
{
	for (size_t at = 36; at < 40; at++) {
		order_wire_put(&m, &backfill);
		assert_int_equal(m.body[at], backfill.arg[0][at - 36]);
		m.body[at] = '\0';
		assert_refused("no order");
	}
}

static void
test_too_much_is_no_argument(void **state UNUSED)
{
	static uint8_t much[MESSAGE_MAX - 256];

	memset(much, 'x', sizeof(much));
	message_begin(&m, ORDER_WIRE_GIVEN);
	message_put_u64(&m, ORDER_WIRE_VERSION);
	message_put_u64(&m, ORDER_RELEASE);
	message_put_u64(&m, 0);
	message_put_u64(&m, 0);
	message_put_bytes(&m, much, ORDER_WIRE_TEXT);
	message_put_text(&m, "");
	message_put_text(&m, "");
	assert_refused("no order");
	message_begin(&m, ORDER_WIRE_GIVEN);
	message_put_u64(&m, ORDER_WIRE_VERSION);
	message_put_u64(&m, ORDER_RELEASE);
	message_put_u64(&m, 0);
	message_put_u64(&m, 0);
	message_put_text(&m, "17");
	message_put_bytes(&m, much, sizeof(much));
	assert_false(m.bad);
	assert_refused("no order");
}

/* A directory whose path no socket's address would hold. */
static int
make_deep(int dir)
{
	char name[101];
	int fd = dup(dir);

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		int up = fd;

		assert_int_equal(mkdirat(up, name, 0700), 0);
		fd = openat(up, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fd >= 0);
		close(up);
	}
	return fd;
}

static void
test_the_door_is_where_the_state_is(void **state UNUSED)
{
	char path[SCRATCH_PATH];
	int scratch = scratch_make(path), dir = make_deep(scratch);
	int door = -1, here = -1, there;
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(order_wire_connect(dir, &here, &e), END);
	must(order_wire_listen(dir, &door, &e), &e);
	assert_int_equal(fstatat(dir, ORDER_WIRE_NAME, &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	must(order_wire_connect(dir, &here, &e), &e);
	there = accept(door, NULL, NULL);
	assert_true(there >= 0);
	order_wire_put(&m, &backfill);
	must(channel_send(here, &m, SOON, &e), &e);
	must(channel_recv(there, &m, false, SOON, &e), &e);
	must(order_wire_take(&m, &(struct order_request){0}, &e), &e);
	close(there);
	assert_int_equal(channel_recv(here, &m, false, SOON, &e), END);
	close(here);

	/* Whoever listened is dead; the next takes its place. */
	close(door);
	assert_int_equal(order_wire_connect(dir, &here, &e), END);
	must(order_wire_listen(dir, &door, &e), &e);
	must(order_wire_connect(dir, &here, &e), &e);
	close(here);
	close(door);

	/* What is no socket does not go away for one. */
	assert_int_equal(unlinkat(dir, ORDER_WIRE_NAME, 0), 0);
	assert_int_equal(mkdirat(dir, ORDER_WIRE_NAME, 0700), 0);
	assert_int_equal(order_wire_listen(dir, &door, &e), BROKEN);
	close(dir);
	close(scratch);
	scratch_remove(path);
}

/* ---- what is said ---- */

static void
hear(struct said *s, enum order_wire_type type, const char *text)
{
	static char line[MESSAGE_MAX];

	assert_true(said_next(s, &m));
	assert_int_equal(m.type, type);
	/* Until it is heard it is said again. */
	assert_true(said_next(s, &m));
	message_take_text(&m, line, sizeof(line));
	assert_true(message_end(&m));
	assert_string_equal(line, text);
	said_heard(s);
}

static void
hear_end(struct said *s, uint64_t status)
{
	assert_false(s->over);
	assert_true(said_next(s, &m));
	assert_int_equal(m.type, ORDER_WIRE_END);
	assert_int_equal(message_take_u64(&m), status);
	assert_true(message_end(&m));
	said_heard(s);
	assert_true(s->over);
	assert_false(said_next(s, &m));
}

static void
test_all_that_is_said_is_heard(void **state UNUSED)
{
	static char line[MESSAGE_MAX * 2], first[MESSAGE_MAX - 3];
	char path[SCRATCH_PATH], text[32];
	int dir = scratch_make_quick(path);
	struct said s;

	said_init(&s, dir, NULL);
	assert_false(said_next(&s, &m));
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		said_add(&s, i % 2 == 0 ? ORDER_WIRE_OUT : ORDER_WIRE_TALK,
			text);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "line %d\n", i);
		hear(&s, i % 2 == 0 ? ORDER_WIRE_OUT : ORDER_WIRE_TALK, text);
	}
	assert_false(said_next(&s, &m));
	/* One that no message holds comes in pieces. */
	memset(line, 'x', MESSAGE_MAX - 1);
	memset(first, 'x', sizeof(first) - 1);
	said_add(&s, ORDER_WIRE_OUT, line);
	said_end(&s, 3);
	hear(&s, ORDER_WIRE_OUT, first);
	hear(&s, ORDER_WIRE_OUT, "xxx\n");
	hear_end(&s, 3);
	said_release(&s);
	close(dir);
	scratch_remove(path);
}

static void
test_what_cannot_be_kept_is_counted(void **state UNUSED)
{
	char path[SCRATCH_PATH];
	int dir = scratch_make_quick(path);
	struct said s;

	said_init(&s, dir, NULL);
	said_add(&s, ORDER_WIRE_OUT, "one");
	s.size += SAID_MOST;
	said_add(&s, ORDER_WIRE_OUT, "two");
	s.size -= SAID_MOST;
	/* Nor is what comes behind it, though it would fit. */
	said_add(&s, ORDER_WIRE_OUT, "three");
	said_end(&s, 0);
	hear(&s, ORDER_WIRE_OUT, "one\n");
	hear(&s, ORDER_WIRE_TALK,
		"landfall: lines left out here: 2: there were more than 1.0 "
		"GiB "
		"to be heard; the daemon's log has what landed\n");
	hear_end(&s, 0);
	said_release(&s);

	said_init(&s, -1, NULL);
	said_add(&s, ORDER_WIRE_OUT, "one");
	said_end(&s, 0);
	hear(&s, ORDER_WIRE_TALK,
		"landfall: lines left out here: 1: spool: open .: Bad file "
		"descriptor; the daemon's log has what landed\n");
	hear_end(&s, 0);
	said_release(&s);
	close(dir);
	scratch_remove(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_order_comes_as_it_was_given),
		cmocka_unit_test(test_an_argument_has_an_end),
		cmocka_unit_test(test_no_part_of_an_order_is_one),
		cmocka_unit_test(test_what_lies_is_refused),
		cmocka_unit_test(test_nul_is_in_no_argument),
		cmocka_unit_test(test_too_much_is_no_argument),
		cmocka_unit_test(test_the_door_is_where_the_state_is),
		cmocka_unit_test(test_all_that_is_said_is_heard),
		cmocka_unit_test(test_what_cannot_be_kept_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
