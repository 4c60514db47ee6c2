/* catalog/: what is kept of a source, beside its names. */
#include "catalog/catalog-sql.h"
#include "landfall/catalog.h"

#include "catalog-place.h"

static void
test_what_arrived(void **state)
{
	struct place *p = *state;
	struct catalog_pass pass = {.source = "s", .started = 70};
	struct catalog_version v = landing(0, "abc", "f0");
	struct arrived least = {.files = 2}, a;
	int64_t t = v.landed_at;
	struct err e = ERR_INIT;

	must(catalog_arrived(p->catalog, "s", 0, INT64_MAX, &least, &a, &e),
		&e);
	assert_int_equal(a.files, 0);
	assert_int_equal(a.looked, 0);
	for (uint32_t i = 0; i < 5; i++) {
		char name[2] = {(char)('a' + i), '\0'};
		char file[3] = {'f', (char)('0' + i), '\0'};

		v.index = i;
		v.file = file;
		v.size = 100;
		v.records = 10 + i;
		v.landed_at = t + i;
		v.disposition = i == 1 ? DISPOSITION_DUPLICATE
			: i == 3       ? DISPOSITION_QUARANTINED
			: i == 4       ? DISPOSITION_NEW_VERSION
				       : DISPOSITION_LANDED;
		put(p, "s", name, &sig_a, 1, &v);
	}
	v.index = 5;
	v.file = "f5";
	put(p, "t", "a", &sig_a, 1, &v);
	/* a, c and e count. */
	must(catalog_arrived(p->catalog, "s", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.files, 3);
	assert_int_equal(a.bytes, 300);
	assert_int_equal(a.records, 36);
	assert_int_equal(a.enough_at, t + 2);
	least.records = 23;
	must(catalog_arrived(p->catalog, "s", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.enough_at, t + 4);
	least.bytes = 301;
	must(catalog_arrived(p->catalog, "s", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.enough_at, 0);
	/* From the first instant on, and without the last. */
	must(catalog_arrived(p->catalog, "s", t + 1, t + 4, &least, &a, &e),
		&e);
	assert_int_equal(a.files, 1);
	assert_int_equal(a.records, 12);
	/* The newest complete look. */
	pass.outcome = PASS_COMPLETE;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	pass.started = 80;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	pass.started = 90;
	pass.outcome = PASS_COULD_NOT_LOOK;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	pass.started = 100;
	pass.outcome = PASS_STOPPED;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_arrived(p->catalog, "s", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.looked, 80);
	must(catalog_arrived(p->catalog, "t", t, t + 5, &least, &a, &e), &e);
	assert_int_equal(a.files, 1);
	assert_int_equal(a.looked, 0);
}

/* A name that has been as it is since tomorrow: the clock was set back. */
static void
test_since_tomorrow(void **state)
{
	struct place *p = *state;
	struct catalog_name n;

	note(p, "s", "a", &sig_a, 1000, DISPOSITION_PENDING, "young");
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_int_equal(n.changed, 1000);
	note(p, "s", "a", &sig_a, 10, DISPOSITION_PENDING, "young");
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_int_equal(n.changed, 10);
	note(p, "s", "a", &sig_a, 20, DISPOSITION_PENDING, "young");
	assert_int_equal(find(p, "s", "a", &n), OK);
	assert_int_equal(n.changed, 10);
	assert_int_equal(sql_number(p, "SELECT count(*) FROM event"), 1);
}

static void
test_passes_and_counts(void **state)
{
	struct place *p = *state;
	struct catalog_pass pass = {
		.source = "s", .started = 10, .listed = 3, .unchanged = 1};
	struct catalog_pass got;
	uint64_t count[DISPOSITIONS];
	struct err e = ERR_INIT;

	assert_int_equal(catalog_pass_last(p->catalog, "s", &got, &e), END);
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_pass_last(p->catalog, "s", &got, &e), &e);
	assert_int_equal(got.ended, 0);
	assert_string_equal(got.trouble, "");
	pass.ended = 20;
	pass.outcome = PASS_COULD_NOT_LOOK;
	pass.count[DISPOSITION_LANDED] = 5;
	pass.count[DISPOSITION_IGNORED] = 6;
	pass.count[DISPOSITION_UNPACKED] = 2;
	pass.trouble = "list folder x: Permission denied";
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_pass_last(p->catalog, "s", &got, &e), &e);
	assert_string_equal(got.source, "s");
	assert_int_equal(got.started, 10);
	assert_int_equal(got.ended, 20);
	assert_int_equal(got.outcome, PASS_COULD_NOT_LOOK);
	assert_int_equal(got.listed, 3);
	assert_int_equal(got.unchanged, 1);
	assert_memory_equal(got.count, pass.count, sizeof(pass.count));
	assert_string_equal(got.trouble, pass.trouble);
	/* The newest of many. */
	must(catalog_begin(p->catalog, &e), &e);
	for (int i = 0; i < CATALOG_SQL_PASSES_KEPT + 10; i++) {
		pass.started = 100 + i;
		must(catalog_pass_put(p->catalog, &pass, &e), &e);
	}
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_pass_last(p->catalog, "s", &got, &e), &e);
	assert_int_equal(got.started, 109 + CATALOG_SQL_PASSES_KEPT);
	assert_int_equal(catalog_pass_last(p->catalog, "t", &got, &e), END);
	assert_int_equal(sql_number(p, "SELECT count(*) FROM pass"),
		CATALOG_SQL_PASSES_KEPT);
	/* The clock was set back: what was recorded last is the newest. */
	pass.started = 99 + CATALOG_SQL_PASSES_KEPT;
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_pass_last(p->catalog, "s", &got, &e), &e);
	assert_int_equal(got.started, 99 + CATALOG_SQL_PASSES_KEPT);

	note(p, "s", "a", &sig_a, 1, DISPOSITION_PENDING, "");
	note(p, "s", "b", &sig_a, 1, DISPOSITION_PENDING, "");
	note(p, "s", "c", &sig_a, 1, DISPOSITION_IGNORED, "");
	note(p, "t", "d", &sig_a, 1, DISPOSITION_IGNORED, "");
	must(catalog_count(p->catalog, "s", count, &e), &e);
	assert_int_equal(count[DISPOSITION_PENDING], 2);
	assert_int_equal(count[DISPOSITION_IGNORED], 1);
	assert_int_equal(count[DISPOSITION_LANDED], 0);
	must(catalog_count(p->catalog, "nobody", count, &e), &e);
	assert_int_equal(count[DISPOSITION_PENDING], 0);
}

