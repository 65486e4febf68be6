/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/northbound/schemas.h"

#include <stddef.h>

#include "control/northbound/schema_flows.h"
#include "control/northbound/schema_words.h"

#define STATE                                                                                  \
	"'state':{'enum':['PENDING_ADD','ADDED','PENDING_REMOVE','FAILED']},'failure':" STRING \
	",'failureName':" STRING ",'generation':" INT

#define FLOW                                                                                       \
	"'priority':" NUMBER ",'isPermanent':{'type':['boolean','string']},'timeout':" NUMBER      \
	",'hardTimeout':" NUMBER ",'deviceId':" STRING ",'tableId':" NUMBER ",'appId':" STRING     \
	",'cookie':" U64 ",'importance':" NUMBER                                                   \
	",'flags':" ARRAY(STRING) ",'treatment':" REF("Treatment") ",'selector':" REF(             \
		"Selector") ",'id':" STRING ",'groupId':" INT ",'life':" U64 ",'liveType':" STRING \
			    ",'lastSeen':" U64 ",'packets':" U64 ",'bytes':" U64                   \
			    ",'tableName':" STRING "," STATE

#define GROUP                                                                                     \
	"'type':{'enum':['ALL','SELECT','INDIRECT','FAILOVER','FF']},'groupId':" NUMBER           \
	",'id':" NUMBER ",'givenGroupId':" NUMBER ",'appCookie':" STRING ",'appId':" STRING       \
	",'deviceId':" STRING                                                                     \
	",'buckets':" ARRAY(REF("Bucket")) ",'selectionMethod':" STRING ",'hashFields':" ARRAY(   \
		STRING) ",'selectionParam':" U64 ",'life':" U64 ",'packets':" U64 ",'bytes':" U64 \
			",'referenceCount':" INT "," STATE

#define METER                                                                                     \
	"'unit':{'enum':['KB_PER_SEC','PKTS_PER_SEC','BYTES_PER_SEC']},'burst':" BOOL             \
	",'stats':" BOOL                                                                          \
	",'bands':" ARRAY(REF("Band")) ",'index':" NUMBER ",'id':" NUMBER ",'scope':" STRING      \
				       ",'appId':" STRING ",'deviceId':" STRING ",'life':" U64    \
				       ",'packets':" U64 ",'bytes':" U64 ",'referenceCount':" INT \
				       "," STATE

#define PORT                                                                                     \
	"'number':" NUMBER ",'name':" STRING ",'type':" STRING ",'isEnabled':" BOOL              \
	",'config':" ARRAY(STRING) ",'mtu':" INT ",'options':" FREE ",'linkUp':" BOOL            \
				   ",'live':" BOOL ",'received':" REF("Counter") ",'sent':" REF( \
					   "Counter") ",'dropped':" FREE "," STATE

#define HOST                                                                                     \
	"'mac':" STRING ",'vlan':{'type':['string','integer']},'ipAddresses':" ARRAY(            \
		STRING) ",'locations':" ARRAY(FREE) ",'id':" STRING ",'innerVlan':" STRING       \
						    ",'outerTpid':" STRING ",'configured':" BOOL \
						    ",'suspended':" BOOL "," STATE

#define TABLE                                                                          \
	"'tableId':" NUMBER ",'name':" STRING ",'maxEntries':" INT ",'eviction':" BOOL \
	",'vacancyDown':" INT ",'vacancyUp':" INT ",'activeEntries':" INT              \
	",'packetsLookedUp':" U64 ",'packetsMatched':" U64 ",'lookup':" STRING         \
	",'memoryBytes':" U64 "," STATE

#define DEVICE                                                                                   \
	"'id':" STRING ",'type':" STRING ",'available':" BOOL ",'role':" STRING ",'mfr':" STRING \
	",'hw':" STRING ",'sw':" STRING ",'serial':" STRING ",'driver':" STRING                  \
	",'chassisId':" STRING ",'lastUpdate':" STRING ",'humanReadableLastUpdate':" STRING      \
	",'annotations':" FREE ",'ports':" ARRAY(REF("DevicePort"))

#define PORT_COUNTERS                                                                         \
	"'port':" INT ",'packetsReceived':" U64 ",'packetsSent':" U64 ",'bytesReceived':" U64 \
	",'bytesSent':" U64 ",'packetsRxDropped':" U64 ",'packetsTxDropped':" U64             \
	",'packetsRxErrors':" U64 ",'packetsTxErrors':" U64 ",'durationSec':" U64

