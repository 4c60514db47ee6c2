#include "daemon/next.h"

bool
next_is_remote(const struct source_config *cfg)
{
	return cfg->kind == SOURCE_SFTP || cfg->kind == SOURCE_HTTP;
}

bool
next_is_scheduled(const struct source_config *cfg)
{
	return cfg->schedule.every != 0 || cfg->schedule.cron != NULL;
}

bool
next_is_only_then(const struct source_config *cfg)
{
	const struct schedule *s = &cfg->schedule;

	return s->cron != NULL && s->every == 0 && !s->window.set;
}

/* FNV-1a: the same jitter for a source as long as it keeps its name. */
static uint64_t
seed_of(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return h;
}

int64_t
next_look(const struct source_config *cfg, int64_t last, int64_t now)
{
	return schedule_next(&cfg->schedule, last, now, seed_of(cfg->name));
}
