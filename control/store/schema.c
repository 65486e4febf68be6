/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/schema.h"

const char *const tn_store_steps[TN_STORE_VERSION] = {
	/* "crc" is of everything else in the row: SQLite does not see bits that turn over. */
	"CREATE TABLE object("
	" row INTEGER PRIMARY KEY, kind INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" tenant INTEGER NOT NULL, owner INTEGER NOT NULL, generation INTEGER NOT NULL,"
	" created INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL);"
	"CREATE TABLE string(number INTEGER PRIMARY KEY, text TEXT NOT NULL);"
	"CREATE TABLE number(name INTEGER PRIMARY KEY, value INTEGER NOT NULL);"
	"CREATE TABLE unconfirmed("
	" id INTEGER PRIMARY KEY, due INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL);",
	/* Numbers that things of tenants have in the data plane, by the name of the thing. */
	"CREATE TABLE given(space INTEGER NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,"
	" PRIMARY KEY(space, name)) WITHOUT ROWID;",
	/* Checksums for the rows that had none. */
	"CREATE TEMP TABLE kept AS SELECT number, text FROM string;"
	"DROP TABLE string;"
	"CREATE TABLE string("
	" number INTEGER PRIMARY KEY, text TEXT NOT NULL, crc INTEGER NOT NULL);"
	"INSERT INTO string SELECT number, text, row_crc(number, text) FROM kept;"
	"DROP TABLE kept;"
	"CREATE TEMP TABLE kept AS SELECT name, value FROM number;"
	"DROP TABLE number;"
	"CREATE TABLE number("
	" name INTEGER PRIMARY KEY, value INTEGER NOT NULL, crc INTEGER NOT NULL);"
	"INSERT INTO number SELECT name, value, row_crc(name, value) FROM kept;"
	"DROP TABLE kept;"
	"CREATE TEMP TABLE kept AS SELECT space, name, number FROM given;"
	"DROP TABLE given;"
	"CREATE TABLE given(space INTEGER NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,"
	" crc INTEGER NOT NULL, PRIMARY KEY(space, name)) WITHOUT ROWID;"
	"INSERT INTO given SELECT space, name, number, row_crc(space, name, number) FROM kept;"
	"DROP TABLE kept;",
	/* What counters stood at when they were reset. */
	"CREATE TABLE base(what INTEGER NOT NULL, id INTEGER NOT NULL, packets INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY(what, id)) WITHOUT ROWID;",
};