#define FEATURES                                                                                                                                                                                 \
	"'tableId':" NUMBER ",'name':" STRING ",'maxEntries':" INT ",'metadataMatch':" STRING                                                                                                    \
	",'metadataWrite':" STRING                                                                                                                                                               \
	",'capabilities':" ARRAY(STRING) ",'instructions':" ARRAY(STRING) ",'nextTables':" ARRAY(INT) ",'applyActions':" ARRAY(STRING) ",'writeActions':" ARRAY(STRING) ",'matchFields':" ARRAY( \
		STRING) ",'wildcardFields':" ARRAY(STRING) ",'maskableFields':" ARRAY(STRING) ",'applySetFields':" ARRAY(STRING) ",'writeSetFields':" ARRAY(STRING)

#define TENANT_PARTS                                                                                                                                          \
	",'hosts':" ARRAY(REF("NewTenantHost")) ",'quotas':" ARRAY(REF("NewQuota")) ",'qos_policies':" ARRAY(REF("NewQosPolicy")) ",'address_groups':" ARRAY( \
		REF("NewAddressGroup")) ",'networks':" ARRAY(REF("NewNetwork")) ",'subnets':" ARRAY(REF("NewSubnet")) ",'routers':" ARRAY(REF("NewRouter"))

const struct tn_schema tn_switch_schemas[] = {
	{"U64",
		"{'anyOf':[{'type':'integer','minimum':0},{'type':'string',"
		"'pattern':'^(0x[0-9a-fA-F]{1,16}|[0-9]+)$'}]}"},
	{"Criterion", CRITERION},
	{"Selector", OBJECT("'criteria':" ARRAY(REF("Criterion")))},
	{"Instruction", INSTRUCTION},
	{"Treatment",
		OBJECT("'instructions':" ARRAY(REF("Instruction")) ",'deferred':" ARRAY(
			REF("Instruction")) ",'clearDeferred':" BOOL)},
	{"Counter", NEEDS("'packets','bytes'", "'packets':" U64 ",'bytes':" U64)},
	{"NewFlow", NEEDS("'priority','isPermanent'", FLOW)},
	{"Flow",
		NEEDS("'id','priority','isPermanent','tableId','appId','state','treatment',"
		      "'selector'",
			FLOW)},
	{"NewFlows", LIST("flows", "NewFlow")},
	{"Flows", LIST("flows", "Flow")},
	{"FlowId", OBJECT("'deviceId':" STRING ",'flowId':{'type':['string','integer']}")},
	{"FlowIds",
		OBJECT("'flows':" ARRAY(
			OBJECT("'deviceId':" STRING ",'flowId':{'type':['string','integer']}")))},
	{"Replaced",
		OBJECT("'added':" INT ",'changed':" INT ",'removed':" INT ",'unchanged':" INT
		       ",'transaction':" STRING)},

	{"Bucket",
		OBJECT("'type':" STRING ",'weight':" INT ",'bucketId':" INT
		       ",'watchPort':{},'watchGroup':{},'treatment':" REF(
			       "Treatment") ",'packets':" U64 ",'bytes':" U64)},
	{"NewGroup", NEEDS("'type','appCookie','buckets'", GROUP)},
	{"Group", NEEDS("'id','type','appCookie','buckets','state'", GROUP)},
	{"Groups", LIST("groups", "Group")},
	{"GroupId", OBJECT("'deviceId':" STRING ",'groupId':" INT)},
	{"NewBuckets", LIST("buckets", "Bucket")},

	{"Band",
		NEEDS("'type','rate','burstSize'",
			"'type':{'enum':['DROP','REMARK']},'rate':" NUMBER ",'burstSize':" NUMBER
			",'prec':" NUMBER ",'packets':" U64 ",'bytes':" U64)},
	{"NewMeter", NEEDS("'unit','bands'", METER)},
	{"Meter", NEEDS("'id','unit','burst','bands','state'", METER)},
	{"Meters", LIST("meters", "Meter")},
	{"MeterId", OBJECT("'deviceId':" STRING ",'meterId':" STRING)},

	{"Device", NEEDS("'id','type','available','role'", DEVICE)},
	{"Devices", LIST("devices", "Device")},
	{"DevicePort",
		NEEDS("'element','port','isEnabled','type','portSpeed'",
			"'element':" STRING ",'port':" STRING ",'isEnabled':" BOOL ",'type':" STRING
			",'portSpeed':" INT ",'annotations':" FREE)},
	{"DevicePorts", LIST("ports", "DevicePort")},
	{"PortState", NEEDS("'enabled'", "'enabled':" BOOL)},

	{"NewPort", NEEDS("'number','type'", PORT)},
	{"Port", NEEDS("'number','name','type','isEnabled','state'", PORT)},
	{"Ports", LIST("ports", "Port")},
	{"PortNumber", NEEDS("'number'", "'number':" INT)},
	{"PortSettings", OBJECT("'isEnabled':" BOOL ",'config':" ARRAY(STRING))},

	{"PortStatistics",
		NEEDS("'statistics'",
			"'statistics':" ARRAY(NEEDS("'device','ports'",
				"'device':" STRING
				",'ports':" ARRAY(NEEDS("'port'", PORT_COUNTERS)))))},
	{"TableStatistics",
		NEEDS("'statistics'",
			"'statistics':" ARRAY(NEEDS("'device','table'",
				"'device':" STRING ",'table':" ARRAY(
					OBJECT("'tableId':" STRING ",'deviceId':" STRING
					       ",'activeEntries':" INT ",'packetsLookedUp':" U64
					       ",'packetsMatched':" U64)))))},
	{"NetworkStatistics",
		NEEDS("'statistics'",
			"'statistics':" ARRAY(NEEDS("'device','networks'",
				"'device':" STRING
				",'networks':" ARRAY(NEEDS("'network','packetsDropped','dropped'",
					"'network':" STRING ",'network_id':" STRING
					",'packetsDropped':" U64 ",'dropped':" FREE)))))},
	{"ActiveEntries",
		NEEDS("'statistics'",
			"'statistics':" ARRAY(NEEDS("'device','activeEntries'",
				"'device':" STRING ",'activeEntries':" INT)))},
	{"Loads",
		NEEDS("'loads'",
			"'loads':" ARRAY(OBJECT("'rate':" U64 ",'latest':" U64 ",'valid':" BOOL
						",'time':" U64 ",'link':" FREE)))},

	{"NewHost", NEEDS("'mac','vlan','ipAddresses','locations'", HOST)},
	{"Host", NEEDS("'id','mac','vlan','ipAddresses','locations'", HOST)},
	{"Hosts", LIST("hosts", "Host")},
	{"HostId", NEEDS("'id'", "'id':" STRING)},

	{"NewTable", NEEDS("'tableId'", TABLE)},
	{"Table", NEEDS("'tableId','maxEntries','activeEntries'", TABLE)},
	{"Tables", LIST("tables", "Table")},
	{"TableId", OBJECT("'tableId':" INT)},
	{"TableFeatures", NEEDS("'tableId','matchFields','instructions'", FEATURES)},
	{"TableFeaturesList", LIST("features", "TableFeatures")},
	{"Pipeline", "{'type':'object','required':['NDM_metadata','table_map','flow_tables']}"},

	{"PacketOut",
		NEEDS("'frame','treatment'",
			"'inPort':{'type':['string','integer']},'frame':" STRING
			",'treatment':" REF("Treatment") ",'deviceId':" STRING)},
	{"Trace",
		NEEDS("'inPort','frame'",
			"'inPort':{'type':['string','integer']},'frame':" STRING ",'explain':" BOOL
			",'tunnelId':" U64 ",'tunSrc':" STRING ",'tunDst':" STRING)},
	{"TraceRule",
		NEEDS("'priority','selector','treatment'",
			"'flowId':" STRING ",'priority':" INT ",'cookie':" U64 ",'appId':" STRING
			",'selector':" REF("Selector") ",'treatment':" REF(
				"Treatment") ",'differs':" ARRAY(STRING) ",'purpose':" STRING
									 ",'objects':" ARRAY(NEEDS(
										 "'kind','id'",
										 "'kind':" STRING
										 ",'id':" STRING
										 ",'name':" STRING)))},
	{"TraceStep",
		NEEDS("'tableId','packet','matched'",
			"'tableId':" INT
			",'packet':" REF("Selector") ",'matched':" BOOL ",'flowId':" STRING
						     ",'rule':" REF("TraceRule") ",'next':" REF(
							     "TraceRule"))},
	{"TraceReply",
		NEEDS("'inPort','steps','outputs','packetIns','drops'",
			"'inPort':" INT ",'inPhyPort':" INT ",'tunnelId':" U64 ",'toHost':" BOOL
			",'steps':" ARRAY(REF("TraceStep")) ",'buckets':" ARRAY(OBJECT("'step':" INT ",'groupId':" INT ",'bucketId':" INT)) ",'outputs':" ARRAY(OBJECT(
				"'port':" STRING ",'uplink':" STRING ",'tableId':" INT
				",'flowId':" STRING ",'totalLen':" INT
				",'frame':" STRING)) ",'packetIns':" ARRAY(OBJECT("'inPort':" INT
										  ",'tableId':" INT
										  ",'flowId':" STRING
										  ",'cookie':" U64
										  ",'totalLen':" INT
										  ",'frame':" STRING)) ",'drops':" ARRAY(OBJECT("'reason':" STRING
																",'text':" STRING
																",'port':" STRING
																",'tableId':" INT
																",'flowId':" STRING)))},

	{"Config",
		OBJECT("'device':" FREE TENANT_PARTS
		       ",'ports':" ARRAY(REF("AnyDeclaredPort")) ",'tables':" ARRAY(REF("NewTable")) ",'groups':" ARRAY(
			       REF("NewGroup")) ",'meters':" ARRAY(REF("NewMeter")) ",'flows':" ARRAY(REF("NewFlow")))},
	{"ConfigDone", OBJECT("'generation':" INT ",'changed':" INT ",'transaction':" STRING)},
	{"Transaction",
		NEEDS("'operations'",
			"'operations':" ARRAY(
				"{'type':'object','required':['op']}") ",'atomic':" BOOL
								       ",'ordered':" BOOL
								       ",'confirmWithin':" INT)},
	{"TransactionDone",
		OBJECT("'generation':" INT ",'transaction':" STRING ",'results':" ARRAY(
			OBJECT("'kind':" STRING ",'id':" STRING ",'created':" BOOL
			       ",'changed':" BOOL ",'objects':" INT)))},

	{"WatchLine",
		NEEDS("'event'",
			"'seq':" INT ",'time':" STRING ",'kind':" STRING ",'event':" STRING
			",'reason':" STRING ",'object':" FREE ",'lost':" INT)},
	{"Status",
		NEEDS("'deviceId','connected','objects'",
			"'deviceId':" STRING ",'connected':" BOOL ",'dataplaneVersion':" STRING
			",'since':" U64 ",'started':" U64 ",'pending':" INT ",'failed':" INT
			",'objects':" FREE ",'sequence':" U64 ",'watchers':" INT
			",'memoryBytes':" U64 ",'you':" FREE ",'workers':" ARRAY(FREE))},
	{"Health", NEEDS("'status'", "'status':{'enum':['ok','degraded']},'connected':" BOOL)},
	{"DryRun",
		NEEDS("'dryRun','total','changes'",
			"'dryRun':{'const':true},'total':" INT
			",'changes':" ARRAY(NEEDS("'change','kind'",
				"'change':{'enum':['ADDED','MODIFIED','REMOVED']},'kind':" STRING
				",'before':" FREE ",'after':" FREE)))},
	{"Openapi", "{'type':'object','required':['openapi','paths']}"},
	{"Problem",
		NEEDS("'code','message'",
			"'type':" STRING ",'title':" STRING ",'status':" INT ",'detail':" STRING
			",'instance':" STRING ",'code':" INT ",'message':" STRING ",'ofType':" INT
			",'ofCode':" INT ",'ofName':" STRING ",'failedIndex':" INT
			",'errorsInAll':" INT ",'errors':" ARRAY(OBJECT(
				"'pointer':" STRING ",'line':" INT ",'column':" INT ",'ofType':" INT
				",'ofCode':" INT ",'ofName':" STRING ",'detail':" STRING)))},
	{NULL, NULL},
};

