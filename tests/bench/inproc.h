/* SPDX-License-Identifier: ISC */
/* Bare loops that answer all clients themselves. */
#ifndef INPROC_H
#define INPROC_H

#include <stddef.h>

/* A blocking listener, whose clients get the time as a daytime service says it. */
void inproc_serve_streams(int listener) __attribute__((noreturn));

/* A blocking socket; each datagram is answered with the time as RFC 868 has it. */
void inproc_serve_datagrams(int fd) __attribute__((noreturn));

/* The same with a system call for each question, and one for each answer. */
void inproc_serve_singly(int fd) __attribute__((noreturn));

/* What a daytime service says now; its length. */
#define INPROC_DAYTIME 64
size_t inproc_format_daytime(char text[INPROC_DAYTIME]);

#endif
