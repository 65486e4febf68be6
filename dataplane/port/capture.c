/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BUFFER  (128u << 10)
#define GZIP_BUFFER  (32u << 10)
#define WRITE_BUFFER (128u << 10)

/* pcap file format (draft-ietf-opsawg-pcap) and pcapng block types (draft-ietf-opsawg-pcapng). */
#define PCAP_MAGIC_NS	   0xa1b23c4du
#define PCAP_HEADER_LEN	   24u
#define PCAP_RECORD_LEN	   16u
#define PCAP_SNAPLEN	   262144u
#define PCAPNG_SECTION	   0x0a0d0d0au
#define PCAPNG_BYTE_ORDER  0x1a2b3c4du
#define PCAPNG_PACKET	   2u
#define PCAPNG_SIMPLE	   3u
#define PCAPNG_ENHANCED	   6u
#define PCAPNG_BLOCK_MIN   12u
#define PCAPNG_BLOCK_LIMIT (16u << 20) /* libpcap's own */

#define NS_PER_S 1000000000ull

/*
 * libpcap reads a FILE; ours is a cookie over a descriptor, with gzip taken off where it is on.
 * inflate() and not gzread(), which gives no data that came before damage and so hides where the
 * damage is.
 */
struct stream {
	int fd;
	bool gzip;
	bool in_member;	  /* between the header and the end mark of a gzip member */
	bool ended;	  /* nothing more can be had from fd */
	const char *text; /* why it broke; NULL: it did not */
	uint64_t handed;  /* bytes given to the FILE, what ftello() counts from */
	uint64_t taken;	  /* bytes read from fd */
	z_stream z;
	uint8_t in[GZIP_BUFFER];
};

struct tn_capture_reader {
	char *path;
	struct stream *stream; /* owned by file */
	FILE *file;	       /* owned by pcap */
	pcap_t *pcap;
	char *buffer; /* of file */
	uint64_t total;
	uint64_t number; /* of the last whole record */
	bool broken;
	struct tn_capture_error err;
};

static void set_error(struct tn_capture_error *err, const char *fmt, ...) TN_PRINTF(2, 3);

static void set_error(struct tn_capture_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
}

/* More bytes for inflate(); false: there are none. */
static bool fill(struct stream *s)
{
	ssize_t n;

	if (s->ended)
		return false;
	n = read(s->fd, s->in, sizeof(s->in));
	if (n < 0)
		s->text = strerror(errno);
	s->ended = n <= 0;
	if (n <= 0)
		return false;
	s->taken += (uint64_t)n;
	s->z.next_in = s->in;
	s->z.avail_in = (unsigned)n;
	return true;
}

/* Is there another member? Anything else behind a member is padding, as for gzip(1). */
static bool next_member(struct stream *s)
{
	if (!s->z.avail_in && !fill(s))
		return false;
	if (s->z.next_in[0] != 0x1f) {
		s->ended = true;
		s->z.avail_in = 0;
		return false;
	}
	s->in_member = inflateReset(&s->z) == Z_OK;
	return s->in_member;
}

