#include "source/http/paging.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

static void
set_token(struct paging *g, const void *p, size_t len)
{
	str_clear(&g->token);
	str_addn(&g->token, p, len);
	g->has_token = true;
}

static void
set_number(struct paging *g, uint64_t v)
{
	str_clear(&g->token);
	str_add_u64(&g->token, v, 1);
	g->has_token = true;
}

static void
to_first(struct paging *g, const char *token)
{
	const struct api_pagination *r = g->rule;

	str_clear(&g->token);
	str_clear(&g->link);
	g->has_token = false;
	g->records = 0;
	if (r->type == API_PAGES_NUMBER)
		set_number(g, r->start);
	else if (r->type == API_PAGES_OFFSET)
		set_number(g, 0);
	else if (token != NULL)
		set_token(g, token, strlen(token));
	else if (r->initial != NULL)
		set_token(g, r->initial, strlen(r->initial));
}

static void
forget_seen(struct paging *g)
{
	free(g->seen.row);
	g->seen = (struct paging_set){.n = 0};
}

void
paging_init(
	struct paging *g, const struct api_pagination *rule, const char *token)
{
	*g = (struct paging){
		.rule = rule,
		.size = rule->size,
		.token = STR_INIT,
		.link = STR_INIT,
		.newest = STR_INIT,
	};
	to_first(g, token);
	if (token != NULL)
		str_add(&g->newest, token);
}

void
paging_release(struct paging *g)
{
	str_release(&g->token);
	str_release(&g->link);
	str_release(&g->newest);
	forget_seen(g);
}

void
paging_vars(const struct paging *g, struct vars *v)
{
	if (g->has_token)
		vars_set(v, API_PAGE, "token", g->token.s, g->token.len);
	else
		vars_unset(v, API_PAGE, "token");
	if (g->size > 0) {
		CLEANUP(str_release) struct str s = STR_INIT;

		str_add_u64(&s, g->size, 1);
		vars_set(v, API_PAGE, "size", s.s, s.len);
	} else {
		vars_unset(v, API_PAGE, "size");
	}
}

/* ---- what was there before ---- */

static bool
put(struct paging_set *set, const uint8_t key[16])
{
	static const uint8_t none[16];
	size_t i;

	memcpy(&i, key, sizeof(i));
	for (i &= set->cap - 1; memcmp(set->row[i], none, 16) != 0;
		i = (i + 1) & (set->cap - 1))
		if (memcmp(set->row[i], key, 16) == 0)
			return false;
	memcpy(set->row[i], key, 16);
	set->n++;
	return true;
}

static void
grow(struct paging_set *set)
{
	struct paging_set larger = {.cap = set->cap > 0 ? 2 * set->cap : 64};
	static const uint8_t none[16];

	larger.row = mem_array(larger.cap, sizeof(*larger.row));
	for (size_t i = 0; i < set->cap; i++)
		if (memcmp(set->row[i], none, 16) != 0)
			(void)put(&larger, set->row[i]);
	free(set->row);
	*set = larger;
}

/* Half of a SHA-256 stands for the token: memory is 16 bytes for a page. */
static bool
is_new(struct paging *g, const void *p, size_t len)
{
	uint8_t sum[HASH_LEN];

	hash_bytes(p, len, sum);
	sum[0] |= 1; /* never all zero */
	if (2 * g->seen.n >= g->seen.cap)
		grow(&g->seen);
	return put(&g->seen, sum);
}

/* ---- the next page ---- */

static bool
is_text(const struct paging_value *v, const char *text)
{
	return v->p != NULL && v->len == strlen(text) &&
		memcmp(v->p, text, v->len) == 0;
}

/* What an API may write for yes; anything else, and nothing, is no. */
static bool
is_true(const struct paging_value *v)
{
	return is_text(v, "true") || is_text(v, "True") || is_text(v, "1");
}

static bool
is_end(const struct api_pagination *r, const struct paging_value *next)
{
	if (next->p == NULL || next->len == 0)
		return true;
	for (size_t i = 0; i < r->end.n; i++)
		if (is_text(next, r->end.word[i]))
			return true;
	return false;
}

static enum rc
again(struct paging *g, const char *what, const struct paging_value *v,
	struct err *e)
{
	CLEANUP(str_release) struct str s = STR_INIT;

	str_add_quoted(&s, v->p, v->len < 80 ? v->len : 80);
	return err_set(e, BAD_SOURCE,
		"page %llu: the API gives the same %s again, %s: it would "
		"never end",
		(unsigned long long)g->pages, what, s.s);
}

static enum rc
next_place(struct paging *g, const struct paging_page *page, struct err *e)
{
	bool link = g->rule->type == API_PAGES_LINK;
	const struct paging_value *next = &page->next;

	if (is_end(g->rule, next)) {
		if (!is_true(&page->more))
			return END;
		return err_set(e, BAD_SOURCE,
			"page %llu: the API says that there is more, but not "
			"where",
			(unsigned long long)g->pages);
	}
	if (!is_new(g, next->p, next->len))
		return again(g, link ? "link" : "token", next, e);
	if (link) {
		str_clear(&g->link);
		str_addn(&g->link, next->p, next->len);
	} else {
		set_token(g, next->p, next->len);
	}
	return OK;
}

static bool
has_all(const struct paging *g, const struct paging_value *total)
{
	uint64_t v;

	return total->p != NULL &&
		str_parse_u64((const char *)total->p, total->len, &v) &&
		g->records >= v;
}

static enum rc
next_number(struct paging *g, const struct paging_page *page, struct err *e)
{
	uint64_t number = 0;

	if (has_all(g, &page->total))
		return END;
	if (page->records == 0 && g->rule->type == API_PAGES_OFFSET)
		return err_set(e, BAD_SOURCE,
			"page %llu: the API says that there is more, and gives "
			"no records",
			(unsigned long long)g->pages);
	if (!str_parse_u64(g->token.s, g->token.len, &number))
		number = g->rule->start; /* cannot be: we wrote it */
	set_number(g,
		g->rule->type == API_PAGES_OFFSET ? number + page->records
						  : number + 1);
	return OK;
}

enum rc
paging_next(struct paging *g, const struct paging_page *page, struct err *e)
{
	const struct api_pagination *r = g->rule;
	bool token = r->type == API_PAGES_TOKEN;

	g->pages++;
	g->records += page->records;
	if (token && !is_end(r, &page->next)) {
		str_clear(&g->newest);
		str_addn(&g->newest, page->next.p, page->next.len);
	}
	if (r->type == API_PAGES_NONE)
		return END;
	if (is_true(&page->done))
		return END;
	if (r->more.from != API_FROM_NOTHING && page->more.p != NULL &&
		!is_true(&page->more))
		return END;
	if (r->stop == API_STOP_ON_EMPTY && page->records == 0)
		return END;
	if (r->stop == API_STOP_ON_SHORT && page->records < g->size)
		return END;
	if (g->pages >= r->max_pages)
		return err_set(e, BAD_SOURCE,
			"more than %llu pages (pagination.max_pages)",
			(unsigned long long)r->max_pages);
	return token || r->type == API_PAGES_LINK ? next_place(g, page, e)
						  : next_number(g, page, e);
}

void
paging_restart(struct paging *g)
{
	forget_seen(g);
	to_first(g, NULL);
}

enum rc
paging_shrink(struct paging *g)
{
	if (g->size <= 1)
		return END;
	g->size /= 2;
	if (g->rule->type == API_PAGES_NUMBER ||
		g->rule->type == API_PAGES_LINK)
		paging_restart(g);
	return OK;
}
