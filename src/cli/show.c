#include "cli/show.h"

#include <inttypes.h>

#include "base/clock.h"

/* An archive has, though they may have no file. */
static bool
has_bytes(const struct delivery *d)
{
	return d->staged || d->unpacked || d->is_again;
}

static void
members_json(struct jsonw *j, const struct members *m)
{
	jsonw_key(j, "members"), jsonw_object(j);
	for (unsigned i = 1; i < DISPOSITIONS; i++)
		if (i != DISPOSITION_PENDING) {
			jsonw_key(j, disposition_name(i));
			jsonw_u64(j, m->count[i]);
		}
	jsonw_key(j, "findings"), jsonw_u64(j, m->findings);
	jsonw_key(j, "missing"), jsonw_u64(j, m->missing);
	jsonw_end(j);
}

static void
delivery_json(struct str *s, const struct delivery *d)
{
	struct jsonw j = jsonw_to(s);

	jsonw_object(&j);
	jsonw_key(&j, "source"), jsonw_text(&j, d->source);
	jsonw_key(&j, "name"), jsonw_percent(&j, d->name, d->name_len);
	jsonw_key(&j, "disposition");
	jsonw_text(&j, disposition_name(d->disposition));
	if (has_bytes(d)) {
		jsonw_key(&j, "bytes_sha256");
		jsonw_hex(&j, d->landed.bytes_sha256, HASH_LEN);
		jsonw_key(&j, "size"), jsonw_u64(&j, d->landed.size);
	}
	if (d->unpacked)
		members_json(&j, &d->members);
	if (d->file.len > 0) {
		jsonw_key(&j, "file"), jsonw_text(&j, d->file.s);
		jsonw_key(&j, "file_sha256");
		jsonw_hex(&j, d->file_sha256, HASH_LEN);
		jsonw_key(&j, "records");
		jsonw_u64(&j, d->landed.totals.records);
		jsonw_key(&j, "malformed");
		jsonw_u64(&j, d->landed.totals.malformed);
	}
	if (has_bytes(d)) {
		jsonw_key(&j, "generation"), jsonw_u64(&j, d->generation);
		jsonw_key(&j, "relation");
		jsonw_text(&j, relation_name(d->relation));
		jsonw_key(&j, "index"), jsonw_u64(&j, d->index);
	}
	if (d->drift != NULL)
		jsonw_key(&j, "drift"), jsonw_text(&j, d->drift);
	if (d->reason != NULL)
		jsonw_key(&j, "reason"), jsonw_text(&j, d->reason);
	jsonw_end(&j);
}

static void
delivery_words(struct str *s, const struct delivery *d)
{
	str_addf(s, "%-11s %s ", disposition_name(d->disposition), d->source);
	str_add_quoted(s, d->name, d->name_len);
	if (!has_bytes(d)) {
		str_addf(s, ": %s", d->reason != NULL ? d->reason : "");
		return;
	}
	str_add(s, ": ");
	str_add_size(s, d->landed.size);
	if (d->unpacked)
		str_add(s, ", "), members_add(s, &d->members);
	else if (d->file.len > 0)
		str_add(s, ", "),
			str_add_count(s, d->landed.totals.records, "record");
	if (d->landed.totals.malformed > 0)
		str_addf(s, ", %" PRIu64 " malformed",
			d->landed.totals.malformed);
	if (d->disposition == DISPOSITION_NEW_VERSION)
		str_addf(s, ", generation %u (%s)", d->generation,
			relation_name(d->relation));
	if (d->file.len > 0)
		str_addf(s, " -> %s", d->file.s);
	else if (d->is_again)
		str_addf(s, ", unpacked as ledger entry %" PRIu64, d->again);
	if (d->staged && d->disposition == DISPOSITION_QUARANTINED)
		str_addf(s, ", ledger entry %" PRIu64, d->index);
	if (d->drift != NULL)
		str_addf(s, " (%s)", d->drift);
	if (d->reason != NULL)
		str_addf(s, " (%s)", d->reason);
}

void
show_decision(struct str *s, uint64_t entry)
{
	str_addf(s,
		"`landfall release %" PRIu64 "` or `landfall reject %" PRIu64
		"`",
		entry, entry);
}

void
show_delivery(const struct cli *c, const struct delivery *d)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (c->json)
		delivery_json(&s, d);
	else if (c->quiet)
		return;
	else
		delivery_words(&s, d);
	cli_line_to(c, &s);
}

