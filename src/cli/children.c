#include "cli/children.h"

#include "landfall/http.h"
#include "landfall/unpack.h"

const struct child_kind child_kinds[] = {
	{HTTP_CHILD, CHILD_FETCH, http_child},
	{UNPACK_CHILD, CHILD_UNPACK, unpack_child},
	{NULL, 0, NULL},
};
