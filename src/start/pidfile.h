/* SPDX-License-Identifier: ISC */
/* The pid file, whose lock makes sure that there is one daemon for it. */
#ifndef PIDFILE_H
#define PIDFILE_H

/* Creates or takes over the file, locks it and writes our pid.  The descriptor, parked and
 * close-on-exec, holds the lock; it is passed on to the master.  Ends the program when the lock is
 * another's, naming its pid, or when the file cannot be made.  Missing directories are not made,
 * but for the last one below $XDG_RUNTIME_DIR.  Never blocks. */
int pidfile_take(const char *path);

#endif