/* 0 at the end and where it broke. */
static size_t inflate_some(struct stream *s, char *buf, size_t size)
{
	int rc;

	s->z.next_out = (uint8_t *)buf;
	s->z.avail_out = (unsigned)size;
	while (s->z.avail_out == size && !s->text) {
		if (!s->in_member && !next_member(s))
			break;
		if (!s->z.avail_in && !fill(s)) {
			if (!s->text)
				s->text = "the gzip data ends before its end mark";
			break;
		}
		rc = inflate(&s->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			s->in_member = false;
		else if (rc != Z_OK)
			s->text = s->z.msg ? s->z.msg : "the gzip data is damaged";
	}
	return size - s->z.avail_out;
}

/* What was read to see whether it is gzip comes first. */
static ssize_t read_plain(struct stream *s, char *buf, size_t size)
{
	size_t n = s->z.avail_in < size ? s->z.avail_in : size;
	ssize_t got;

	if (n) {
		memcpy(buf, s->z.next_in, n);
		s->z.next_in += n;
		s->z.avail_in -= (unsigned)n;
		return (ssize_t)n;
	}
	got = s->ended ? 0 : read(s->fd, buf, size);
	if (got < 0)
		s->text = strerror(errno);
	else
		s->taken += (uint64_t)got;
	return got;
}

static ssize_t stream_read(void *cookie, char *buf, size_t size)
{
	struct stream *s = cookie;
	ssize_t n;

	if (size > READ_BUFFER)
		size = READ_BUFFER;
	n = s->gzip ? (ssize_t)inflate_some(s, buf, size) : read_plain(s, buf, size);
	if (n <= 0 && s->text) {
		errno = EIO;
		return -1;
	}
	s->handed += (uint64_t)n;
	return n;
}

/* Only where we are, for ftello(). */
static int stream_seek(void *cookie, off64_t *offset, int whence)
{
	const struct stream *s = cookie;

	if (whence != SEEK_CUR || *offset != 0)
		return -1;
	*offset = (off64_t)s->handed;
	return 0;
}

static int stream_close(void *cookie)
{
	struct stream *s = cookie;

	inflateEnd(&s->z);
	close(s->fd);
	free(s);
	return 0;
}

/* A pipe may give a byte at a time. */
static bool begins_with_gzip(struct stream *s)
{
	ssize_t n;

	s->z.next_in = s->in;
	while (s->z.avail_in < 2 && !s->ended) {
		n = read(s->fd, s->in + s->z.avail_in, sizeof(s->in) - s->z.avail_in);
		if (n < 0)
			s->text = strerror(errno);
		s->ended = n <= 0;
		if (n > 0) {
			s->taken += (uint64_t)n;
			s->z.avail_in += (unsigned)n;
		}
	}
	return s->z.avail_in >= 2 && s->in[0] == 0x1f && s->in[1] == 0x8b;
}

static struct stream *stream_new(int fd)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->fd = fd;
	if (inflateInit2(&s->z, 16 + MAX_WBITS) != Z_OK) {
		free(s);
		return NULL;
	}
	s->gzip = s->in_member = begins_with_gzip(s);
	return s;
}

