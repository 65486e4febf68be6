/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * send_tcp ADDRESS PORT SECONDS: sends zeros over TCP as fast as it can, from a file by sendfile(),
 * so that the machine that it runs in copies as little as it may. Prints bytes a second, those that
 * were still in the socket's buffer included. Built static: a machine of tests has no libraries.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (1u << 20)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0), file = memfd_create("zeros", 0);
	double start, bytes = 0;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || file < 0 ||
		ftruncate(file, CHUNK))
		return 2;
	to.sin_port = htons((unsigned short)atoi(argv[2]));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("connect");
		return 1;
	}
	for (start = now(); now() - start < atof(argv[3]);) {
		off_t from = 0;
		ssize_t n = sendfile(fd, file, &from, CHUNK);

		if (n <= 0) {
			perror("sendfile");
			return 1;
		}
		bytes += (double)n;
	}
	printf("%.0f\n", bytes / (now() - start));
	return 0;
}
