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
};
