/* SPDX-License-Identifier: ISC */
/* Whether a test leaves descriptors behind. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <check.h>
#include <dirent.h>
#include <stddef.h>

/* How many are open; the one that it needs for counting is among them each time. */
static inline size_t descriptors_count(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	ck_assert_ptr_nonnull(directory);
	for (const struct dirent *each; (each = readdir(directory)) != NULL;)
		count += each->d_name[0] != '.';
	ck_assert_int_eq(closedir(directory), 0);
	return count;
}

#endif
