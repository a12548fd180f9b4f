/* SPDX-License-Identifier: ISC */
/*
 * Capabilities by name.
 *
 * The names are libcap-ng's, so that they are those of capabilities(7) on the machine that it was
 * built for, and what they are on this kernel the kernel says (cage/kernel.h).  A number is taken
 * too: for a capability that is newer than the library, and for a build without it, which knows no
 * names at all.  Called while the configuration is loaded, and to show what is in effect.
 */
#include "config.h"

#include "cage/capability.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#ifdef HAVE_CAPNG
#include <cap-ng.h>
#endif

#include "cage/kernel.h"
#include "config/nearest.h"

#define NUMBERS 64 /* bits of a set */

/* As libcap-ng has it: without "cap_", in lower case, NULL for none. */
static const char *name_of(int number)
{
#ifdef HAVE_CAPNG
	return capng_capability_to_name((unsigned)number);
#else
	(void)number;
	return NULL;
#endif
}

static int number_of(const char *name)
{
#ifdef HAVE_CAPNG
	return capng_name_to_capability(name);
#else
	(void)name;
	return -1;
#endif
}

static const char *without_prefix(const char *name)
{
	bool prefixed = strncasecmp(name, "cap", 3) == 0 && (name[3] == '_' || name[3] == '-');

	return prefixed ? name + 4 : name;
}

/* In lower case, without the prefix and with separator between words.  false: longer than any. */
static bool spell(const char *name, char separator, char text[static CAPABILITY_NAME])
{
	size_t length;

	name = without_prefix(name);
	length = strlen(name);
	if (length >= CAPABILITY_NAME)
		return false;
	for (size_t i = 0; i <= length; i++)
		text[i] = name[i] == '-' || name[i] == '_' ? separator
							   : (char)tolower((unsigned char)name[i]);
	return true;
}

static bool is_number(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits >= 1 && digits <= 2 && !name[digits];
}

int capability_find(const char *name)
{
	char text[CAPABILITY_NAME];
	int number;

	if (!spell(name, '_', text))
		return -1;
	number = is_number(name) ? atoi(name) : number_of(text);
	if (number < 0 || number >= NUMBERS || !(kernel_get()->known_capabilities >> number & 1))
		return -1;
	return number;
}

void capability_format(int number, char name[static CAPABILITY_NAME])
{
	const char *known = name_of(number);

	if (!known || !spell(known, '-', name))
		snprintf(name, CAPABILITY_NAME, "%d", number);
}

const char *capability_nearest(const char *name)
{
	static char names[NUMBERS][CAPABILITY_NAME];
	char text[CAPABILITY_NAME];
	struct nearest nearest = { .wanted = text };

	if (!spell(name, '-', text))
		return NULL;
	for (int i = 0; i < NUMBERS && kernel_get()->known_capabilities >> i & 1; i++) {
		capability_format(i, names[i]);
		if (!is_number(names[i]))
			nearest_offer(&nearest, names[i]);
	}
	return nearest.name;
}
