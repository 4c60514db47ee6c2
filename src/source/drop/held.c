#include "source/drop/held.h"

#include <string.h>

bool
held_is_folder(const char *path)
{
	return strcmp(path, HELD_FOLDER) == 0;
}
