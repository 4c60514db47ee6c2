#include "daemon/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/sums.h"

#define TOO_MANY \
	"the manifests here name too many files at a time: others must land " \
	"first"

void
manifests_init(struct manifests *ms, const struct checklist_table *table,
	const struct source_ops *ops, struct source *s)
{
	*ms = (struct manifests){
		.table = table, .ops = ops, .source = s, .paths = STR_INIT};
}

void
manifests_release(struct manifests *ms)
{
	for (size_t i = 0; i < ms->n; i++) {
		struct manifest *m = &ms->manifest[i];

		checklist_release(&m->list);
		free(m->mention);
		free(m->trouble);
		free(m->name);
	}
	free(ms->manifest);
	free(ms->mention);
	free(ms->member);
	str_release(&ms->paths);
}

const char *
manifest_path(struct str *path, const uint8_t *folder, size_t folder_len,
	const uint8_t *name, size_t len)
{
	const uint8_t *end = name + len, *next;

	if (len > 0 && *name == '/')
		return "is absolute: names are relative to the manifest";
	str_addn(path, folder, folder_len);
	for (const uint8_t *at = name; at < end; at = next + 1) {
		size_t n;

		next = memchr(at, '/', (size_t)(end - at));
		if (next == NULL)
			next = end;
		n = (size_t)(next - at);
		if (n == 0 || (n == 1 && *at == '.'))
			continue;
		if (n == 2 && memcmp(at, "..", 2) == 0)
			return "leads out of its folder";
		if (path->len > folder_len)
			str_addc(path, '/');
		str_addn(path, at, n);
	}
	if (path->len == folder_len || (len > 0 && name[len - 1] == '/'))
		return "is not the name of a file";
	return NULL;
}

/* ---- one of them ---- */

static void
add_mention(struct manifests *ms, size_t at, uint32_t manifest, uint32_t line)
{
	if (ms->n_mentions == ms->cap_mentions) {
		ms->cap_mentions =
			ms->cap_mentions > 0 ? 2 * ms->cap_mentions : 64;
		ms->mention = mem_resize(
			ms->mention, ms->cap_mentions, sizeof(*ms->mention));
	}
	ms->mention[ms->n_mentions++] = (struct mention){
		.at = at,
		.len = (uint32_t)(ms->paths.len - at),
		.manifest = manifest,
		.line = line,
	};
}

static bool
is_itself(const struct manifests *ms, const struct manifest *m, size_t at)
{
	return ms->paths.len - at == m->name_len &&
		memcmp(ms->paths.s + at, m->name, m->name_len) == 0;
}

/* Why it cannot be used, in s; else nothing. */
static void
take_lines(struct manifests *ms, struct manifest *m, struct str *s)
{
	const uint8_t *slash = memrchr(m->name, '/', m->name_len);
	size_t folder = slash != NULL ? (size_t)(slash + 1 - m->name) : 0;

	if (m->list.strange > 0) {
		str_addf(s, "line %u says nothing that a manifest can say",
			m->list.strange);
		return;
	}
	for (size_t i = 0; i < m->list.n; i++) {
		const struct check_line *c = &m->list.line[i];
		size_t at = ms->paths.len;
		CLEANUP(str_release) struct str path = STR_INIT;
		const char *why = manifest_path(
			&path, m->name, folder, c->name, c->name_len);

		if (why != NULL) {
			str_addf(s, "line %u: ", c->number);
			str_add_quoted(s, c->name, c->name_len);
			str_addf(s, " %s", why);
			return;
		}
		if (ms->n_mentions == MANIFEST_NAMES_MAX ||
			path.len > MANIFEST_NAMES_BYTES - at) {
			str_add(s, TOO_MANY);
			return;
		}
		str_addn(&ms->paths, path.s, path.len);
		if (is_itself(ms, m, at))
			str_cut(&ms->paths, at);
		else
			add_mention(ms, at, (uint32_t)(m - ms->manifest),
				(uint32_t)i);
	}
}

static enum rc
load(struct manifests *ms, struct manifest *m, struct str *s, struct err *e)
{
	struct err why = ERR_INIT;
	enum rc rc = OK;

	if (ms->ops->closed != NULL &&
		ms->ops->closed(ms->source, m->name, m->name_len, &why) ==
			AGAIN) {
		m->wait = CLOCK_SECOND;
		str_add(s, "somebody has it open for writing");
		return OK;
	}
	why = (struct err)ERR_INIT;
	if (m->signature.size <= CHECKLIST_BYTES &&
		ms->text + m->signature.size > MANIFEST_TEXT_BYTES) {
		str_add(s, TOO_MANY);
		return OK;
	}
	rc = sums_load(ms->ops, ms->source, m->name, m->name_len,
		ms->table->n > 0 ? CHECKLIST_TABLE : CHECKLIST_NAMES, ms->table,
		&m->list, &m->signature, m->sha256, &why);
	ms->text += m->list.text.len;
	switch (rc) {
	case OK:
		take_lines(ms, m, s);
		return OK;
	case END:
	case AGAIN:
		m->wait = CLOCK_SECOND;
		str_add(s, "it changed while it was read");
		return OK;
	case BAD_ITEM:
		str_add(s, why.text);
		return OK;
	default:
		*e = why;
		return rc;
	}
}