const struct tn_schema_parameter tn_switch_parameters[] = {
	{"deviceId", "of: and 16 hex digits", "{'type':'string','pattern':'^of:[0-9a-f]{16}$'}"},
	{"flowId", "decimal, signed", STRING},
	{"tableId", "0 to 254, or a name", STRING},
	{"appId", "the name of an owner", STRING},
	{"appCookie", "0x and hex digits: the client's key; or the group's number", STRING},
	{"bucketIds", "with commas between", STRING},
	{"meterId", "", INT},
	{"scope", "global", STRING},
	{"port", "number or name", STRING},
	{"mac", "aa:bb:cc:dd:ee:ff", STRING},
	{"vlan", "0 to 4095, None or -1", STRING},
	{"transactionId", "from the answer to it", STRING},
	{"wait", "none: the answer does not wait for the data plane", "{'enum':['none','done']}"},
	{"dryRun", "nothing is changed; the answer is what would be", BOOL},
	{"confirmWithin", "seconds after which it is undone again, unless confirmed", INT},
	{"limit", "at most so many; Link has the next page", INT},
	{"after", "the id of the last one seen", STRING},
	{"stats", "false: without counters", BOOL},
	{"table", "of this table", STRING},
	{"cookie", "value, or value/mask", STRING},
	{"outPort", "that send to this port", STRING},
	{"outGroup", "that use this group", INT},
	{"match", "ovs-ofctl text: these flows and more specific ones", STRING},
	{"device", "of: and 16 hex digits", STRING},
	{"kinds",
		"flow,group,meter,port,table,host,network,subnet,tenant-port,router,"
		"tenant-host,qos-policy,address-group,quota,packet-in,dataplane; all but "
		"packet-in",
		STRING},
	{"since", "events after this sequence, in place of what there is", INT},
	{"initial", "false: changes alone", BOOL},
	{"If-None-Match", "ETag: 304 while it is that", STRING},
	{"If-Match", "ETag: 412 unless it is that", STRING},
	{"Idempotency-Key", "the same key and request within ten minutes: the same answer", STRING},
	{NULL, NULL, NULL},
};
