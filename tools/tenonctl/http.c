/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/tenonctl/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>

#include "tools/tenonctl/say.h"

#define TOKEN_MAX 4096

struct tn_ctl_http {
	CURL *curl;
	struct curl_slist *headers;
	const char *base;  /* of every URL */
	const char *where; /* for sentences */
	bool is_tcp;
	unsigned timeout_s;
	tn_ctl_tick_fn tick; /* NULL: none */
	void *tick_ctx;
	char error[CURL_ERROR_SIZE];
};

/* --- what arrives ----------------------------------------------------------------------------- */

struct arrival {
	struct tn_ctl_http *http;
	struct tn_ctl_answer *answer;
	size_t room;
	/* lines */
	tn_ctl_line_fn fn;
	void *ctx;
	bool enough;
};

static bool append(struct arrival *a, const char *data, size_t n)
{
	struct tn_ctl_answer *answer = a->answer;
	size_t room = a->room ? a->room : 4096;
	char *bigger;

	while (room < answer->len + n + 1)
		room *= 2;
	if (room != a->room) {
		bigger = realloc(answer->body, room);
		if (!bigger)
			return false;
		answer->body = bigger;
		a->room = room;
	}
	memcpy(answer->body + answer->len, data, n);
	answer->len += n;
	answer->body[answer->len] = '\0';
	return true;
}

/* Whole lines of what came go to fn, the rest waits. */
static void hand_out(struct arrival *a)
{
	struct tn_ctl_answer *answer = a->answer;
	size_t start = 0;

	while (!a->enough) {
		char *end = memchr(answer->body + start, '\n', answer->len - start);
		size_t len;

		if (!end)
			break;
		len = (size_t)(end - answer->body) - start;
		if (len && !a->fn(a->ctx, answer->body + start, len))
			a->enough = true;
		start += len + 1;
	}
	memmove(answer->body, answer->body + start, answer->len - start);
	answer->len -= start;
}

static size_t take_body(char *data, size_t one, size_t n, void *ctx)
{
	struct arrival *a = ctx;
	long status = 0;

	if (!append(a, data, one * n))
		return 0;
	if (!a->fn)
		return one * n;
	curl_easy_getinfo(a->http->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		hand_out(a);
	return a->enough ? 0 : one * n;
}

static size_t take_header(char *data, size_t one, size_t n, void *ctx)
{
	struct arrival *a = ctx;
	size_t len = one * n, name = strlen("etag:");

	if (len <= name || strncasecmp(data, "etag:", name) != 0)
		return len;
	data += name;
	n = len - name;
	for (; n && (*data == ' ' || *data == '\t'); data++)
		n--;
	while (n && (data[n - 1] == '\r' || data[n - 1] == '\n' || data[n - 1] == ' '))
		n--;
	free(a->answer->etag);
	a->answer->etag = strndup(data, n);
	return len;
}

static int on_progress(
	void *ctx, curl_off_t to, curl_off_t now, curl_off_t up_to, curl_off_t up_now)
{
	struct arrival *a = ctx;

	(void)to;
	(void)now;
	(void)up_to;
	(void)up_now;
	if (a->fn && !a->http->tick(a->http->tick_ctx))
		a->enough = true;
	return a->enough;
}

void tn_ctl_http_tick(struct tn_ctl_http *http, tn_ctl_tick_fn fn, void *ctx)
{
	http->tick = fn;
	http->tick_ctx = ctx;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool add_header(struct tn_ctl_http *http, const char *header)
{
	struct curl_slist *list = curl_slist_append(http->headers, header);

	if (list)
		http->headers = list;
	return list != NULL;
}

void tn_ctl_http_if_match(struct tn_ctl_http *http, const char *etag)
{
	char header[128];

	snprintf(header, sizeof(header), "If-Match: %s", etag);
	(void)add_header(http, header);
}

static bool add_token(struct tn_ctl_http *http, const char *path)
{
	static const char start[] = "Authorization: Bearer ";
	char header[sizeof(start) + TOKEN_MAX];
	FILE *f = fopen(path, "r");
	char *token = header + sizeof(start) - 1;
	bool ok;

	memcpy(header, start, sizeof(start));
	ok = f && fgets(token, TOKEN_MAX, f);
	if (f)
		fclose(f);
	if (!ok) {
		tn_ctl_say("no token in %s: %s", path, f ? "it is empty" : strerror(errno));
		return false;
	}
	token[strcspn(token, "\r\n")] = '\0';
	return add_header(http, header);
}

static bool set_up(struct tn_ctl_http *http, const struct tn_ctl_http_options *o)
{
	CURL *c = http->curl;

	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, http->error);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	if (!o->server)
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, o->socket);
	if (o->ca)
		curl_easy_setopt(c, CURLOPT_CAINFO, o->ca);
	if (o->certificate)
		curl_easy_setopt(c, CURLOPT_SSLCERT, o->certificate);
	if (o->key)
		curl_easy_setopt(c, CURLOPT_SSLKEY, o->key);
	/* No "Expect: 100-continue": the daemon is near. */
	return add_header(http, "Content-Type: application/json") && add_header(http, "Expect:") &&
		(!o->token_file || add_token(http, o->token_file));
}

