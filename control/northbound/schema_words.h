/* SPDX-License-Identifier: BSD-3-Clause */
/* Words that schemas are written with. For files of schemas alone. */
#ifndef TN_NORTHBOUND_SCHEMA_WORDS_H
#define TN_NORTHBOUND_SCHEMA_WORDS_H

#define REF(name)	"{'$ref':'#/components/schemas/" name "'}"
#define OBJECT(members) "{'type':'object','additionalProperties':false,'properties':{" members "}}"
#define NEEDS(required, members)                                              \
	"{'type':'object','additionalProperties':false,'required':[" required \
	"],'properties':{" members "}}"
#define LIST(key, item) NEEDS("'" key "'", "'" key "':{'type':'array','items':" REF(item) "}")
#define STRING		"{'type':'string'}"
#define BOOL		"{'type':'boolean'}"
#define INT		"{'type':'integer'}"
#define ARRAY(items)	"{'type':'array','items':" items "}"
/* Integers may be written as strings of decimal or 0x digits. */
#define NUMBER "{'type':['integer','string']}"
#define U64    REF("U64")
#define FREE   "{'type':'object'}"

#endif
