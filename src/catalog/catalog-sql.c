#include "catalog/catalog-sql.h"

#include "landfall/catalog.h"

#define NUMBER_(n) #n
#define NUMBER(n) NUMBER_(n)

/*
 * The temporary store stays in files: sorting the story of a name with
 * millions of events then costs disk, not memory.
 */
const char catalog_sql_setup[] = "PRAGMA synchronous = FULL;"
				 "PRAGMA cache_size = -8192;"
				 "PRAGMA temp_store = FILE;"
				 "PRAGMA journal_size_limit = 67108864;"
				 "PRAGMA wal_autocheckpoint = 4000;"
				 "PRAGMA cell_size_check = ON;"
				 "PRAGMA trusted_schema = OFF;";

/*
 * version.id is the ledger's index + 1, so that ledger order is the order of
 * the table. version.sum is the beginning of bytes_sha256: an index of eight
 * bytes each instead of thirty-two. version.follows is the newest event when
 * the version was recorded: the order of a story does not hang on the clock.
 * name.base is the last component of a name that has several.
 */
static const char step_1[] =
	"CREATE TABLE meta("
	"	key TEXT PRIMARY KEY NOT NULL,"
	"	value INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE source("
	"	id INTEGER PRIMARY KEY,"
	"	name TEXT NOT NULL UNIQUE"
	") STRICT;"

	"CREATE TABLE name("
	"	id INTEGER PRIMARY KEY,"
	"	source INTEGER NOT NULL,"
	"	name BLOB NOT NULL,"
	"	base BLOB,"
	"	disposition INTEGER NOT NULL,"
	"	reason TEXT NOT NULL,"
	"	size INTEGER NOT NULL,"
	"	mtime INTEGER NOT NULL,"
	"	ctime INTEGER NOT NULL,"
	"	inode INTEGER NOT NULL,"
	"	device INTEGER NOT NULL,"
	"	first_seen INTEGER NOT NULL,"
	"	changed INTEGER NOT NULL,"
	"	newest INTEGER,"
	"	UNIQUE(name, source)"
	") STRICT;"
	"CREATE INDEX name_base ON name(base) WHERE base IS NOT NULL;"

	"CREATE TABLE version("
	"	id INTEGER PRIMARY KEY,"
	"	name INTEGER NOT NULL,"
	"	source INTEGER NOT NULL,"
	"	follows INTEGER NOT NULL,"
	"	at INTEGER NOT NULL,"
	"	generation INTEGER NOT NULL,"
	"	disposition INTEGER NOT NULL,"
	"	relation INTEGER NOT NULL,"
	"	sum INTEGER NOT NULL,"
	"	bytes_sha256 BLOB NOT NULL,"
	"	file_sha256 BLOB NOT NULL,"
	"	file TEXT NOT NULL,"
	"	size INTEGER NOT NULL,"
	"	records INTEGER NOT NULL,"
	"	malformed INTEGER NOT NULL,"
	"	landed_at INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX version_name ON version(name);"
	"CREATE INDEX version_sum ON version(sum, source)"
	"	WHERE disposition IN (1, 3);"
	"CREATE UNIQUE INDEX version_file ON version(file)"
	"	WHERE disposition <> 2;"
	"CREATE INDEX version_landed ON version(landed_at);"

	"CREATE TABLE event("
	"	id INTEGER PRIMARY KEY,"
	"	name INTEGER NOT NULL,"
	"	at INTEGER NOT NULL,"
	"	disposition INTEGER NOT NULL,"
	"	reason TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX event_name ON event(name);"

	"CREATE TABLE outbox("
	"	id INTEGER PRIMARY KEY,"
	"	entry BLOB NOT NULL,"
	"	file TEXT"
	") STRICT;"

	"CREATE TABLE pass("
	"	source INTEGER NOT NULL,"
	"	started INTEGER NOT NULL,"
	"	ended INTEGER NOT NULL,"
	"	outcome INTEGER NOT NULL,"
	"	listed INTEGER NOT NULL,"
	"	unchanged INTEGER NOT NULL,"
	"	landed INTEGER NOT NULL,"
	"	duplicate INTEGER NOT NULL,"
	"	new_version INTEGER NOT NULL,"
	"	pending INTEGER NOT NULL,"
	"	quarantined INTEGER NOT NULL,"
	"	ignored INTEGER NOT NULL,"
	"	trouble TEXT NOT NULL,"
	"	PRIMARY KEY(source, started)"
	") STRICT, WITHOUT ROWID;";

