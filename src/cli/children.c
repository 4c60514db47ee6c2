#include "cli/children.h"

#include "landfall/filter.h"
#include "landfall/http.h"
#include "landfall/sftp.h"
#include "landfall/unpack.h"
#include "late/archive.h"
#include "late/curl.h"

const struct child_kind child_kinds[] = {
	{HTTP_CHILD, CHILD_FETCH, http_child, late_curl},
	{FILTER_CHILD, CHILD_RUN, filter_child, NULL},
	{SFTP_CHILD, CHILD_FETCH, sftp_child, NULL},
	{UNPACK_CHILD, CHILD_UNPACK, unpack_child, late_archive},
	{NULL, 0, NULL, NULL},
};
