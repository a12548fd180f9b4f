/* SPDX-License-Identifier: ISC */
/* A target of the handler "redirect", as config/targets.h writes it. */
#ifndef HANDLERS_TARGET_H
#define HANDLERS_TARGET_H

#include <stdbool.h>
#include <sys/socket.h>

struct target {
	bool datagrams;
	socklen_t length;		 /* of the address; 0: there is a name instead */
	struct sockaddr_storage address; /* Internet, or Unix */
	char host[256];
	unsigned port; /* of the name */
};

/* 0, or -1 for what config/targets.h would not write. */
int target_read(const char *text, struct target *target);

/* One line on the standard error: "redirect: WHAT: WHY"; why may be NULL. */
void target_complain(const char *what, const char *why);

#endif