static const char *
outcome_name(enum pass_outcome o)
{
	return o == PASS_COMPLETE	   ? "complete"
		: o == PASS_COULD_NOT_LOOK ? "could-not-look"
					   : "stopped";
}

static void
pass_members(struct str *s, const struct pass_report *r)
{
	const char *before = "; in archives ";

	for (unsigned i = 1; i < DISPOSITIONS; i++) {
		if (r->members[i] == 0)
			continue;
		str_addf(s, "%s%" PRIu64 " %s", before, r->members[i],
			disposition_name(i));
		before = ", ";
	}
	if (r->missing > 0)
		str_addf(s, "%s%" PRIu64 " missing", before, r->missing);
}

void
show_pass(const struct cli *c, const struct pass_report *r)
{
	const struct catalog_pass *p = &r->pass;
	CLEANUP(str_release) struct str s = STR_INIT;

	if (c->json) {
		struct jsonw j = jsonw_to(&s);

		jsonw_object(&j);
		jsonw_key(&j, "pass"), jsonw_text(&j, p->source);
		jsonw_key(&j, "outcome");
		jsonw_text(&j, outcome_name(p->outcome));
		jsonw_key(&j, "listed"), jsonw_u64(&j, p->listed);
		jsonw_key(&j, "unchanged"), jsonw_u64(&j, p->unchanged);
		jsonw_key(&j, "counts"), jsonw_object(&j);
		for (unsigned i = 1; i < DISPOSITIONS; i++) {
			jsonw_key(&j, disposition_name(i));
			jsonw_u64(&j, p->count[i]);
		}
		jsonw_end(&j);
		jsonw_key(&j, "members"), jsonw_object(&j);
		for (unsigned i = 1; i < DISPOSITIONS; i++)
			if (i != DISPOSITION_PENDING) {
				jsonw_key(&j, disposition_name(i));
				jsonw_u64(&j, r->members[i]);
			}
		jsonw_end(&j);
		jsonw_key(&j, "after"), jsonw_object(&j);
		jsonw_key(&j, "deleted"), jsonw_u64(&j, r->after.deleted);
		jsonw_key(&j, "moved"), jsonw_u64(&j, r->after.moved);
		jsonw_key(&j, "failed"), jsonw_u64(&j, r->after.failed);
		if (r->after.failed > 0)
			jsonw_key(&j, "trouble"),
				jsonw_text(&j, r->after.trouble.s);
		jsonw_end(&j);
		if (*p->trouble != '\0')
			jsonw_key(&j, "trouble"), jsonw_text(&j, p->trouble);
		jsonw_end(&j);
	} else {
		if (c->quiet)
			return;
		str_addf(&s, "%s: ", p->source);
		str_add_count(&s, p->listed, "name");
		for (unsigned i = 1; i < DISPOSITIONS; i++)
			if (p->count[i] > 0)
				str_addf(&s, ", %" PRIu64 " %s", p->count[i],
					disposition_name(i));
		if (p->unchanged > 0)
			str_addf(&s, " (%" PRIu64 " of them before)",
				p->unchanged);
		pass_members(&s, r);
		if (r->after.deleted > 0)
			str_addf(&s, "; %" PRIu64 " deleted at the source",
				r->after.deleted);
		if (r->after.moved > 0)
			str_addf(&s, "; %" PRIu64 " moved at the source",
				r->after.moved);
		if (r->after.failed > 0)
			str_addf(&s,
				"; %" PRIu64 " could not leave the source: %s",
				r->after.failed, r->after.trouble.s);
		if (*p->trouble != '\0')
			str_addf(&s, "; could not look%s: %s",
				p->listed > 0 ? " everywhere" : "", p->trouble);
	}
	cli_line(&s);
}

static void
band_json(struct jsonw *j, const char *what, const struct band *b)
{
	jsonw_key(j, what), jsonw_object(j);
	jsonw_key(j, "least"), jsonw_u64(j, b->least);
	jsonw_key(j, "most");
	if (b->most != UINT64_MAX)
		jsonw_u64(j, b->most);
	else
		jsonw_null(j);
	jsonw_key(j, "learned"), jsonw_bool(j, b->learned);
	jsonw_end(j);
}

