/* SPDX-License-Identifier: ISC */
/*
 * Answers on the control socket, as packets (plan/packet.h): the first byte of the first word is
 * the packet's kind.
 */
#include "config.h"

#include "plan/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const words[] = {
	[ANSWER_OK] = "ok",
	[ANSWER_ERROR] = "error",
	[ANSWER_DENIED] = "denied",
};
#define WORDS (sizeof(words) / sizeof(*words))

int answer_send(int socket, enum answer_kind kind, const char *text, int fd)
{
	const char *word = words[kind];
	char rest[PACKET_TEXT + 1];

	(void)snprintf(rest, sizeof(rest), "%s%s%s", word + 1, *text ? " " : "",
		       text); /* a cut text is still one */
	return packet_send(socket, (enum packet_kind)word[0], rest, &fd, fd >= 0);
}

/* What follows the word; NULL when it is another one. */
static const char *skip_word(const struct packet *packet, const char *word)
{
	const size_t length = strlen(word) - 1;
	const char *rest = packet->text + length;

	if (packet->kind != word[0] || strncmp(packet->text, word + 1, length) != 0)
		return NULL;
	if (*rest == ' ')
		return rest + 1;
	return *rest == '\0' ? rest : NULL;
}

static int take_words(const struct packet *packet, struct answer *answer)
{
	const char *text = NULL;

	for (size_t i = 0; i < WORDS && text == NULL; i++) {
		text = skip_word(packet, words[i]);
		answer->kind = (enum answer_kind)i;
	}
	if (text == NULL) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(answer->text, text, strlen(text) + 1);
	return 1;
}

int answer_receive(int socket, struct answer *answer)
{
	struct packet packet;
	int got = packet_receive(socket, &packet, 0);

	answer->fd = -1;
	if (got <= 0)
		return got;
	got = take_words(&packet, answer);
	if (got > 0 && packet.nfds)
		answer->fd = packet.fds[--packet.nfds];
	while (packet.nfds)
		(void)close(packet.fds[--packet.nfds]); /* nobody has asked for those */
	return got;
}