bool
manifests_add(struct manifests *ms, const struct item *it)
{
	if (ms->n == MANIFESTS_MAX)
		return false;
	if (ms->n == ms->cap) {
		ms->cap = ms->cap > 0 ? 2 * ms->cap : 16;
		ms->manifest = mem_resize(
			ms->manifest, ms->cap, sizeof(*ms->manifest));
	}
	ms->manifest[ms->n++] = (struct manifest){
		.name = mem_dup(it->name, it->name_len),
		.name_len = it->name_len,
		.signature = it->signature,
	};
	return true;
}

static enum rc
read_one(struct manifests *ms, struct manifest *m, struct err *e)
{
	CLEANUP(str_release) struct str why = STR_INIT;
	size_t mentions = ms->n_mentions, paths = ms->paths.len;
	enum rc rc = load(ms, m, &why, e);

	if (why.len == 0)
		return rc;
	/* Nothing of it counts. */
	ms->n_mentions = mentions;
	str_cut(&ms->paths, paths);
	ms->text -= m->list.text.len;
	checklist_release(&m->list);
	/* Time, others, or its partner: who can help? */
	m->bad = m->wait == 0 && strcmp(why.s, TOO_MANY) != 0;
	m->trouble = str_take(&why);
	return rc;
}

/* ---- all of them, by name ---- */

static int
compare(const void *a, size_t an, const void *b, size_t bn)
{
	int order = memcmp(a, b, an < bn ? an : bn);

	return order != 0 ? order : (an > bn) - (an < bn);
}

static int
by_name(const void *a, const void *b, void *arg)
{
	const struct manifests *ms = arg;
	const struct mention *x = a, *y = b;
	int order = compare(
		ms->paths.s + x->at, x->len, ms->paths.s + y->at, y->len);

	if (order != 0)
		return order;
	if (x->manifest != y->manifest)
		return x->manifest < y->manifest ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

static int
by_manifest_name(const void *a, const void *b)
{
	const struct manifest *x = a, *y = b;

	return compare(x->name, x->name_len, y->name, y->name_len);
}

static void
sort_mentions(struct manifests *ms)
{
	struct member *last = NULL;

	if (ms->n_mentions > 1)
		qsort_r(ms->mention, ms->n_mentions, sizeof(*ms->mention),
			by_name, ms);
	for (size_t i = 0; i < ms->n; i++) {
		struct manifest *m = &ms->manifest[i];

		m->mention = mem_array(m->list.n + 1, sizeof(*m->mention));
	}
	ms->member = mem_array(ms->n_mentions + 1, sizeof(*ms->member));
	for (size_t i = 0; i < ms->n_mentions; i++) {
		struct mention *x = &ms->mention[i];
		struct manifest *m = &ms->manifest[x->manifest];
		const void *name = ms->paths.s + x->at;

		if (last == NULL ||
			compare(last->name, last->name_len, name, x->len) !=
				0) {
			last = &ms->member[ms->n_members++];
			*last = (struct member){
				.name = name, .name_len = x->len};
		}
		x->member = (uint32_t)(ms->n_members - 1);
		last->claimed |= m->list.line[x->line].has_sum ||
			m->list.line[x->line].has_size ||
			m->list.line[x->line].has_records;
		m->names += m->n == 0 ||
			ms->mention[m->mention[m->n - 1]].member != x->member;
		m->mention[m->n++] = (uint32_t)i;
	}
}

enum rc
manifests_read(struct manifests *ms, struct err *e)
{
	/* By name: which of too many wait is no accident of the listing. */
	if (ms->n > 1)
		qsort(ms->manifest, ms->n, sizeof(*ms->manifest),
			by_manifest_name);
	for (size_t i = 0; i < ms->n; i++)
		if (read_one(ms, &ms->manifest[i], e) != OK)
			return e->code;
	sort_mentions(ms);
	return OK;
}

struct member *
manifests_find(struct manifests *ms, const uint8_t *name, size_t len)
{
	size_t low = 0, high = ms->n_members;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct member *m = &ms->member[middle];
		int order = compare(m->name, m->name_len, name, len);

		if (order == 0)
			return m;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct manifest *
manifests_named(struct manifests *ms, const uint8_t *name, size_t len)
{
	struct manifest wanted = {
		.name = (uint8_t *)(uintptr_t)name, .name_len = len};

	return ms->n == 0 ? NULL
			  : bsearch(&wanted, ms->manifest, ms->n,
				    sizeof(*ms->manifest), by_manifest_name);
}
