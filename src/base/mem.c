#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void NORETURN
mem_exhausted(void)
{
	fputs("landfall: out of memory\n", stderr);
	abort();
}

void *
mem_alloc(size_t size)
{
	void *p = calloc(1, size > 0 ? size : 1);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
mem_array(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
mem_resize(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL)
		mem_exhausted();
	return p;
}

char *
mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s));
}

void *
mem_dup(const void *p, size_t len)
{
	uint8_t *copy = mem_alloc(len + 1);

	if (len > 0)
		memcpy(copy, p, len);
	return copy;
}

void
mem_release(void *pointer_variable)
{
	void **p = pointer_variable;

	free(*p);
	*p = NULL;
}
