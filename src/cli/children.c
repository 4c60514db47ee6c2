#include "cli/children.h"

#include "landfall/unpack.h"

const struct child_kind child_kinds[] = {
	{UNPACK_CHILD, CHILD_UNPACK, unpack_child},
	{NULL, 0, NULL},
};
