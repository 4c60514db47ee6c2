/*
 * paging.h - how one page leads to the next, and when it stops.
 *
 *	struct paging g;
 *	paging_init(&g, stream->pagination, stored_token);
 *	do {
 *		paging_vars(&g, &vars);
 *		... request_make(), or request_follow(g.link.s) if g.link.len
 *...
 *		... the page lands ...
 *		rc = paging_next(&g, &page, &e);
 *	} while (rc == OK);		END: that was the last one
 *	paging_release(&g);
 *
 * Always on: a token or link that was there before in this pagination, a
 * page behind max_pages, and an API that says there is more but not where
 * are BAD_SOURCE. So no answer makes it run for ever, and none that is cut
 * short looks like the end.
 */
#ifndef SOURCE_HTTP_PAGING_H
#define SOURCE_HTTP_PAGING_H

#include "source/http/vars.h"

/* What a selector found; p NULL: nothing, or a JSON null. */
struct paging_value {
	const uint8_t *p;
	size_t len;
};

struct paging_page {
	uint64_t records;
	struct paging_value next, more, done, total;
};

struct paging {
	const struct api_pagination *rule;
	uint64_t pages;	  /* seen */
	uint64_t records; /* on them */
	uint64_t size;	  /* page.size now; 0: not known */
	struct str token; /* page.token of the next request */
	bool has_token;
	struct str link;   /* empty: the request as it is written */
	struct str newest; /* the last token that was not empty; kind token */
	struct paging_set {
		uint8_t (*row)[16];
		size_t n, cap; /* cap: a power of two, or 0 */
	} seen;
};

/* token: what kind: token kept, or NULL. */
void paging_init(
	struct paging *g, const struct api_pagination *rule, const char *token);
void paging_release(struct paging *g);

/* Defines or undefines page.token and page.size. */
void paging_vars(const struct paging *g, struct vars *v);

enum rc paging_next(struct paging *g, const struct paging_page *page,
	struct err *e) MUST_USE;

/* From the first page again; pages that were seen still count. */
void paging_restart(struct paging *g);

/*
 * Half the size. END: it cannot be less. With numbered pages and links it
 * begins again at the first page, which then has another size.
 */
enum rc paging_shrink(struct paging *g) MUST_USE;

#endif
