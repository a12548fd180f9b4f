/* SPDX-License-Identifier: ISC */
/*
 * Lines: a session's input cut at the line ends of the Internet.
 *
 * Lenient in what is taken: "\r\n", "\n" and the "\r\0" of telnet end a line, and so does the end
 * of input.  A '\r' before anything else is a byte of the line.  So a '\r' is only understood with
 * the byte after it, and the result never depends on how the network has cut the stream.
 *
 * The line is put together in the caller's buffer, whose size is the cap: nothing here grows.
 */
#include "config.h"

#include "worker/session.h"

/* A line while it is put together; cr: its last byte was a '\r', which the next one explains. */
struct line {
	char *bytes;
	size_t size, length;
	bool cr, complete;
};

static bool line_put(struct line *line, char byte)
{
	if (line->length + 1 >= line->size)
		return false;
	line->bytes[line->length++] = byte;
	return true;
}

/* Whether it fits. */
static bool line_take(struct line *line, char byte)
{
	if (byte == '\n' || (line->cr && byte == '\0')) {
		line->complete = true;
		return true;
	}
	if (line->cr && !line_put(line, '\r'))
		return false;
	line->cr = byte == '\r';
	return line->cr || line_put(line, byte);
}

static enum begat_input line_read(struct begat_session *session, struct line *line)
{
	while (!line->complete) {
		enum begat_input input = BEGAT_INPUT_OK;

		if (session->in_start == session->in_end)
			input = session_fill(session);
		if (input == BEGAT_INPUT_END && (line->length > 0 || line->cr))
			break;
		if (input != BEGAT_INPUT_OK)
			return input;
		if (!line_take(line, (char)session->in[session->in_start++]))
			return BEGAT_INPUT_TOO_LONG;
	}
	return BEGAT_INPUT_OK;
}

enum begat_input begat_read_line(struct begat_session *session, char *line, size_t size,
				 size_t *length)
{
	struct line state = { .bytes = line, .size = size };
	enum begat_input input = line_read(session, &state);

	line[state.length] = '\0';
	*length = state.length;
	return input;
}