/* For messages. */
static const char *shown(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

static int open_fd(const char *path, uint64_t *total, struct tn_capture_error *err)
{
	struct stat st;
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);

	if (fd < 0) {
		set_error(err, "%s: cannot open: %s", shown(path), strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		set_error(err, "%s: is a directory, name a capture file", shown(path));
		close(fd);
		return -1;
	}
	*total = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return fd;
}

/* The FILE; r->stream and r->buffer too. */
static int open_stream(struct tn_capture_reader *r, struct tn_capture_error *err)
{
	const cookie_io_functions_t io = {
		.read = stream_read, .seek = stream_seek, .close = stream_close};
	int fd = open_fd(r->path, &r->total, err);

	if (fd < 0)
		return -1;
	r->buffer = malloc(READ_BUFFER);
	r->stream = r->buffer ? stream_new(fd) : NULL;
	if (!r->stream) {
		close(fd);
		set_error(err, "%s: cannot open: no memory", shown(r->path));
		return -1;
	}
	r->file = fopencookie(r->stream, "rb", io);
	if (!r->file) {
		stream_close(r->stream);
		set_error(err, "%s: cannot open: no memory", shown(r->path));
		return -1;
	}
	setvbuf(r->file, r->buffer, _IOFBF, READ_BUFFER);
	__fsetlocking(r->file, FSETLOCKING_BYCALLER);
	return 0;
}

static const char *where_counted(const struct tn_capture_reader *r)
{
	return r->stream->gzip ? " of the uncompressed data" : "";
}

static int check_link_type(struct tn_capture_reader *r, struct tn_capture_error *err)
{
	int type = pcap_datalink(r->pcap);
	const char *name;

	if (type == DLT_EN10MB)
		return 0;
	name = pcap_datalink_val_to_name(type);
	set_error(err,
		"%s: link type is %d (%s), not Ethernet: capture on an Ethernet interface (with "
		"tcpdump, name one instead of \"any\")",
		shown(r->path), type, name ? name : "unknown");
	return -1;
}

static int open_pcap(struct tn_capture_reader *r, struct tn_capture_error *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";

	r->pcap =
		pcap_fopen_offline_with_tstamp_precision(r->file, PCAP_TSTAMP_PRECISION_NANO, text);
	if (r->pcap)
		return check_link_type(r, err);
	if (r->stream->text)
		set_error(err, "%s: cannot read the file header: %s", shown(r->path),
			r->stream->text);
	else
		set_error(err, "%s: not a capture in pcap or pcapng format: %s", shown(r->path),
			text[0] ? text : "unknown file format");
	return -1;
}

struct tn_capture_reader *tn_capture_open(const char *path, struct tn_capture_error *err)
{
	struct tn_capture_reader *r = calloc(1, sizeof(*r));

	if (r)
		r->path = strdup(path);
	if (!r || !r->path) {
		set_error(err, "%s: cannot open: no memory", path);
		free(r);
		return NULL;
	}
	if (open_stream(r, err) || open_pcap(r, err)) {
		tn_capture_close(r);
		return NULL;
	}
	return r;
}

/*
 * pcapng only: the block that stopped libpcap, which skips blocks without packets on its way from
 * `start`. Reads the file again from there; the answer is `start` where that cannot be done.
 */
static uint64_t find_broken_block(const struct tn_capture_reader *r, uint64_t start)
{
	uint8_t head[12];
	uint32_t type, len;
	uint64_t at = start;
	bool swapped = pcap_is_swapped(r->pcap);
	/* A pipe cannot be read again, and opening one could wait for ever. */
	gzFile gz = r->total ? gzopen(r->path, "rb") : NULL;

	if (!gz)
		return start;
	while (gzseek(gz, (z_off_t)at, SEEK_SET) >= 0 && gzread(gz, head, 12) == 12) {
		memcpy(&type, head, 4);
		memcpy(&len, head + 4, 4);
		if (type == PCAPNG_SECTION) {
			memcpy(&len, head + 8, 4);
			swapped = len != PCAPNG_BYTE_ORDER;
			memcpy(&len, head + 4, 4);
		}
		if (swapped) {
			type = __builtin_bswap32(type);
			len = __builtin_bswap32(len);
		}
		if (type == PCAPNG_ENHANCED || type == PCAPNG_PACKET || type == PCAPNG_SIMPLE ||
			len < PCAPNG_BLOCK_MIN || len > PCAPNG_BLOCK_LIMIT || len % 4)
			break;
		/* A whole block repeats its length at its end. */
		if (gzseek(gz, (z_off_t)(at + len - 4), SEEK_SET) < 0 || gzread(gz, head, 4) != 4 ||
			memcmp(head, head + 4, 4))
			break;
		at += len;
	}
	gzclose_r(gz);
	return at;
}

static void set_broken(struct tn_capture_reader *r, uint64_t start, const char *what)
{
	char advice[160] = "";
	uint64_t at = start;

	/* In a pcap file the record that follows the last good one is the broken one. */
	if (pcap_major_version(r->pcap) == 1)
		at = find_broken_block(r, start);
	if (r->number)
		snprintf(advice, sizeof(advice),
			"; the records before it are whole: editcap -r FILE GOOD.pcap 1-%llu",
			(unsigned long long)r->number);
	set_error(&r->err, "%s: record %llu at byte %llu%s is broken: %s%s", shown(r->path),
		(unsigned long long)r->number + 1, (unsigned long long)at, where_counted(r), what,
		advice);
	r->broken = true;
}

/*
 * libpcap gives pcap's unsigned 32-bit seconds as a negative number after 2038, and pcapng's
 * 64-bit ones as they are.
 */
static bool record_time(const struct timeval *ts, uint64_t *ns)
{
	int64_t s = ts->tv_sec;

	if (s < 0 && s >= INT32_MIN)
		s += INT64_C(1) << 32;
	if (s < 0 || ts->tv_usec < 0)
		return false;
	return !__builtin_mul_overflow((uint64_t)s, NS_PER_S, ns) &&
		!__builtin_add_overflow(*ns, (uint64_t)ts->tv_usec, ns) && *ns <= INT64_MAX;
}

int tn_capture_next(
	struct tn_capture_reader *r, struct tn_capture_record *rec, struct tn_capture_error *err)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	off_t start;
	int rc;

	if (r->broken)
		goto broken;
	start = ftello(r->file);
	rc = pcap_next_ex(r->pcap, &header, &data);
	if (tn_unlikely(rc != 1)) {
		if (rc == PCAP_ERROR_BREAK && !r->stream->text)
			return 0;
		set_broken(r, (uint64_t)start,
			r->stream->text ? r->stream->text : pcap_geterr(r->pcap));
		goto broken;
	}
	if (tn_unlikely(!record_time(&header->ts, &rec->time_ns))) {
		set_broken(r, (uint64_t)start, "its time stamp is not between 1970 and 2262");
		goto broken;
	}
	rec->data = data;
	rec->len = header->caplen;
	rec->wire_len = header->len < header->caplen ? header->caplen : header->len;
	rec->number = ++r->number;
	return 1;

broken:
	if (err)
		*err = r->err;
	return -1;
}