static void
assert_shape(const struct catalog_shape *a, const struct catalog_shape *b)
{
	assert_int_equal(a->index, b->index);
	assert_int_equal(a->has_header, b->has_header);
	assert_memory_equal(a->header_sha256, b->header_sha256, HASH_LEN);
	assert_int_equal(a->columns, b->columns);
	assert_int_equal(a->bom, b->bom);
}

static void
test_a_source_has_the_shape_it_was_given_last(void **state)
{
	struct place *p = *state;
	const struct catalog_shape one = {.index = 7,
		.has_header = true,
		.header_sha256 = {1, 2, 3},
		.columns = 3};
	const struct catalog_shape two = {.index = 9, .bom = true};
	struct catalog_shape got;
	struct err e = ERR_INIT;

	assert_int_equal(catalog_shape_find(p->catalog, "s", &got, &e), END);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_shape_put(p->catalog, "s", &one, &e), &e);
	must(catalog_shape_put(p->catalog, "t", &two, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	reopen(p);
	must(catalog_shape_find(p->catalog, "s", &got, &e), &e);
	assert_shape(&got, &one);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_shape_put(p->catalog, "s", &two, &e), &e);
	catalog_abort(p->catalog);
	must(catalog_shape_find(p->catalog, "s", &got, &e), &e);
	assert_int_equal(got.index, 7);
	must(catalog_shape_find(p->catalog, "t", &got, &e), &e);
	assert_shape(&got, &two);
}