/* What arrived for a contract day: its rows lie together. */
static const char step_2[] = "CREATE INDEX version_arrived"
			     "	ON version(source, landed_at, size, records)"
			     "	WHERE disposition IN (1, 3);";

/*
 * shape: of the newest delivery landed; version is its ledger index.
 * settled: ledger indices of a quarantined entry and of what settled it.
 */
static const char step_3[] = "CREATE TABLE shape("
			     "	source INTEGER PRIMARY KEY,"
			     "	version INTEGER NOT NULL,"
			     "	header BLOB,"
			     "	columns INTEGER NOT NULL,"
			     "	bom INTEGER NOT NULL"
			     ") STRICT;"

			     "CREATE TABLE settled("
			     "	entry INTEGER PRIMARY KEY,"
			     "	by INTEGER NOT NULL"
			     ") STRICT;";

/* Names that wait are few among many, and asked for often. */
static const char step_4[] = "CREATE INDEX name_waiting"
			     "	ON name(source, first_seen)"
			     "	WHERE disposition = 4;";
/*
 * mark: up to which ledger index something has been dealt with. condition: what
 * is wrong with a source, as it was told last. alert: what is to be told; a row
 * goes when it was.
 */
static const char step_5[] = "CREATE TABLE mark("
			     "	source INTEGER NOT NULL,"
			     "	kind INTEGER NOT NULL,"
			     "	upto INTEGER NOT NULL,"
			     "	PRIMARY KEY(source, kind)"
			     ") STRICT, WITHOUT ROWID;"

			     "CREATE TABLE condition("
			     "	source INTEGER NOT NULL,"
			     "	kind INTEGER NOT NULL,"
			     "	state TEXT NOT NULL,"
			     "	key INTEGER NOT NULL,"
			     "	at INTEGER NOT NULL,"
			     "	PRIMARY KEY(source, kind)"
			     ") STRICT, WITHOUT ROWID;"

			     "CREATE TABLE alert("
			     "	id INTEGER PRIMARY KEY,"
			     "	source INTEGER NOT NULL,"
			     "	event TEXT NOT NULL,"
			     "	at INTEGER NOT NULL,"
			     "	due INTEGER NOT NULL,"
			     "	attempts INTEGER NOT NULL,"
			     "	given_up INTEGER NOT NULL,"
			     "	trouble TEXT NOT NULL,"
			     "	body TEXT NOT NULL"
			     ") STRICT;"
			     "CREATE INDEX alert_due ON alert(given_up, due);";

/*
 * Archives that were unpacked: their bytes are found like those of landing
 * files, and one that was not kept has no file.
 */
static const char step_6[] =
	"ALTER TABLE pass ADD COLUMN unpacked INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX version_unpacked ON version(sum, source)"
	"	WHERE disposition = 7;"
	"DROP INDEX version_file;"
	"CREATE UNIQUE INDEX version_file ON version(file)"
	"	WHERE disposition <> 2 AND file <> '';";

/*
 * stream: where each of a polled API's streams stands. seen: the records it
 * remembers, by the beginning of their SHA-256.
 */
static const char step_7[] = "CREATE TABLE stream("
			     "	id INTEGER PRIMARY KEY,"
			     "	source INTEGER NOT NULL,"
			     "	stream TEXT NOT NULL,"
			     "	part TEXT NOT NULL,"
			     "	position TEXT NOT NULL,"
			     "	job TEXT NOT NULL,"
			     "	upto INTEGER NOT NULL,"
			     "	parked INTEGER NOT NULL,"
			     "	why TEXT NOT NULL,"
			     "	looked INTEGER NOT NULL,"
			     "	whole INTEGER NOT NULL,"
			     "	UNIQUE(source, stream, part)"
			     ") STRICT;"

			     "CREATE TABLE seen("
			     "	stream INTEGER NOT NULL,"
			     "	digest BLOB NOT NULL,"
			     "	until INTEGER NOT NULL,"
			     "	PRIMARY KEY(stream, digest)"
			     ") STRICT, WITHOUT ROWID;";

