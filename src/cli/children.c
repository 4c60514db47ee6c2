#include "cli/children.h"

#include "landfall/filter.h"
#include "landfall/http.h"
#include "landfall/sftp.h"
#include "landfall/unpack.h"

const struct child_kind child_kinds[] = {
	{HTTP_CHILD, CHILD_FETCH, http_child},
	{FILTER_CHILD, CHILD_RUN, filter_child},
	{SFTP_CHILD, CHILD_FETCH, sftp_child},
	{UNPACK_CHILD, CHILD_UNPACK, unpack_child},
	{NULL, 0, NULL},
};
