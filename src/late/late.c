#include "late/late.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static enum rc
load(struct late *l, struct err *e)
{
	void *library = dlopen(l->library, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		return err_set(e, BROKEN, "%s", dlerror());
	for (size_t i = 0; i < l->n; i++) {
		void *f = dlsym(library, l->names[i]);

		if (f == NULL)
			return err_set(e, BROKEN, "%s", dlerror());
		memcpy((char *)l->table + i * sizeof(f), &f, sizeof(f));
	}
	l->loaded = true;
	return OK;
}

enum rc
late_load(struct late *l, struct err *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	enum rc rc;

	pthread_mutex_lock(&lock);
	rc = l->loaded ? OK : load(l, e);
	pthread_mutex_unlock(&lock);
	return rc;
}
