/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/outputs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tools/replay/options.h"

#define CONTROLLER "controller"

static bool is_safe(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c && strchr("._-+@:,=~", c));
}

/* dir/name.pcap; false when that is too long. */
static bool make_path(char path[PATH_MAX], const char *dir, const char *name, bool escape_first)
{
	size_t at = (size_t)snprintf(path, PATH_MAX, "%s/", dir);

	for (const char *c = name; *c; c++) {
		bool safe =
			is_safe((unsigned char)*c) && !(c == name && (*c == '.' || escape_first));

		if (at + 8 > PATH_MAX)
			return false;
		if (safe)
			path[at++] = *c;
		else
			at += (size_t)snprintf(path + at, 4, "%%%02X", (unsigned char)*c);
	}
	if (at + 6 > PATH_MAX)
		return false;
	memcpy(path + at, ".pcap", 6);
	return true;
}

bool tn_outputs_would_destroy(const char *path, const char *const *files, size_t n)
{
	struct stat out, in;

	if (stat(path, &out) || !S_ISREG(out.st_mode))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (stat(files[i], &in) || in.st_dev != out.st_dev || in.st_ino != out.st_ino)
			continue;
		tn_complain("%s is read by this run: name another file to write", path);
		return true;
	}
	return false;
}

static struct tn_capture_writer *create(const char *dir, const char *name, bool escape_first,
	const char *const *inputs, size_t n_inputs)
{
	struct tn_capture_writer *writer;
	struct tn_capture_error err;
	char path[PATH_MAX];

	if (!make_path(path, dir, name, escape_first)) {
		tn_complain("--out %s: the name of port %s is too long for a file", dir, name);
		return NULL;
	}
	if (tn_outputs_would_destroy(path, inputs, n_inputs))
		return NULL;
	writer = tn_capture_create(path, &err);
	if (!writer)
		tn_complain("%s", err.text);
	return writer;
}

/* One descriptor a port: as many as the system lets us have. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int tn_outputs_open(
	struct tn_engine *e, const char *dir, const char *const *inputs, size_t n_inputs)
{
	if (mkdir(dir, 0777) && errno != EEXIST) {
		tn_complain("--out %s: cannot make the directory: %s", dir, strerror(errno));
		return -1;
	}
	raise_limit();
	for (size_t i = 0; i < e->n_ports; i++) {
		struct tn_replay_port *port = &e->ports[i];

		port->writer =
			create(dir, port->name, !strcmp(port->name, CONTROLLER), inputs, n_inputs);
		if (!port->writer)
			return -1;
	}
	e->controller = create(dir, CONTROLLER, false, inputs, n_inputs);
	return e->controller ? 0 : -1;
}

static int finish(struct tn_capture_writer **writer)
{
	struct tn_capture_error err;
	int rc = tn_capture_finish(*writer, &err);

	*writer = NULL;
	if (rc)
		tn_complain("%s", err.text);
	return rc;
}

int tn_outputs_close(struct tn_engine *e)
{
	int rc = 0;

	for (size_t i = 0; i < e->n_ports; i++)
		rc |= finish(&e->ports[i].writer);
	return rc | finish(&e->controller);
}
