/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables, and how those of older releases become them.
 *
 * row_crc(column, ...) is the checksum that store.c makes of a row. A step leaves no text in
 * sqlite_master but its own CREATE statements (ALTER TABLE would): what stands there is compared
 * with them.
 *
 * Whoever changes a table raises TN_STORE_VERSION, adds the step from the version before to
 * tn_store_steps and keeps a database of that version as tests/data/store/vN.sql, which a test
 * opens with every later release.
 */
#ifndef TN_STORE_SCHEMA_H
#define TN_STORE_SCHEMA_H

#define TN_STORE_VERSION 4

/* Tells a store of tenond from other databases ("TNON"). */
#define TN_STORE_APPLICATION 0x544e4f4e

/* Step i makes version i + 1 of version i; version 0 is an empty file. */
extern const char *const tn_store_steps[TN_STORE_VERSION];

#endif