/* side: what side files looked like when a delivery was taken, until they go */
static const char step_8[] = "CREATE TABLE side("
			     "	source INTEGER NOT NULL,"
			     "	name BLOB NOT NULL,"
			     "	side BLOB NOT NULL,"
			     "	size INTEGER NOT NULL,"
			     "	mtime INTEGER NOT NULL,"
			     "	ctime INTEGER NOT NULL,"
			     "	inode INTEGER NOT NULL,"
			     "	device INTEGER NOT NULL,"
			     "	PRIMARY KEY(source, name, side)"
			     ") STRICT, WITHOUT ROWID;";

/* Those that may be forgotten, the oldest first. */
static const char step_9[] = "CREATE INDEX name_ignored"
			     "	ON name(source, changed)"
			     "	WHERE disposition = 6 AND newest IS NULL;";

/* "STREAM." or "STREAM.PARTITION.", and what of a name stands behind it. */
#define STEM \
	"CAST(stream.stream || '.' || iif(part = '', '', part || '.') AS " \
	"BLOB)"
#define BEHIND_STEM "CAST(substr(n.name, length(" STEM ") + 1) AS TEXT)"

/*
 * How far streams have come, and what their API still allows; remains NULL:
 * it does not say. What landed before is counted by the names of its windows,
 * STREAM.PARTITION.START.EXTENSION; the tombstones of a sweep have the
 * partition `absent`. Dots stand in partitions too, and in a START that is no
 * whole second: with more behind the stem it is another partition's.
 */
static const char step_10[] =
	"ALTER TABLE stream ADD COLUMN files INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stream ADD COLUMN records INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE stream ADD COLUMN remains INTEGER;"
	"ALTER TABLE stream ADD COLUMN allowed INTEGER NOT NULL DEFAULT 0;"

	"UPDATE stream SET (files, records) ="
	"	(SELECT count(*), coalesce(sum(v.records), 0)"
	"	FROM source a"
	"	JOIN source s ON s.name = a.name || '.' || stream.stream"
	"	JOIN version v ON v.source = s.id"
	"	JOIN name n ON n.id = v.name"
	"	WHERE a.id = stream.source AND v.id <= stream.upto"
	"	AND v.disposition IN (1, 3)"
	"	AND instr(n.name, " STEM ") = 1"
	"	AND (" BEHIND_STEM " NOT GLOB '*.*.*'"
	"	OR (" BEHIND_STEM " GLOB '????????T??????.?????????Z*.*'"
	"	AND " BEHIND_STEM " NOT GLOB '*.*.*.*')));";

/* What is quarantined is little among much, and asked for often. */
static const char step_11[] = "CREATE INDEX version_quarantined"
			      "	ON version(source) WHERE disposition = 5;";

const char *const catalog_sql_steps[] = {step_1, step_2, step_3, step_4, step_5,
	step_6, step_7, step_8, step_9, step_10, step_11};
const size_t catalog_sql_n_steps = ARRAY_LEN(catalog_sql_steps);

/* Numbers of enum disposition stand in the texts: they are on disk anyway. */
_Static_assert(DISPOSITION_LANDED == 1 && DISPOSITION_DUPLICATE == 2 &&
		DISPOSITION_NEW_VERSION == 3 && DISPOSITION_PENDING == 4 &&
		DISPOSITION_QUARANTINED == 5 && DISPOSITION_UNPACKED == 7,
	"dispositions are on disk");
_Static_assert(PASS_COMPLETE == 1, "outcomes are on disk");

#define NAME_COLUMNS \
	"s.name, n.id, n.name, n.disposition, n.reason, n.size, n.mtime," \
	" n.ctime, n.inode, n.device, n.first_seen, n.changed"

