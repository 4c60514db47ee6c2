#include "cli/children.h"

#include "landfall/http.h"

const struct child_kind child_kinds[] = {
	{HTTP_CHILD, CHILD_FETCH, http_child},
	{NULL, 0, NULL},
};
