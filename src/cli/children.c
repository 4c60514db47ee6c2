#include "cli/children.h"

const struct child_kind child_kinds[] = {
	{NULL, 0, NULL},
};
