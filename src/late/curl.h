/*
 * curl.h - libcurl under its own names, loaded late (late.h); instead of its
 * own headers. late_curl() comes before anything else of it.
 */
#ifndef LATE_CURL_H
#define LATE_CURL_H

#include <curl/curl.h>

#include "late/late.h"

/* They check arguments, and then call by names that are not linked. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define LATE_CURL(X) \
	X(curl_easy_cleanup) \
	X(curl_easy_getinfo) \
	X(curl_easy_init) \
	X(curl_easy_perform) \
	X(curl_easy_reset) \
	X(curl_easy_setopt) \
	X(curl_easy_strerror) \
	X(curl_free) \
	X(curl_global_init) \
	X(curl_multi_add_handle) \
	X(curl_multi_info_read) \
	X(curl_multi_init) \
	X(curl_multi_perform) \
	X(curl_multi_poll) \
	X(curl_multi_remove_handle) \
	X(curl_slist_append) \
	X(curl_slist_free_all) \
	X(curl_url) \
	X(curl_url_cleanup) \
	X(curl_url_get) \
	X(curl_url_set) \
	X(curl_url_strerror)

#define LATE_MEMBER(name) __typeof__(name) *name;
extern struct late_curl_table {
	LATE_CURL(LATE_MEMBER)
} late_curl_table;
#undef LATE_MEMBER

/* Again is cheap. BROKEN: libcurl is not installed. */
enum rc late_curl(struct err *e);

#define curl_easy_cleanup late_curl_table.curl_easy_cleanup
#define curl_easy_getinfo late_curl_table.curl_easy_getinfo
#define curl_easy_init late_curl_table.curl_easy_init
#define curl_easy_perform late_curl_table.curl_easy_perform
#define curl_easy_reset late_curl_table.curl_easy_reset
#define curl_easy_setopt late_curl_table.curl_easy_setopt
#define curl_easy_strerror late_curl_table.curl_easy_strerror
#define curl_free late_curl_table.curl_free
#define curl_global_init late_curl_table.curl_global_init
#define curl_multi_add_handle late_curl_table.curl_multi_add_handle
#define curl_multi_info_read late_curl_table.curl_multi_info_read
#define curl_multi_init late_curl_table.curl_multi_init
#define curl_multi_perform late_curl_table.curl_multi_perform
#define curl_multi_poll late_curl_table.curl_multi_poll
#define curl_multi_remove_handle late_curl_table.curl_multi_remove_handle
#define curl_slist_append late_curl_table.curl_slist_append
#define curl_slist_free_all late_curl_table.curl_slist_free_all
#define curl_url late_curl_table.curl_url
#define curl_url_cleanup late_curl_table.curl_url_cleanup
#define curl_url_get late_curl_table.curl_url_get
#define curl_url_set late_curl_table.curl_url_set
#define curl_url_strerror late_curl_table.curl_url_strerror

#endif
