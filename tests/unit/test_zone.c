/* SPDX-License-Identifier: ISC */
/*
 * Zones: names of the machine's database and nothing else, rules out of files of any shape; and
 * what an option of that type is to a handler and to the printer.
 */
#include "config.h"

#include "config/zone.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

static char why[VALUE_WHY];

static char *read_zone(const char *name)
{
	char *rules = NULL;

	why[0] = '\0';
	return zone_read(name, &rules, why) < 0 ? NULL : rules;
}

START_TEST(zones_of_the_machine)
{
	static const struct {
		const char *name, *rules;
	} zones[] = {
		{ "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3" },
		{ "America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0" },
		{ "America/Argentina/Buenos_Aires", "<-03>3" },
		{ "Asia/Kolkata", "IST-5:30" },
		{ "Etc/GMT+5", "<-05>5" },
		{ "UTC", "UTC0" },
	};

	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) < 0)
		return; /* no tzdata */
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		char *rules = read_zone(zones[i].name);

		ck_assert_msg(rules != NULL, "%s: %s", zones[i].name, why);
		ck_assert_str_eq(rules, zones[i].rules);
		free(rules);
	}
}
END_TEST

/* Nothing outside of the directory can be named. */
START_TEST(names_that_are_none)
{
	static const char *const names[] = {
		"",
		"/etc/localtime",
		"/usr/share/zoneinfo/UTC",
		"..",
		"../zoneinfo/UTC",
		"Europe/../UTC",
		"Europe//Berlin",
		"Europe/",
		"./UTC",
		"zone.tab",
		"a b",
		"\xc3\xa4",
		"CET-1CEST,M3.5.0,M10.5.0/3",
		":UTC",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ck_assert_ptr_null(read_zone(names[i]));
		ck_assert_ptr_nonnull(
			strstr(why, "is not the name of a time zone such as Europe/Berlin"));
	}
}
END_TEST

START_TEST(zones_that_are_not_there)
{
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) < 0)
		return;
	ck_assert_ptr_null(read_zone("Europe/Berln"));
	ck_assert_str_eq(why, "there is no time zone \"Europe/Berln\" in /usr/share/zoneinfo");
	ck_assert_ptr_null(read_zone("UTC/x"));
	ck_assert_ptr_null(read_zone("Europe"));
	ck_assert_str_eq(why, "/usr/share/zoneinfo/Europe: Is a directory");
	ck_assert_ptr_null(read_zone("leapseconds"));
}
END_TEST

/* -- files -- */

static unsigned char file[1024];
static size_t size;

static void put(const void *bytes, size_t length)
{
	memcpy(file + size, bytes, length);
	size += length;
}

/* counts: UT, standard, leaps, times, types, characters. */
static void put_header(char version, const unsigned char counts[6])
{
	unsigned char header[44] = { 'T', 'Z', 'i', 'f', (unsigned char)version };

	for (int i = 0; i < 6; i++)
		header[20 + 4 * i + 3] = counts[i];
	put(header, sizeof(header));
}

/* A block of that many bytes. */
static void put_block(size_t length)
{
	memset(file + size, 0xff, length);
	size += length;
}

static void make_file(const char *footer)
{
	size = 0;
	put_header('2', (unsigned char[]){ 1, 1, 2, 3, 2, 9 });
	put_block(3 * 5 + 2 * 6 + 9 + 2 * 8 + 1 + 1);
	put_header('2', (unsigned char[]){ 2, 2, 1, 5, 2, 8 });
	put_block(5 * 9 + 2 * 6 + 8 + 1 * 12 + 2 + 2);
	put(footer, strlen(footer));
}

START_TEST(well_formed)
{
	char *rules;

	make_file("\nXYZ-1\n");
	rules = zone_parse(file, size);
	ck_assert_ptr_nonnull(rules);
	ck_assert_str_eq(rules, "XYZ-1");
	free(rules);
}
END_TEST

/* Each byte less is no file; read under a sanitizer, nothing behind the end is looked at. */
START_TEST(cut_off)
{
	make_file("\nXYZ-1\n");
	for (size_t length = 0; length < size; length++) {
		unsigned char *copy = malloc(length ? length : 1);

		memcpy(copy, file, length);
		ck_assert_ptr_null(zone_parse(copy, length));
		free(copy);
	}
}
END_TEST

START_TEST(damaged_counts)
{
	for (size_t at = 20; at < 44; at++) {
		make_file("\nXYZ-1\n");
		file[at] = 0xff;
		ck_assert_ptr_null(zone_parse(file, size));
	}
}
END_TEST

/* What would make tzset(3) look for a file, and what is no rule at all. */
START_TEST(footers_that_are_none)
{
	static const char *const footers[] = {
		"",	    "\n",	 "\n\n",	 "\n/etc/passwd\n",
		"\n:UTC\n", "\nXYZ 1\n", "\nXYZ\x01\n",	 "\nXYZ-1\nABC\n",
		"XYZ-1\n",  "\n1\n",	 "\n\xc3\xa4\n",
	};
	char longest[140] = "\n";

	for (size_t i = 0; i < sizeof(footers) / sizeof(*footers); i++) {
		make_file(footers[i]);
		ck_assert_msg(zone_parse(file, size) == NULL, "%zu", i);
	}
	memset(longest + 1, 'A', 128);
	longest[129] = '\n';
	make_file(longest);
	ck_assert_ptr_null(zone_parse(file, size));
}
END_TEST

START_TEST(version_1)
{
	make_file("\nXYZ-1\n");
	file[4] = 0;
	ck_assert_ptr_null(zone_parse(file, size));
}
END_TEST

SUITE("zone", zones_of_the_machine, names_that_are_none, zones_that_are_not_there, well_formed,
      cut_off, damaged_counts, footers_that_are_none, version_1)
