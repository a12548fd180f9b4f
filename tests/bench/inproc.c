/* SPDX-License-Identifier: ISC */
/*
 * Bare loops without a fork: what a standing worker is measured against.
 *
 * Of a stream: accept, write, close.  A close with unread bytes would be a reset that overtakes the
 * answer; the clients of a benchmark say nothing, and this loop relies on it.  Of datagrams: one
 * recvmmsg, one sendmmsg, from whatever address the kernel likes.  Neither asks who is there.
 * Called by bare.c.
 */
#include "config.h"

#include "inproc.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH		     32 /* datagrams */
#define QUESTION	     2048
#define SECONDS_1900_TO_1970 2208988800U

size_t inproc_format_daytime(char text[INPROC_DAYTIME])
{
	time_t now = time(NULL);
	struct tm local;

	return strftime(text, INPROC_DAYTIME, "%a %b %e %H:%M:%S %Y\r\n",
			localtime_r(&now, &local));
}

void inproc_serve_streams(int listener)
{
	char text[INPROC_DAYTIME];
	int fd;

	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno != ECONNABORTED)
			err(1, "accept");
		if (fd < 0)
			continue;
		if (write(fd, text, inproc_format_daytime(text)) < 0)
			err(1, "answer");
		(void)close(fd); /* all was written */
	}
}

static struct {
	struct mmsghdr heads[BATCH];
	struct iovec pieces[BATCH];
	struct sockaddr_in peers[BATCH];
	char bytes[BATCH][QUESTION];
} batch;

/* As recvmsg(2) wants it, and changes it. */
static void rewind_batch(void)
{
	for (int i = 0; i < BATCH; i++) {
		batch.pieces[i] = (struct iovec){ batch.bytes[i], QUESTION };
		batch.heads[i].msg_hdr = (struct msghdr){ .msg_name = &batch.peers[i],
							  .msg_namelen = sizeof(batch.peers[i]),
							  .msg_iov = &batch.pieces[i],
							  .msg_iovlen = 1 };
	}
}

static uint32_t now_1900(void)
{
	return htonl((uint32_t)time(NULL) + SECONDS_1900_TO_1970);
}

static void set_answer(int i)
{
	const uint32_t answer = now_1900();

	memcpy(batch.bytes[i], &answer, sizeof(answer));
	batch.pieces[i].iov_len = sizeof(answer);
}

void inproc_serve_datagrams(int fd)
{
	int count;

	for (;;) {
		rewind_batch();
		count = recvmmsg(fd, batch.heads, BATCH, MSG_WAITFORONE, NULL);
		if (count < 0)
			err(1, "recvmmsg");
		for (int i = 0; i < count; i++)
			set_answer(i);
		for (int done = 0, sent; done < count; done += sent) {
			sent = sendmmsg(fd, batch.heads + done, (unsigned)(count - done), 0);
			if (sent <= 0)
				err(1, "sendmmsg");
		}
	}
}

void inproc_serve_singly(int fd)
{
	struct sockaddr_in peer;
	char question[QUESTION];
	socklen_t length;
	uint32_t answer;

	for (;;) {
		length = sizeof(peer);
		if (recvfrom(fd, question, sizeof(question), 0, (struct sockaddr *)&peer, &length) <
		    0)
			err(1, "question");
		answer = now_1900();
		if (sendto(fd, &answer, sizeof(answer), 0, (struct sockaddr *)&peer, length) < 0)
			err(1, "answer");
	}
}
