/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Schemas of what flows are made of: a criterion, an instruction, each by its type. The model reads
 * and prints them (json_criteria.c, json_action.c, json_reply.c); every answer of the tests, and
 * every request that is taken, is held against these. For files of schemas alone.
 */
#ifndef TN_NORTHBOUND_SCHEMA_FLOWS_H
#define TN_NORTHBOUND_SCHEMA_FLOWS_H

#include "control/northbound/schema_words.h"

/* Of one of these types ("'A','B'"), with these members, needed ones ("'a','b'") first. */
#define TYPED(types, needed, members)                                             \
	"{'type':'object','additionalProperties':false,'required':['type'" needed \
	"],'properties':{'type':{'enum':[" types "]}" members "}}"
#define TEXT(key)   ",'" key "':" STRING
#define DIGITS(key) ",'" key "':" NUMBER
#define FLAG(key)   ",'" key "':" BOOL

/* A number, all of it or under a mask. */
#define MATCHED(types, key) TYPED(types, ",'" key "'", DIGITS(key) DIGITS(key "Mask"))
#define PREFIXED(types)	    TYPED(types, ",'ip'", TEXT("ip"))
#define PORTED(proto, key)                                                                         \
	MATCHED("'" proto "_SRC','" proto "_DST'", key "Port")                                     \
	"," TYPED("'" proto "_SRC_MASKED','" proto "_DST_MASKED'", ",'" key "Port','" key "Mask'", \
		DIGITS(key "Port") DIGITS(key "Mask"))

#define CRITERION                                                                                                          \
	"{'oneOf':[" MATCHED("'IN_PORT','IN_PHY_PORT'", "port") "," TYPED(                                                 \
		"'ETH_DST','ETH_SRC','ARP_SHA','ARP_THA','IPV6_ND_SLL','IPV6_ND_TLL'", ",'mac'",                           \
		TEXT("mac") TEXT("macMask")) "," TYPED("'ETH_DST_MASKED','ETH_SRC_MASKED'",                                \
		",'mac','macMask'", TEXT("mac") TEXT("macMask")) "," MATCHED("'ETH_TYPE'",                                 \
		"ethType") "," MATCHED("'VLAN_VID'", "vlanId") "," MATCHED("'INNER_VLAN_VID'",                             \
		"innerVlanId") "," MATCHED("'VLAN_PCP'",                                                                   \
		"priority") "," MATCHED("'INNER_VLAN_PCP'",                                                                \
		"innerPriority") "," PREFIXED("'IPV4_SRC','IPV4_DST','IPV6_SRC','IPV6_DST','ARP_SPA','ARP_TPA','TUN_SRC'," \
					      "'TUN_DST'") "," TYPED("'IPV6_ND_TARGET'",                                   \
		",'targetAddress'", TEXT("targetAddress")) "," MATCHED("'IP_FRAG'",                                        \
		"frag") "," TYPED("'REG'", ",'reg','value'",                                                               \
		DIGITS("reg") DIGITS("value") DIGITS("valueMask")) "," MATCHED("'ARP_OP'",                                 \
		"arpOp") "," MATCHED("'ICMPV4_TYPE'", "icmpType") "," MATCHED("'ICMPV4_CODE'",                             \
		"icmpCode") "," MATCHED("'ICMPV6_TYPE'",                                                                   \
		"icmpv6Type") "," MATCHED("'ICMPV6_CODE'",                                                                 \
		"icmpv6Code") "," MATCHED("'IPV6_EXTHDR'",                                                                 \
		"exthdrFlags") "," MATCHED("'IPV6_FLABEL'", "flowLabel") "," MATCHED("'IP_DSCP'",                          \
		"ipDscp") "," MATCHED("'IP_ECN'", "ipEcn") "," MATCHED("'IP_PROTO'",                                       \
		"protocol") "," MATCHED("'IP_TTL'", "ttl") "," MATCHED("'METADATA'",                                       \
		"metadata") "," MATCHED("'PKT_MARK'", "mark") "," MATCHED("'TCP_FLAGS'",                                   \
		"flags") "," MATCHED("'TUNNEL_ID'", "tunnelId") "," PORTED("TCP",                                          \
		"tcp") "," PORTED("UDP", "udp") "," PORTED("SCTP", "sctp") "]}"

/* What sets one field, by its subtype. */
#define SETS(layer, subtypes, key, schema)                       \
	TYPED("'" layer "MODIFICATION'", ",'subtype','" key "'", \
		",'subtype':{'enum':[" subtypes "]},'" key "':" schema)
/* What has a subtype and no value. */
#define DOES(layer, subtypes) \
	TYPED("'" layer "MODIFICATION'", ",'subtype'", ",'subtype':{'enum':[" subtypes "]}")