static enum rc
add_since(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	str_addf(arg, "%llu:", (unsigned long long)n->version.index);
	str_addn(arg, n->name, n->name_len);
	str_addc(arg, ' ');
	return OK;
}

static void
test_marks_and_what_came_since(void **state)
{
	struct place *p = *state;
	struct catalog_version v;
	struct err e = ERR_INIT;
	struct str text = STR_INIT;
	struct catalog_name n;
	uint64_t upto;

	assert_int_equal(
		catalog_mark_find(p->catalog, "s", MARK_ALERTS, &upto, &e),
		END);
	assert_int_equal(catalog_unsettled(p->catalog, "s", 0, 9, &e), END);
	v = landing(0, "a", "f0");
	put(p, "s", "a", &sig_a, 1, &v);
	v = landing(1, "b", "f1");
	put(p, "t", "b", &sig_a, 1, &v);
	v = landing(2, "c", "f2");
	v.disposition = DISPOSITION_QUARANTINED;
	put(p, "s", "c", &sig_a, 1, &v);
	v = landing(3, "d", "f3");
	put(p, "s", "d", &sig_a, 1, &v);
	must(catalog_each_since(p->catalog, "s", 0, 3, add_since, &text, &e),
		&e);
	assert_string_equal(text.s, "0:a 2:c ");
	str_clear(&text);
	must(catalog_each_since(p->catalog, "s", 1, 9, add_since, &text, &e),
		&e);
	assert_string_equal(text.s, "2:c 3:d ");

	/* What came under the same name before. */
	must(catalog_find_index(p->catalog, 0, &n, &e), &e);
	assert_int_equal(
		catalog_find_before(p->catalog, n.id, 0, &upto, &e), END);
	must(catalog_find_before(p->catalog, n.id, 1, &upto, &e), &e);
	assert_int_equal(upto, 0);
	must(catalog_find_before(p->catalog, n.id, 99, &upto, &e), &e);
	assert_int_equal(upto, 0);

	assert_int_equal(catalog_unsettled(p->catalog, "s", 0, 4, &e), OK);
	assert_int_equal(catalog_unsettled(p->catalog, "s", 3, 4, &e), END);
	assert_int_equal(catalog_unsettled(p->catalog, "t", 0, 4, &e), END);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_settle(p->catalog, 2, 4, &e), &e);
	must(catalog_mark_put(p->catalog, "s", MARK_ALERTS, 3, &e), &e);
	must(catalog_mark_put(p->catalog, "s", MARK_ALERTS, 2, &e), &e);
	must(catalog_mark_put(p->catalog, "s", MARK_ALERTS, 4, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	assert_int_equal(catalog_unsettled(p->catalog, "s", 0, 4, &e), END);
	must(catalog_mark_find(p->catalog, "s", MARK_ALERTS, &upto, &e), &e);
	assert_int_equal(upto, 4);
	str_release(&text);
}

static enum rc
add_undecided(void *arg, const struct catalog_name *n, struct err *e UNUSED)
{
	str_addf(arg, "%llu:%.*s:%s ", (unsigned long long)n->version.index,
		(int)n->name_len, (const char *)n->name, n->reason);
	return OK;
}

static void
quarantine(struct place *p, const char *source, const char *name,
	uint64_t index, const char *file)
{
	struct catalog_version v = landing(index, name, file);

	v.disposition = DISPOSITION_QUARANTINED;
	put(p, source, name, &sig_a, 1, &v);
	note(p, source, name, &sig_a, 1, DISPOSITION_QUARANTINED, file);
}

static void
test_what_waits_for_a_decision(void **state)
{
	struct place *p = *state;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;
	struct catalog_undecided u;
	struct catalog_version v = landing(0, "l", "landed");
	struct catalog_name n;

	assert_int_equal(catalog_undecided(p->catalog, "s", &u, &e), END);
	assert_int_equal(catalog_next_source(p->catalog, &text, &e), END);
	put(p, "s", "l", &sig_a, 1, &v);
	assert_int_equal(catalog_undecided(p->catalog, "s", &u, &e), END);
	quarantine(p, "s", "a", 1, "wrong a");
	quarantine(p, "t", "a", 2, "wrong t");
	quarantine(p, "s", "b", 3, "wrong b");
	quarantine(p, "s", "c", 4, "wrong c");
	must(catalog_undecided(p->catalog, "s", &u, &e), &e);
	assert_int_equal(u.n, 3);
	assert_int_equal(u.oldest.version.index, 1);
	assert_string_equal(u.oldest.reason, "wrong a");
	/* It is not what landed last. */
	must(catalog_find_newest(p->catalog, "s", &n, &e), &e);
	assert_int_equal(n.version.index, 0);

	/* It changes at its source: that one is undecided, and why it was. */
	note(p, "s", "a", &sig_b, 2, DISPOSITION_PENDING, "too young");
	/* This one comes again, and that one is settled. */
	v = landing(5, "bb", "f5");
	put(p, "s", "b", &sig_b, 2, &v);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_settle(p->catalog, 4, 6, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_each_undecided(p->catalog, "s", add_undecided, &text, &e),
		&e);
	assert_string_equal(text.s, "1:a:wrong a ");
	must(catalog_undecided(p->catalog, "s", &u, &e), &e);
	assert_int_equal(u.n, 1);

	str_clear(&text);
	must(catalog_next_source(p->catalog, &text, &e), &e);
	assert_string_equal(text.s, "s");
	must(catalog_next_source(p->catalog, &text, &e), &e);
	assert_string_equal(text.s, "t");
	assert_int_equal(catalog_next_source(p->catalog, &text, &e), END);
	str_release(&text);
}

static enum rc
add_side(void *arg, const struct catalog_side *s, struct err *e UNUSED)
{
	str_addf(arg, "%.*s:%.*s:%llu ", (int)s->name_len,
		(const char *)s->name, (int)s->side_len, (const char *)s->side,
		(unsigned long long)s->signature.size);
	return OK;
}

static struct catalog_side
side(const char *name, const char *of, uint64_t size)
{
	return (struct catalog_side){
		.name = (const uint8_t *)name,
		.name_len = strlen(name),
		.side = (const uint8_t *)of,
		.side_len = strlen(of),
		.signature = {.size = size},
	};
}

static void
test_side_files(void **state)
{
	const struct catalog_side rows[] = {
		side("b", "b.done", 1), side("a", "a.sum", 2),
		side("a", "a.done", 3),
		side("a", "a.done", 4), /* in the place of the one before */
	};
	struct place *p = *state;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	must(catalog_side_each(p->catalog, "s", NULL, add_side, &text, &e), &e);
	assert_string_equal(text.s, "");
	must(catalog_begin(p->catalog, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		must(catalog_side_put(p->catalog, "s", &rows[i], &e), &e);
	must(catalog_side_put(p->catalog, "t", &rows[0], &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_side_each(p->catalog, "s", NULL, add_side, &text, &e), &e);
	assert_string_equal(text.s, "a:a.done:4 a:a.sum:2 b:b.done:1 ");
	str_clear(&text);
	must(catalog_side_each(p->catalog, "s", &rows[1], add_side, &text, &e),
		&e);
	assert_string_equal(text.s, "b:b.done:1 ");
	str_clear(&text);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_side_drop(p->catalog, "s", &rows[0], &e), &e);
	must(catalog_side_drop(p->catalog, "s", &rows[0], &e), &e);
	must(catalog_side_drop(p->catalog, "nobody", &rows[0], &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_side_each(p->catalog, "s", NULL, add_side, &text, &e), &e);
	assert_string_equal(text.s, "a:a.done:4 a:a.sum:2 ");
	str_release(&text);
}

static enum rc
add_alert(void *arg, const struct catalog_alert *a, struct err *e UNUSED)
{
	str_addf(arg, "%s %s %lld %lld %llu (%s) %s;", a->source, a->event,
		(long long)a->at, (long long)a->due,
		(unsigned long long)a->attempts, a->trouble, a->body);
	return OK;
}

static void
add_alerts(struct place *p, bool given_up, struct str *text)
{
	struct err e = ERR_INIT;

	str_clear(text);
	must(catalog_alert_each(p->catalog, given_up, add_alert, text, &e), &e);
}

static void
test_conditions_and_alerts(void **state)
{
	struct place *p = *state;
	const struct catalog_condition missing = {
		.state = "missing", .key = 17, .at = 5};
	struct catalog_alert a = {.source = "s",
		.event = "missing",
		.at = 5,
		.due = 6,
		.body = "{}"};
	struct catalog_condition x;
	struct err e = ERR_INIT;
	struct str text = STR_INIT;

	must(catalog_condition_find(p->catalog, "s", CONDITION_ARRIVAL, &x, &e),
		&e);
	assert_string_equal(x.state, "");
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_condition_put(
		     p->catalog, "s", CONDITION_ARRIVAL, &missing, &e),
		&e);
	must(catalog_alert_put(p->catalog, &a, &e), &e);
	a.event = "late";
	a.due = 4;
	must(catalog_alert_put(p->catalog, &a, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_condition_find(p->catalog, "s", CONDITION_ARRIVAL, &x, &e),
		&e);
	assert_string_equal(x.state, "missing");
	assert_int_equal(x.key, 17);
	assert_int_equal(x.at, 5);
	must(catalog_condition_find(p->catalog, "s", CONDITION_DRIFT, &x, &e),
		&e);
	assert_string_equal(x.state, "");
	add_alerts(p, false, &text);
	assert_string_equal(
		text.s, "s late 5 4 0 () {};s missing 5 6 0 () {};");

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_alert_tried(p->catalog, 1, 9, false, "no route", &e), &e);
	must(catalog_alert_tried(p->catalog, 2, 8, true, "gone", &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	add_alerts(p, false, &text);
	assert_string_equal(text.s, "s missing 5 9 1 (no route) {};");
	add_alerts(p, true, &text);
	assert_string_equal(text.s, "s late 5 8 1 (gone) {};");
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_alert_drop(p->catalog, 1, &e), &e);
	must(catalog_alert_forget(p->catalog, 8, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	add_alerts(p, false, &text);
	assert_string_equal(text.s, "");
	add_alerts(p, true, &text);
	assert_string_equal(text.s, "s late 5 8 1 (gone) {};");
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_alert_forget(p->catalog, 9, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	add_alerts(p, true, &text);
	assert_string_equal(text.s, "");
	str_release(&text);
}

static void
pass_at(struct place *p, int64_t started, enum pass_outcome outcome)
{
	const struct catalog_pass pass = {.source = "s",
		.started = started,
		.ended = started,
		.outcome = outcome};
	struct err e = ERR_INIT;

	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_pass_put(p->catalog, &pass, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
}

static enum rc
add_stream(void *arg, const struct catalog_stream *s, struct err *e UNUSED)
{
	str_addf(arg, "%s/%s:%s ", s->stream, s->partition, s->position);
	return OK;
}

static void
test_streams_and_what_they_remember(void **state)
{
	static const uint8_t one[CATALOG_SEEN] = {1}, two[CATALOG_SEEN] = {2};
	struct place *p = *state;
	struct catalog_stream s = {.stream = "b",
		.partition = "x",
		.position = "7",
		.job = "",
		.why = "quota",
		.upto = 3,
		.parked = 9,
		.files = 2,
		.records = 70,
		.has_left = true,
		.left = 5,
		.allowed = 10};
	struct catalog_stream back;
	struct str text = STR_INIT;
	struct err e = ERR_INIT;
	int64_t id, other;

	assert_int_equal(
		catalog_stream_find(p->catalog, "s", "b", "x", &back, &e), END);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_stream_put(p->catalog, "s", &s, &id, &e), &e);
	s.position = "8";
	must(catalog_stream_put(p->catalog, "s", &s, &other, &e), &e);
	assert_int_equal(id, other);
	s.stream = "a";
	s.partition = "";
	s.has_left = false;
	must(catalog_stream_put(p->catalog, "s", &s, &other, &e), &e);
	must(catalog_seen_put(p->catalog, id, one, 10, &e), &e);
	must(catalog_seen_put(p->catalog, id, one, 5, &e), &e);
	must(catalog_seen_put(p->catalog, id, two, 5, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	must(catalog_stream_find(p->catalog, "s", "b", "x", &back, &e), &e);
	assert_int_equal(back.id, id);
	assert_string_equal(back.position, "8");
	assert_string_equal(back.why, "quota");
	assert_int_equal(back.upto, 3);
	assert_int_equal(back.parked, 9);
	assert_int_equal(back.files, 2);
	assert_int_equal(back.records, 70);
	assert_true(back.has_left);
	assert_int_equal(back.left, 5);
	assert_int_equal(back.allowed, 10);
	must(catalog_stream_find(p->catalog, "s", "a", "", &back, &e), &e);
	assert_false(back.has_left);
	must(catalog_stream_each(p->catalog, "s", add_stream, &text, &e), &e);
	assert_string_equal(text.s, "a/:8 b/x:8 ");
	must(catalog_stream_each(p->catalog, "t", add_stream, &text, &e), &e);
	assert_string_equal(text.s, "a/:8 b/x:8 ");
	str_release(&text);

	must(catalog_seen_find(p->catalog, id, two, &e), &e);
	assert_int_equal(catalog_seen_find(p->catalog, other, two, &e), END);
	must(catalog_begin(p->catalog, &e), &e);
	must(catalog_seen_forget(p->catalog, id, 10, &e), &e);
	must(catalog_commit(p->catalog, &e), &e);
	assert_int_equal(catalog_seen_find(p->catalog, id, two, &e), END);
	must(catalog_seen_find(p->catalog, id, one, &e), &e);
}

static void
test_since_when_a_source_fails(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	int64_t since = 0;

	assert_int_equal(catalog_failing(p->catalog, "s", &since, &e), END);
	pass_at(p, 10, PASS_COULD_NOT_LOOK);
	pass_at(p, 20, PASS_COULD_NOT_LOOK);
	must(catalog_failing(p->catalog, "s", &since, &e), &e);
	assert_int_equal(since, 10);
	pass_at(p, 30, PASS_COMPLETE);
	assert_int_equal(catalog_failing(p->catalog, "s", &since, &e), END);
	pass_at(p, 40, PASS_COULD_NOT_LOOK);
	must(catalog_failing(p->catalog, "s", &since, &e), &e);
	assert_int_equal(since, 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_catalog(test_what_arrived),
		with_catalog(test_since_tomorrow),
		with_catalog(test_passes_and_counts),
		with_catalog(test_a_source_has_the_shape_it_was_given_last),
		with_catalog(test_marks_and_what_came_since),
		with_catalog(test_what_waits_for_a_decision),
		with_catalog(test_side_files),
		with_catalog(test_conditions_and_alerts),
		with_catalog(test_streams_and_what_they_remember),
		with_catalog(test_since_when_a_source_fails),
	};

	return cmocka_run_group_tests_name("catalog-source", tests, NULL, NULL);
}