/* The same, and why that version was quarantined, whatever came since. */
#define UNDECIDED_COLUMNS \
	"s.name, n.id, n.name, n.disposition," \
	" iif(n.disposition = 5, n.reason, coalesce((SELECT reason FROM event" \
	" WHERE name = n.id AND id > v.follows AND disposition = 5" \
	" ORDER BY id DESC LIMIT 1), '')), n.size, n.mtime," \
	" n.ctime, n.inode, n.device, n.first_seen, n.changed"

/* Quarantined, and nobody has decided, nor has it come again. */
#define UNDECIDED \
	" v.disposition = 5 AND n.newest = v.id AND NOT EXISTS" \
	" (SELECT 1 FROM settled WHERE entry = v.id - 1)"

#define VERSION_COLUMNS \
	"v.id, v.generation, v.disposition, v.relation, v.bytes_sha256," \
	" v.file_sha256, v.file, v.size, v.records, v.malformed, v.landed_at"

#define STREAM_COLUMNS \
	"id, stream, part, position, job, upto, parked, why, looked, whole," \
	" files, records, remains, allowed"

/* Versions of a name are events too; kind 1. */
#define STORY(which) \
	"SELECT e.id AS seq, 0 AS kind, e.at, s.name, n.name," \
	" e.disposition, e.reason, NULL, NULL, NULL, NULL, NULL, NULL," \
	" NULL, NULL, NULL, NULL, NULL" \
	" FROM name n JOIN source s ON s.id = n.source" \
	" JOIN event e ON e.name = n.id" \
	" WHERE n." which " = ?1 AND (?2 IS NULL OR n.source = ?2)" \
	" UNION ALL " \
	"SELECT v.follows, 1, v.at, s.name, n.name, v.disposition," \
	" '', " VERSION_COLUMNS \
	" FROM name n JOIN source s ON s.id = n.source" \
	" JOIN version v ON v.name = n.id" \
	" WHERE n." which " = ?1 AND (?2 IS NULL OR n.source = ?2)" \
	" ORDER BY 1, 2, 8"

/*
 * Numbers are not used again: the newest name and event, which say what the
 * next one's is, stay. `version.follows` speaks of them too.
 */
#define FORGETTABLE \
	"SELECT id FROM name n WHERE source = ?1 AND disposition = 6" \
	" AND newest IS NULL AND changed < ?2" \
	" AND id < (SELECT max(id) FROM name)" \
	" AND id IS NOT (SELECT name FROM event" \
	" WHERE id = (SELECT max(id) FROM event))" \
	" ORDER BY changed LIMIT " NUMBER(CATALOG_SQL_FORGET_ONCE)

