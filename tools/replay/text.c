/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/text.h"

#include <arpa/inet.h>
#include <string.h>

#define NS_PER_S 1000000000ull

void tn_text_time(char text[TN_TIME_TEXT], uint64_t ns)
{
	snprintf(text, TN_TIME_TEXT, "%llu.%09llu", (unsigned long long)(ns / NS_PER_S),
		(unsigned long long)(ns % NS_PER_S));
}

void tn_text_address(char text[TN_ADDRESS_TEXT], tn_u128 address)
{
	struct tn_ip6 ip6 = tn_u128_to_ip6(address);
	uint32_t ip4;

	if (tn_u128_is_ip4(address, &ip4))
		snprintf(text, TN_ADDRESS_TEXT, "%u.%u.%u.%u", ip4 >> 24, ip4 >> 16 & 255,
			ip4 >> 8 & 255, ip4 & 255);
	else
		inet_ntop(AF_INET6, ip6.b, text, TN_ADDRESS_TEXT);
}

const char *tn_text_number(char text[TN_NUMBER_TEXT], uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	size_t at = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = 0;
	return text;
}

void tn_text_print_name(FILE *f, const char *name)
{
	for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
		/* Control characters, also those that Unicode adds (U+0080 to U+009F). */
		if (*c < 0x20 || *c == 0x7f)
			fprintf(f, "\\x%02x", *c);
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			fprintf(f, "\\u00%02x", *++c);
		else
			fputc(*c, f);
	}
}