/* Of a VLAN tag, which is pushed where there is none. */
#define TAGS(subtype, key)                                \
	TYPED("'L2MODIFICATION'", ",'subtype','" key "'", \
		",'subtype':{'enum':['" subtype "']}" DIGITS(key) FLAG("pushIfNeeded"))
#define ACTIONS ",'instructions':" ARRAY(REF("Instruction"))

#define REPLIES "'ARP','ND','ECHO','TIME_EXCEEDED','UNREACHABLE','TOO_BIG','DHCP4','DHCP6','RA'"

#define INSTRUCTION                                                                               \
	"{'oneOf':[" TYPED("'NOACTION','POP_QUEUE','SNOOP'", "", "") "," TYPED("'OUTPUT'",        \
		",'port'", DIGITS("port") DIGITS("maxLen") TEXT("reason")) "," TYPED("'GROUP'",   \
		",'groupId'", DIGITS("groupId")) "," TYPED("'TABLE'", ",'tableId'",               \
		DIGITS("tableId")) "," TYPED("'METER'", ",'meterId'",                             \
		DIGITS("meterId")) "," TYPED("'METADATA'", ",'metadata'",                         \
		DIGITS("metadata") DIGITS("metadataMask")) "," TYPED("'QUEUE'", ",'queueId'",     \
		DIGITS("queueId") DIGITS("port")) "," SETS("L2", "'ETH_SRC','ETH_DST'", "mac",    \
		STRING) "," SETS("L2", "'TUNNEL_ID'", "tunnelId", NUMBER) "," SETS("L2",          \
		"'TUNNEL_SRC','TUNNEL_DST'", "ip",                                                \
		STRING) "," TAGS("VLAN_ID", "vlanId") "," TAGS("VLAN_PCP",                        \
		"vlanPcp") "," TYPED("'L2MODIFICATION'", ",'subtype'",                            \
		",'subtype':{'enum':['VLAN_PUSH']}" DIGITS("ethernetType")) "," DOES("L2",        \
		"'VLAN_POP'") "," SETS("L3",                                                      \
		"'IPV4_SRC','IPV4_DST','IPV6_SRC','IPV6_DST','ARP_SPA','ARP_TPA'", "ip",          \
		STRING) "," SETS("L3", "'ARP_SHA','ARP_THA'", "mac", STRING) "," SETS("L3",       \
		"'ARP_OP'", "arpOp", NUMBER) "," SETS("L3", "'IPV6_FLABEL'", "flowLabel",         \
		NUMBER) "," SETS("L3", "'IP_DSCP'", "ipDscp", NUMBER) "," SETS("L3", "'IP_ECN'",  \
		"ipEcn", NUMBER) "," SETS("L3", "'SET_TTL'", "ttl", NUMBER) "," DOES("L3",        \
		"'DEC_TTL','TTL_IN','TTL_OUT'") "," SETS("L4", "'TCP_SRC','TCP_DST'", "tcpPort",  \
		NUMBER) "," SETS("L4", "'UDP_SRC','UDP_DST'", "udpPort",                          \
		NUMBER) "," TYPED("'EXTENSION'", ",'extension'",                                  \
		TEXT("deviceId") ",'extension':" FREE) "," TYPED("'SET_FIELD'",                   \
		",'field','value'",                                                               \
		TEXT("field") DIGITS("value") DIGITS("mask")) "," TYPED("'MOVE'", ",'src','dst'", \
		TEXT("src") DIGITS("srcOffset") TEXT("dst") DIGITS("dstOffset")                   \
			DIGITS("bits")) "," TYPED("'TRUNCATE'", ",'maxLen'",                      \
		DIGITS("maxLen")) "," TYPED("'RESUBMIT'", "",                                     \
		DIGITS("tableId") DIGITS("inPort")) "," TYPED("'CLONE'", ",'instructions'",       \
		ACTIONS) "," TYPED("'IF_LONGER'", ",'maxLen','instructions'",                     \
		DIGITS("maxLen")                                                                  \
			ACTIONS) "," TYPED("'NOTE'", ",'hex'", TEXT("hex")) "," TYPED("'LEARN'",  \
		"", DIGITS("limit")) "," TYPED("'FDB'", "", FLAG("local")) "," TYPED("'MCAST'",   \
		"", FLAG("local") FLAG("routers")) "," TYPED("'CIRCUIT'",                         \
		",'number','field','tableId'",                                                    \
		DIGITS("number") TEXT("field") DIGITS("tableId")) "," TYPED("'ADVERTISE'",        \
		",'least','most'",                                                                \
		DIGITS("least") DIGITS("most")) "," TYPED("'REPLY'", ",'reply'",                  \
		",'reply':{'enum':[" REPLIES "]}" TEXT("mac") TEXT("ip") TEXT("address")          \
			TEXT("yourIp") TEXT("options") TEXT("body") DIGITS("code") DIGITS("mtu")  \
				DIGITS("leaseTime") FLAG("router")) "]}"

#endif