const struct catalog_sql_text catalog_sql_texts[SQL_STATEMENTS] = {
	/* The write lock at once: a later upgrade could fail with BUSY. */
	[SQL_BEGIN] = {"BEGIN IMMEDIATE", false},
	[SQL_BEGIN_READING] = {"BEGIN", false},
	[SQL_COMMIT] = {"COMMIT", false},
	[SQL_ROLLBACK] = {"ROLLBACK", false},

	/* Touches the right edge of each table a landing depends on. */
	[SQL_PROBE] = {"SELECT (SELECT max(id) FROM source),"
		       " (SELECT max(id) FROM name),"
		       " (SELECT max(id) FROM version),"
		       " (SELECT max(landed_at) FROM version),"
		       " (SELECT max(id) FROM event),"
		       " (SELECT max(id) FROM outbox)",
		false},

	[SQL_SOURCE_FIND] = {"SELECT id FROM source WHERE name = ?1", false},
	[SQL_SOURCE_ADD] = {"INSERT INTO source(name) VALUES(?1)", false},

	[SQL_STAND] = {"SELECT disposition, size, mtime, ctime, inode, device"
		       " FROM name WHERE name = ?1 AND source = ?2",
		false},
	[SQL_FIND] = {"SELECT " NAME_COLUMNS ", " VERSION_COLUMNS
		      " FROM name n JOIN source s ON s.id = n.source"
		      " LEFT JOIN version v ON v.id = n.newest"
		      " WHERE n.name = ?1 AND n.source = ?2",
		false},
	[SQL_FIND_BYTES] = {"SELECT " VERSION_COLUMNS " FROM version v"
			    " WHERE v.sum = ?1 AND v.source = ?2"
			    " AND v.disposition IN (1, 3)"
			    " AND v.bytes_sha256 = ?3 AND v.size = ?4"
			    " ORDER BY v.id LIMIT 1",
		false},
	[SQL_FIND_UNPACKED] = {"SELECT " VERSION_COLUMNS " FROM version v"
			       " WHERE v.sum = ?1 AND v.source = ?2"
			       " AND v.disposition = 7"
			       " AND v.bytes_sha256 = ?3 AND v.size = ?4"
			       " ORDER BY v.id LIMIT 1",
		false},
	[SQL_FIND_INDEX] = {"SELECT " NAME_COLUMNS ", " VERSION_COLUMNS
			    " FROM version v JOIN name n ON n.id = v.name"
			    " JOIN source s ON s.id = n.source"
			    " WHERE v.id = ?1",
		false},
	[SQL_FIND_BEFORE] = {"SELECT id - 1 FROM version"
			     " WHERE name = ?1 AND id <= ?2"
			     " ORDER BY id DESC LIMIT 1",
		false},
	/* From the end of the ledger: soon found, or long silent. */
	[SQL_FIND_NEWEST] = {"SELECT " NAME_COLUMNS ", " VERSION_COLUMNS
			     " FROM version v JOIN name n ON n.id = v.name"
			     " JOIN source s ON s.id = n.source"
			     " WHERE v.disposition IN (1, 3, 7)"
			     " AND v.file <> '' AND +v.source = ?1"
			     " ORDER BY v.id DESC LIMIT 1",
		true},
	[SQL_FIND_FILE] = {"SELECT " NAME_COLUMNS ", " VERSION_COLUMNS
			   " FROM version v JOIN name n ON n.id = v.name"
			   " JOIN source s ON s.id = n.source"
			   " WHERE v.file = ?1 AND v.disposition <> 2"
			   " AND v.file <> ''",
		false},

	[SQL_PUT_NAME] = {"INSERT INTO name AS n(source, name, base,"
			  " disposition, reason, size, mtime, ctime, inode,"
			  " device, first_seen, changed, newest)"
			  " VALUES(?1, ?2, ?3, ?4, '', ?5, ?6, ?7, ?8, ?9,"
			  " ?10, ?10, ?11)"
			  " ON CONFLICT(name, source) DO UPDATE SET"
			  " disposition = excluded.disposition, reason = '',"
			  " size = excluded.size, mtime = excluded.mtime,"
			  " ctime = excluded.ctime, inode = excluded.inode,"
			  " device = excluded.device,"
			  " newest = excluded.newest,"
			  " changed = CASE WHEN n.size = excluded.size"
			  " AND n.mtime = excluded.mtime"
			  " AND n.ctime = excluded.ctime"
			  " AND n.inode = excluded.inode"
			  " AND n.device = excluded.device"
			  " THEN n.changed ELSE excluded.changed END"
			  " RETURNING id",
		false},
	[SQL_PUT_VERSION] = {"INSERT INTO version(id, name, source, at,"
			     " generation, disposition, relation, sum,"
			     " bytes_sha256, file_sha256, file, size, records,"
			     " malformed, landed_at, follows)"
			     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
			     " ?10, ?11, ?12, ?13, ?14, ?15,"
			     " coalesce((SELECT max(id) FROM event), 0))",
		false},

	[SQL_NOTE_FIND] = {"SELECT id, disposition, reason, size, mtime,"
			   " ctime, inode, device, changed FROM name"
			   " WHERE name = ?1 AND source = ?2",
		false},
	[SQL_NOTE_ADD] = {"INSERT INTO name(source, name, base, disposition,"
			  " reason, size, mtime, ctime, inode, device,"
			  " first_seen, changed)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
			  " ?11, ?11)",
		false},
	[SQL_NOTE_CHANGE] = {"UPDATE name SET disposition = ?2, reason = ?3,"
			     " size = ?4, mtime = ?5, ctime = ?6, inode = ?7,"
			     " device = ?8, changed = coalesce(?9, changed)"
			     " WHERE id = ?1",
		false},
	[SQL_NOTE_EVENT] = {"INSERT INTO event(name, at, disposition, reason)"
			    " VALUES(?1, ?2, ?3, ?4)",
		false},

	[SQL_LEDGER_SIZE] = {"SELECT max("
			     "coalesce((SELECT value FROM meta"
			     " WHERE key = 'ledger-size'), 0),"
			     " coalesce((SELECT max(id) + 1 FROM outbox), 0),"
			     " coalesce((SELECT max(id) FROM version), 0))",
		false},
	[SQL_LEDGER_KEEP] = {"INSERT INTO meta(key, value)"
			     " VALUES('ledger-size', ?1)"
			     " ON CONFLICT(key) DO UPDATE"
			     " SET value = excluded.value",
		false},
	[SQL_OUTBOX_PUT] = {"INSERT INTO outbox(id, entry, file)"
			    " VALUES(?1, ?2, ?3)",
		false},
	[SQL_OUTBOX_EACH] = {"SELECT id, entry, file FROM outbox"
			     " WHERE id >= ?1 ORDER BY id",
		false},
	[SQL_OUTBOX_DROP] = {"DELETE FROM outbox WHERE id < ?1", false},
	[SQL_LAST_LANDED] = {"SELECT coalesce(max(landed_at), 0)"
			     " FROM version",
		false},

	[SQL_PASS_PUT] = {"INSERT OR REPLACE INTO pass(source, started, ended,"
			  " outcome, listed, unchanged, landed, duplicate,"
			  " new_version, pending, quarantined, ignored,"
			  " unpacked, trouble)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
			  " ?11, ?12, ?13, ?14)",
		false},
	/* Old ones, and those of a clock that has been set back since. */
	[SQL_PASS_FORGET] = {"DELETE FROM pass WHERE source = ?1"
			     " AND (started > ?2 OR started <="
			     " (SELECT started FROM pass"
			     " WHERE source = ?1 AND started <= ?2"
			     " ORDER BY started DESC"
			     " LIMIT 1 OFFSET " NUMBER(
				     CATALOG_SQL_PASSES_KEPT) "))",
		false},
	[SQL_PASS_LAST] = {"SELECT started, ended, outcome, listed,"
			   " unchanged, landed, duplicate, new_version,"
			   " pending, quarantined, ignored, unpacked,"
			   " trouble"
			   " FROM pass WHERE source = ?1"
			   " ORDER BY started DESC LIMIT 1",
		false},

	[SQL_PASS_LOOKED] = {"SELECT started FROM pass"
			     " WHERE source = ?1 AND outcome = 1"
			     " ORDER BY started DESC LIMIT 1",
		false},
	[SQL_ARRIVED] = {"SELECT landed_at, size, records FROM version"
			 " WHERE source = ?1 AND landed_at >= ?2"
			 " AND landed_at < ?3 AND disposition IN (1, 3)"
			 " ORDER BY landed_at",
		false},

	[SQL_COUNT] = {"SELECT disposition, count(*) FROM name"
		       " WHERE source = ?1 GROUP BY disposition",
		true},
	[SQL_WAITING] = {"SELECT name, first_seen, reason FROM name"
			 " WHERE source = ?1 AND disposition = 4"
			 " ORDER BY first_seen LIMIT 1",
		false},
	[SQL_WAITING_COUNT] = {"SELECT count(*) FROM name"
			       " WHERE source = ?1 AND disposition = 4",
		false},
	[SQL_EACH_WAITING] = {"SELECT name, size, mtime, ctime, inode,"
			      " device FROM name"
			      " WHERE source = ?1 AND disposition = 4",
		false},
	[SQL_STORY] = {STORY("name"), false},
	[SQL_STORY_BASE] = {STORY("base"), false},
	[SQL_EACH_LANDED] = {"SELECT " NAME_COLUMNS ", " VERSION_COLUMNS
			     " FROM version v JOIN name n ON n.id = v.name"
			     " JOIN source s ON s.id = n.source"
			     " WHERE v.disposition <> 2 AND v.file <> ''"
			     " AND (?1 IS NULL OR v.source = ?1)"
			     " ORDER BY v.id",
		true},

	[SQL_SHAPE_PUT] = {"INSERT OR REPLACE INTO shape(source, version,"
			   " header, columns, bom) VALUES(?1, ?2, ?3, ?4, ?5)",
		false},
	[SQL_SHAPE_FIND] = {"SELECT version, header, columns, bom FROM shape"
			    " WHERE source = ?1",
		false},

	[SQL_FIND_LANDED] = {"SELECT " VERSION_COLUMNS " FROM name n"
			     " JOIN version v ON v.name = n.id"
			     " WHERE n.name = ?1 AND n.source = ?2"
			     " AND v.disposition <> 5"
			     " ORDER BY v.id DESC LIMIT 1",
		false},
	[SQL_SETTLE] = {"INSERT INTO settled(entry, by) VALUES(?1, ?2)", false},
	[SQL_SETTLED] = {"SELECT by FROM settled WHERE entry = ?1", false},

	[SQL_STREAM_FIND] = {"SELECT " STREAM_COLUMNS " FROM stream"
			     " WHERE source = ?1 AND stream = ?2 AND part = ?3",
		false},
	[SQL_STREAM_PUT] = {"INSERT INTO stream(source, stream, part,"
			    " position, job, upto, parked, why, looked,"
			    " whole, files, records, remains, allowed)"
			    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
			    " ?11, ?12, ?13, ?14)"
			    " ON CONFLICT(source, stream, part) DO UPDATE SET"
			    " position = excluded.position,"
			    " job = excluded.job, upto = excluded.upto,"
			    " parked = excluded.parked, why = excluded.why,"
			    " looked = excluded.looked,"
			    " whole = excluded.whole, files = excluded.files,"
			    " records = excluded.records,"
			    " remains = excluded.remains,"
			    " allowed = excluded.allowed RETURNING id",
		false},
	[SQL_STREAM_EACH] = {"SELECT " STREAM_COLUMNS " FROM stream"
			     " WHERE source = ?1 ORDER BY stream, part",
		false},
	[SQL_SEEN_FIND] = {"SELECT until FROM seen"
			   " WHERE stream = ?1 AND digest = ?2",
		false},
	[SQL_SEEN_PUT] = {"INSERT INTO seen(stream, digest, until)"
			  " VALUES(?1, ?2, ?3)"
			  " ON CONFLICT(stream, digest) DO UPDATE"
			  " SET until = max(until, excluded.until)",
		false},
	[SQL_SEEN_FORGET] = {"DELETE FROM seen"
			     " WHERE stream = ?1 AND until < ?2",
		false},

	[SQL_MARK_PUT] = {"INSERT OR REPLACE INTO mark(source, kind, upto)"
			  " VALUES(?1, ?2, ?3)",
		false},
	[SQL_MARK_FIND] = {"SELECT upto FROM mark"
			   " WHERE source = ?1 AND kind = ?2",
		false},
	/* By ledger order, not by any index: what is new is little. */
	[SQL_EACH_SINCE] = {"SELECT " NAME_COLUMNS ", " VERSION_COLUMNS
			    " FROM version v CROSS JOIN name n ON n.id = v.name"
			    " CROSS JOIN source s ON s.id = n.source"
			    " WHERE v.id > ?2 AND v.id <= ?3"
			    " AND +v.source = ?1 ORDER BY v.id",
		false},
	[SQL_STANDS] = {"SELECT v.id FROM version v"
			" CROSS JOIN name n ON n.id = v.name"
			" WHERE v.id > ?2 AND v.id <= ?3"
			" AND +v.source = ?1 AND" UNDECIDED " LIMIT 1",
		false},
	[SQL_UNDECIDED_COUNT] = {"SELECT count(*) FROM version v"
				 " CROSS JOIN name n ON n.id = v.name"
				 " WHERE v.source = ?1 AND" UNDECIDED,
		false},
	[SQL_UNDECIDED] = {"SELECT " UNDECIDED_COLUMNS ", " VERSION_COLUMNS
			   " FROM version v CROSS JOIN name n ON n.id = v.name"
			   " CROSS JOIN source s ON s.id = v.source"
			   " WHERE v.source = ?1 AND" UNDECIDED
			   " ORDER BY v.id",
		false},
	[SQL_SOURCES] = {"SELECT name FROM source WHERE name > ?1"
			 " ORDER BY name LIMIT 1",
		false},
	[SQL_CONDITION_PUT] = {"INSERT OR REPLACE INTO condition(source, kind,"
			       " state, key, at) VALUES(?1, ?2, ?3, ?4, ?5)",
		false},
	[SQL_CONDITION_FIND] = {"SELECT state, key, at FROM condition"
				" WHERE source = ?1 AND kind = ?2",
		false},
	[SQL_FAILING] = {"SELECT started FROM pass WHERE source = ?1"
			 " AND started > coalesce((SELECT started FROM pass"
			 " WHERE source = ?1 AND outcome = 1"
			 " ORDER BY started DESC LIMIT 1), -1)"
			 " ORDER BY started LIMIT 1",
		false},
	[SQL_ALERT_PUT] = {"INSERT INTO alert(source, event, at, due,"
			   " attempts, given_up, trouble, body)"
			   " VALUES(?1, ?2, ?3, ?4, 0, 0, '', ?5)",
		false},
	[SQL_ALERT_TRIED] = {"UPDATE alert SET due = ?2, given_up = ?3,"
			     " trouble = ?4, attempts = attempts + 1"
			     " WHERE id = ?1",
		false},
	[SQL_ALERT_DROP] = {"DELETE FROM alert WHERE id = ?1", false},
	[SQL_ALERT_FORGET] = {"DELETE FROM alert"
			      " WHERE given_up = 1 AND due < ?1",
		false},
	[SQL_ALERT_EACH] = {"SELECT a.id, s.name, a.event, a.at, a.due,"
			    " a.attempts, a.given_up, a.trouble, a.body"
			    " FROM alert a CROSS JOIN source s"
			    " ON s.id = a.source"
			    " WHERE a.given_up = ?1 ORDER BY a.due",
		false},
	[SQL_SIDE_PUT] = {"INSERT OR REPLACE INTO side(source, name, side,"
			  " size, mtime, ctime, inode, device)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		false},
	[SQL_SIDE_DROP] = {"DELETE FROM side WHERE source = ?1"
			   " AND name = ?2 AND side = ?3",
		false},
	[SQL_SIDE_EACH] = {"SELECT name, side, size, mtime, ctime, inode,"
			   " device FROM side WHERE source = ?1"
			   " AND (name, side) > (?2, ?3)"
			   " ORDER BY name, side",
		false},
	[SQL_EACH_NAME] = {"SELECT name FROM name WHERE name >= ?2"
			   " AND name < ?3 AND source = ?1 ORDER BY name",
		false},

	[SQL_EVENT_COUNT] = {"SELECT count(*) FROM event WHERE name = ?1",
		false},
	[SQL_EVENT_SECOND] = {"SELECT id, reason FROM event WHERE name = ?1"
			      " ORDER BY id LIMIT 1 OFFSET 1",
		false},
	[SQL_EVENT_FORGET] = {"DELETE FROM event WHERE name = ?1 AND id > ?2"
			      " AND id <= (SELECT id FROM event"
			      " WHERE name = ?1 ORDER BY id DESC"
			      " LIMIT 1 OFFSET " NUMBER(
				      CATALOG_SQL_EVENTS_KEPT) ")",
		false},
	[SQL_EVENT_SAY] = {"UPDATE event SET reason = ?2 WHERE id = ?1", false},
	[SQL_NAME_FORGET_EVENTS] = {"DELETE FROM event"
				    " WHERE name IN (" FORGETTABLE ")",
		false},
	[SQL_NAME_FORGET] = {"DELETE FROM name WHERE id IN (" FORGETTABLE ")",
		false},
};