struct tn_ctl_http *tn_ctl_http_new(const struct tn_ctl_http_options *options)
{
	struct tn_ctl_http *http = calloc(1, sizeof(*http));

	if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) || !(http->curl = curl_easy_init())) {
		tn_ctl_say("out of memory");
		tn_ctl_http_free(http);
		return NULL;
	}
	http->base = options->server ? options->server : "http://tenond";
	http->where = options->server ? options->server : options->socket;
	http->is_tcp = options->server != NULL;
	http->timeout_s = options->timeout_s;
	if (!set_up(http, options)) {
		tn_ctl_http_free(http);
		return NULL;
	}
	return http;
}

void tn_ctl_http_free(struct tn_ctl_http *http)
{
	if (!http)
		return;
	curl_slist_free_all(http->headers);
	if (http->curl)
		curl_easy_cleanup(http->curl);
	curl_global_cleanup();
	free(http);
}

void tn_ctl_answer_fini(struct tn_ctl_answer *answer)
{
	free(answer->body);
	free(answer->etag);
	*answer = (struct tn_ctl_answer){0};
}

/* --- requests --------------------------------------------------------------------------------- */

static void complain_of_socket(const char *path)
{
	if (access(path, F_OK) == 0)
		tn_ctl_say("%s may not be used by you: be root or in its group (usermod -aG tenon "
			   "USER), or use --server with a token",
			path);
	else
		tn_ctl_say(
			"there is no %s: is tenond running? Start it (systemctl start tenond), or "
			"name another place with --socket or --server",
			path);
}

/* What went wrong with TLS, with what helps. */
static bool complain_of_tls(const struct tn_ctl_http *http, CURLcode rc, const char *why)
{
	const char *help;

	/* It answered otherwise, or hung up before its answer was read. */
	if (strstr(why, "wrong version number") || strstr(why, "record") ||
		strstr(why, "SSL_ERROR_SYSCALL"))
		help = "it does not speak TLS there: is it http:// or another port?";
	else if (rc == CURLE_PEER_FAILED_VERIFICATION)
		help = "its certificate is not trusted: --ca FILE names who signed it";
	else if (rc == CURLE_SSL_CERTPROBLEM || rc == CURLE_SSL_CACERT_BADFILE)
		help = "see the files of --ca, --cert and --key";
	else
		return false;
	tn_ctl_say("%s: %s (%s)", http->where, help, why);
	return true;
}

static int complain(const struct tn_ctl_http *http, CURLcode rc)
{
	const char *why = *http->error ? http->error : curl_easy_strerror(rc);
	bool is_plain = strncmp(http->base, "http://", 7) == 0;

	if (rc == CURLE_COULDNT_CONNECT && !http->is_tcp && access(http->where, W_OK))
		complain_of_socket(http->where);
	else if (rc == CURLE_COULDNT_CONNECT)
		tn_ctl_say("nobody answers at %s: is tenond running? Start it (systemctl start "
			   "tenond), or name another place with --socket or --server",
			http->where);
	else if (rc == CURLE_OPERATION_TIMEDOUT)
		tn_ctl_say("%s said nothing for %u s: try --timeout, or see what tenond does",
			http->where, http->timeout_s);
	else if (http->is_tcp && is_plain && (rc == CURLE_GOT_NOTHING || rc == CURLE_RECV_ERROR))
		tn_ctl_say("%s: it does not speak plain HTTP there: is it https://?", http->where);
	else if (!complain_of_tls(http, rc, why))
		tn_ctl_say("%s: %s", http->where, why);
	return -1;
}

static int perform(struct tn_ctl_http *http, const char *path, struct arrival *a)
{
	size_t size = strlen(http->base) + strlen(path) + 1;
	char *url = malloc(size);
	CURLcode rc;

	*a->answer = (struct tn_ctl_answer){0};
	a->http = http;
	if (!url || !append(a, "", 0)) {
		free(url);
		tn_ctl_say("out of memory");
		return -1;
	}
	snprintf(url, size, "%s%s", http->base, path);
	*http->error = '\0';
	curl_easy_setopt(http->curl, CURLOPT_URL, url);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
	curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, a);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, (long)http->timeout_s);
	curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, http->tick ? 0L : 1L);
	curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, a);
	rc = curl_easy_perform(http->curl);
	free(url);
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &a->answer->status);
	if (rc == CURLE_OK ||
		((rc == CURLE_WRITE_ERROR || rc == CURLE_ABORTED_BY_CALLBACK) && a->enough))
		return 0;
	tn_ctl_answer_fini(a->answer);
	return complain(http, rc);
}

int tn_ctl_http_request(struct tn_ctl_http *http, const char *method, const char *path,
	const char *body, size_t len, struct tn_ctl_answer *answer)
{
	struct arrival a = {.answer = answer};

	curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
	if (body) {
		curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	}
	curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, method);
	return perform(http, path, &a);
}

int tn_ctl_http_lines(struct tn_ctl_http *http, const char *path, tn_ctl_line_fn fn, void *ctx,
	struct tn_ctl_answer *answer)
{
	struct arrival a = {.answer = answer, .fn = fn, .ctx = ctx};

	curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, "GET");
	return perform(http, path, &a);
}
