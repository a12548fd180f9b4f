/* SPDX-License-Identifier: ISC */
/* Handlers whose answer to a datagram is all that a stream's client gets too. */
#ifndef HANDLERS_ONCE_H
#define HANDLERS_ONCE_H

#include <begat/handler.h>

/* Serves a stream by the handler's answer, and ends it. */
static inline int once_serve(struct begat_session *session, const struct begat_handler *handler)
{
	const bool answered = handler->answer(session, NULL, 0);

	begat_finish(session);
	return answered ? 0 : 1;
}

#endif