void tn_capture_close(struct tn_capture_reader *r)
{
	if (!r)
		return;
	if (r->pcap)
		pcap_close(r->pcap);
	else if (r->file)
		fclose(r->file);
	free(r->buffer);
	free(r->path);
	free(r);
}

void tn_capture_progress(const struct tn_capture_reader *r, uint64_t *done, uint64_t *total)
{
	*done = r->stream->taken - r->stream->z.avail_in;
	*total = r->total;
}

struct tn_capture_writer {
	char *path;
	int fd;
	int errnum; /* of the first write that failed */
	size_t used;
	uint8_t *buffer; /* WRITE_BUFFER bytes, from the first record on */
};

static void set_write_error(const struct tn_capture_writer *w, struct tn_capture_error *err)
{
	set_error(err, "%s: cannot write: %s", w->path,
		w->errnum == EOVERFLOW ? "a pcap file holds no time after the year 2106"
				       : strerror(w->errnum));
}

static int flush(struct tn_capture_writer *w)
{
	size_t done = 0;
	ssize_t n;

	while (!w->errnum && done < w->used) {
		n = write(w->fd, w->buffer + done, w->used - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			w->errnum = n ? errno : ENOSPC;
	}
	w->used = 0;
	return w->errnum ? -1 : 0;
}

static int put(struct tn_capture_writer *w, const void *data, size_t len)
{
	size_t n;

	while (len) {
		n = WRITE_BUFFER - w->used < len ? WRITE_BUFFER - w->used : len;
		memcpy(w->buffer + w->used, data, n);
		w->used += n;
		data = (const uint8_t *)data + n;
		len -= n;
		if (w->used == WRITE_BUFFER && flush(w))
			return -1;
	}
	return 0;
}

/* The file header goes out at once, so that an empty file is a capture too. */
static int put_header(struct tn_capture_writer *w)
{
	uint32_t head[PCAP_HEADER_LEN / 4] = {
		PCAP_MAGIC_NS, 2 | 4 << 16, 0, 0, PCAP_SNAPLEN, DLT_EN10MB};
	ssize_t n = write(w->fd, head, sizeof(head));

	if (n != (ssize_t)sizeof(head))
		w->errnum = n < 0 ? errno : ENOSPC;
	return w->errnum ? -1 : 0;
}

struct tn_capture_writer *tn_capture_create(const char *path, struct tn_capture_error *err)
{
	struct tn_capture_writer *w = calloc(1, sizeof(*w));

	if (w)
		w->path = strdup(path);
	if (!w || !w->path) {
		set_error(err, "%s: cannot create: no memory", path);
		free(w);
		return NULL;
	}
	w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (w->fd < 0) {
		set_error(err, "%s: cannot create: %s", path, strerror(errno));
		goto failed;
	}
	if (put_header(w)) {
		set_write_error(w, err);
		goto failed;
	}
	return w;

failed:
	if (w->fd >= 0)
		close(w->fd);
	free(w->path);
	free(w);
	return NULL;
}

int tn_capture_write(struct tn_capture_writer *w, uint64_t time_ns, const uint8_t *data,
	uint32_t len, uint32_t wire_len, struct tn_capture_error *err)
{
	uint64_t seconds = time_ns / NS_PER_S;
	uint32_t head[PCAP_RECORD_LEN / 4] = {
		(uint32_t)seconds, (uint32_t)(time_ns % NS_PER_S), len, wire_len};

	TN_ASSERT(len <= wire_len && len <= PCAP_SNAPLEN);
	if (tn_unlikely(!w->buffer)) {
		w->buffer = malloc(WRITE_BUFFER);
		if (!w->buffer)
			w->errnum = ENOMEM;
	}
	/* The format has 32 bits for seconds. */
	if (tn_unlikely(seconds > UINT32_MAX) && !w->errnum)
		w->errnum = EOVERFLOW;
	if (tn_unlikely(w->errnum) || put(w, head, sizeof(head)) || put(w, data, len)) {
		set_write_error(w, err);
		return -1;
	}
	return 0;
}

int tn_capture_finish(struct tn_capture_writer *w, struct tn_capture_error *err)
{
	int rc;

	if (!w)
		return 0;
	rc = flush(w);
	if (close(w->fd) && !w->errnum) {
		w->errnum = errno;
		rc = -1;
	}
	if (rc)
		set_write_error(w, err);
	free(w->buffer);
	free(w->path);
	free(w);
	return rc;
}