void
show_arrival_json(struct jsonw *j, const struct arrival_report *r)
{
	jsonw_key(j, "outcome"), jsonw_text(j, arrival_name(r->outcome));
	if (r->outcome == ARRIVAL_NONE)
		return;
	jsonw_key(j, "due"), jsonw_time(j, r->day.due);
	jsonw_key(j, "late"), jsonw_time(j, r->day.late);
	jsonw_key(j, "files"), jsonw_u64(j, r->arrived.files);
	jsonw_key(j, "bytes"), jsonw_u64(j, r->arrived.bytes);
	jsonw_key(j, "records"), jsonw_u64(j, r->arrived.records);
	jsonw_key(j, "expected"), jsonw_object(j);
	band_json(j, "files", &r->files);
	band_json(j, "bytes", &r->bytes);
	band_json(j, "records", &r->records);
	jsonw_end(j);
	if (r->lesson.due == 0)
		return;
	jsonw_key(j, "learning");
	jsonw_bool(j, r->lesson.deadlines < EXPECT_LEARN_LEAST);
	jsonw_key(j, "learned_from"), jsonw_u64(j, r->lesson.deadlines);
}

/* One kind of what is counted. */
struct counted {
	const char *what; /* one of them */
	const struct band *band;
	uint64_t found;
};

static void
add_band(struct str *s, const struct counted *k)
{
	const struct band *b = k->band;

	if (b->most == b->least) {
		str_add_count(s, b->least, k->what);
		return;
	}
	str_addf(s, "%" PRIu64, b->least);
	if (b->most == UINT64_MAX)
		str_add(s, " or more");
	else
		str_addf(s, " to %" PRIu64, b->most);
	str_addf(s, " %ss", k->what);
}

/* What is outside its band now, too few only where it is called short. */
static void
add_outside(struct str *s, const struct arrival_report *r,
	const struct counted k[3])
{
	if (r->outcome != ARRIVAL_SHORT)
		return;
	for (int i = 0; i < 3; i++) {
		bool above = k[i].found > k[i].band->most;

		if (!above && k[i].found >= k[i].band->least)
			continue;
		str_addf(s, "; %ss %s: expected ", k[i].what,
			above ? "above the band" : "below it");
		add_band(s, &k[i]);
	}
}

static void
add_lesson(struct str *s, const struct arrival_report *r,
	const struct counted k[3])
{
	static const char *const days[] = {"Sundays", "Mondays", "Tuesdays",
		"Wednesdays", "Thursdays", "Fridays", "Saturdays"};
	const struct lesson *l = &r->lesson;
	const char *between = "";

	if (l->due == 0)
		return;
	if (l->deadlines < EXPECT_LEARN_LEAST) {
		str_addf(s, "; still learning, from %zu of %d deadlines",
			l->deadlines, EXPECT_LEARN_LEAST);
		return;
	}
	str_add(s, "; usual are ");
	for (int i = 0; i < 3; i++) {
		if (!k[i].band->learned)
			continue;
		str_add(s, between);
		add_band(s, &k[i]);
		between = ", ";
	}
	str_addf(s, ", learned from %zu %s", l->deadlines,
		l->weekday >= 0 ? days[l->weekday] : "deadlines");
}

void
show_arrival_words(struct str *s, const struct arrival_report *r)
{
	const struct counted k[3] = {
		{"file", &r->files, r->arrived.files},
		{"byte", &r->bytes, r->arrived.bytes},
		{"record", &r->records, r->arrived.records},
	};

	str_add(s, arrival_name(r->outcome));
	if (r->outcome == ARRIVAL_NONE)
		return;
	str_add(s, ", due ");
	clock_add_time(s, r->day.due);
	str_add(s, ": ");
	str_add_count(s, r->arrived.files, "file");
	str_add(s, ", ");
	str_add_size(s, r->arrived.bytes);
	str_add(s, ", ");
	str_add_count(s, r->arrived.records, "record");
	if (r->outcome == ARRIVAL_COULD_NOT_LOOK)
		str_add(s, "; no complete look since the deadline");
	add_outside(s, r, k);
	add_lesson(s, r, k);
}

void
show_arrival(
	const struct cli *c, const char *source, const struct arrival_report *r)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	if (c->json) {
		struct jsonw j = jsonw_to(&s);

		jsonw_object(&j);
		jsonw_key(&j, "arrival"), jsonw_text(&j, source);
		show_arrival_json(&j, r);
		jsonw_end(&j);
	} else {
		if (c->quiet)
			return;
		str_addf(&s, "%s: arrival ", source);
		show_arrival_words(&s, r);
	}
	cli_line(&s);
}
