/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers as people and JSON readers want them. Buffers are the caller's. */
#ifndef TN_REPLAY_TEXT_H
#define TN_REPLAY_TEXT_H

#include <stdio.h>

#include "dataplane/core/field.h"

#define TN_TIME_TEXT	32
#define TN_ADDRESS_TEXT 46
#define TN_NUMBER_TEXT	32

/* Seconds since 1970 with nine decimals: no JSON number holds that. */
void tn_text_time(char text[TN_TIME_TEXT], uint64_t ns);
/* "192.0.2.1", "2001:db8::1" */
void tn_text_address(char text[TN_ADDRESS_TEXT], tn_u128 address);
/* "1,234,567" */
const char *tn_text_number(char text[TN_NUMBER_TEXT], uint64_t n);
/* Control characters as \xNN, so that a name cannot play with a terminal. */
void tn_text_print_name(FILE *f, const char *name);

#endif
