/* SPDX-License-Identifier: ISC */
/* The text in effect, and what differs between two of them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/memfd.h"
#include "config/config.h"
#include "config/difference.h"
#include "config/effect.h"
#include "folder.h"
#include "suite.h"

#define LINE_MAX_BYTES 200

static int put(const char *text, size_t size)
{
	int fd = memfd_open("test");

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	return fd;
}

/* The descriptors are closed. */
static int make(int before, int after, struct difference *difference)
{
	int result = difference_make(before, after, difference), error = errno;

	ck_assert_int_eq(close(before), 0);
	ck_assert_int_eq(close(after), 0);
	errno = error;
	return result;
}

static char *join(char *const *lines)
{
	char *text = xstrdup(""), *longer;

	for (; *lines; lines++) {
		longer = xasprintf("%s%s\n", text, *lines);
		free(text);
		text = longer;
	}
	return text;
}

#define A "\nservice \"a\" {\n\tlisten = { \"tcp:1\" }\n\thandler = \"echo\"\n"
#define B                                                                                          \
	"\nservice \"b\" {\n\tlisten = { \"tcp:2\", \"unix:/b\\\"b\" }\n\texec = { \"/bin/cat\" "  \
	"}\n"

static const struct {
	const char *before, *after, *lines;
	unsigned kept, added, changed, removed;
} tables[] = {
	{ "", "", "= 0 services unchanged\n", 0, 0, 0, 0 },
	{ A "}\n" B "}\n", A "}\n" B "}\n", "= 2 services unchanged\n", 2, 0, 0, 0 },
	/* the order of services says nothing */
	{ A "}\n" B "}\n", B "}\n" A "}\n", "= 2 services unchanged\n", 2, 0, 0, 0 },
	{ A "}\n", A "}\n" B "}\n",
	  "+ service \"b\" on tcp:2, unix:/b\"b\n"
	  "= 1 service unchanged\n",
	  1, 1, 0, 0 },
	{ A "}\n" B "}\n", B "}\n",
	  "- service \"a\" on tcp:1\n"
	  "= 1 service unchanged\n",
	  1, 0, 0, 1 },
	/* another name is another service, wherever it listens */
	{ A "}\n", "\nservice \"c\" {\n\tlisten = { \"tcp:1\" }\n\thandler = \"echo\"\n}\n",
	  "- service \"a\" on tcp:1\n"
	  "+ service \"c\" on tcp:1\n"
	  "= 0 services unchanged\n",
	  0, 1, 0, 1 },
	{ A "\tinstances = 20\n}\n", A "\tinstances = 40\n}\n",
	  "~ service \"a\": instances = 40, was 20\n"
	  "= 0 services unchanged\n",
	  0, 0, 1, 0 },
	{ A "}\n" B "}\n", A "\tinstances = 40\n\tumask = 0077\n}\n" B "}\n",
	  "~ service \"a\": instances = 40, was at its default\n"
	  "~ service \"a\": umask = 0077, was at its default\n"
	  "= 1 service unchanged\n",
	  1, 0, 1, 0 },
	{ A "\tinstances = 20\n}\n", A "}\n",
	  "~ service \"a\": instances is at its default, was 20\n"
	  "= 0 services unchanged\n",
	  0, 0, 1, 0 },
	{ A "}\n",
	  "\nservice \"a\" {\n\tlisten = { \"tcp:1\", \"tcp:3\" }\n\thandler = \"echo\"\n}\n",
	  "~ service \"a\": listen = { \"tcp:1\", \"tcp:3\" }, was { \"tcp:1\" }\n"
	  "= 0 services unchanged\n",
	  0, 0, 1, 0 },
	/* a program has no default */
	{ A "}\n", "\nservice \"a\" {\n\tlisten = { \"tcp:1\" }\n\texec = { \"/bin/cat\" }\n}\n",
	  "~ service \"a\": exec = { \"/bin/cat\" }, was handler = \"echo\"\n"
	  "= 0 services unchanged\n",
	  0, 0, 1, 0 },
	{ "\nservice \"a\" {\n\tlisten = { \"tcp:1\" }\n\tredirect = { \"tcp:b:2\" }\n}\n", A "}\n",
	  "~ service \"a\": handler = \"echo\", was redirect = { \"tcp:b:2\" }\n"
	  "= 0 services unchanged\n",
	  0, 0, 1, 0 },
	/* a service need not listen */
	{ "", "\nservice \"a\" {\n\thandler = \"echo\"\n\ttcpmux = true\n}\n",
	  "+ service \"a\" on tcpmux alone\n"
	  "= 0 services unchanged\n",
	  0, 1, 0, 0 },
	/* a version with another order of keys */
	{ A "\tinstances = 20\n\tumask = 0077\n}\n", A "\tumask = 0077\n\tinstances = 20\n}\n",
	  "= 1 service unchanged\n", 1, 0, 0, 0 },
	/* and one with a key that is not ours */
	{ A "\tper-source = 5\n}\n", A "}\n",
	  "~ service \"a\": per-source is at its default, was 5\n"
	  "= 0 services unchanged\n",
	  0, 0, 1, 0 },
	{ "log-level = \"debug\"\ninstances = 5\n" A "}\n",
	  "instances = 6\nstop-timeout = \"0\"\n" A "}\n",
	  "~ instances = 6, was 5\n"
	  "~ stop-timeout = \"0\", was at its default\n"
	  "~ log-level is at its default, was \"debug\"\n"
	  "= 1 service unchanged\n",
	  1, 0, 0, 0 },
};

START_TEST(compared)
{
	struct difference difference;
	char *lines;

	ck_assert_int_eq(make(put(tables[_i].before, strlen(tables[_i].before)),
			      put(tables[_i].after, strlen(tables[_i].after)), &difference),
			 0);
	lines = join(difference.lines);
	ck_assert_str_eq(lines, tables[_i].lines);
	ck_assert_uint_eq(difference.kept, tables[_i].kept);
	ck_assert_uint_eq(difference.nunchanged, tables[_i].kept);
	ck_assert_uint_eq(difference.added, tables[_i].added);
	ck_assert_uint_eq(difference.changed, tables[_i].changed);
	ck_assert_uint_eq(difference.removed, tables[_i].removed);
	free(lines);
	difference_fini(&difference);
}
END_TEST

/* What came from a version that writes something else, or was damaged, is refused and not guessed
 * at: a wrong "unchanged" would carry a throttle on to another service. */
static const struct {
	const char *text;
	size_t size;
} damaged[] = {
#define TEXT(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
	TEXT("\n"),
	TEXT("{\"version\":1}"),
	TEXT("log = \"syslog\""),
	TEXT("log\n"),
	TEXT("log = \n"),
	TEXT(" = \"syslog\"\n"),
	TEXT("LOG = \"syslog\"\n"),
	TEXT("l\0g = \"syslog\"\n"),
	TEXT("log = \"\033[31m\"\n"),
	TEXT("log = \"\x7f\"\n"),
	TEXT("log = \"a\r\"\n"),
	TEXT("\nservice \"a\" {\n"),
	TEXT("\nservice \"a\" {\n}"),
	TEXT("\nservice \"a\" {\n} \n"),
	TEXT("\nservice \"a\" {\n}\n\n"),
	TEXT("\nservice \"a\" {\n}\nservice \"b\" {\n}\n"),
	TEXT("\nservice \"a\" {\n}\nlog = \"syslog\"\n"),
	TEXT("\nservice \"a\" {\n\n}\n"),
	TEXT("\nservice \"\" {\n}\n"),
	TEXT("\nservice \"a\"b\" {\n}\n"),
	TEXT("\nservice \"a\\\" {\n}\n"),
	TEXT("\nservice a {\n}\n"),
	TEXT("\ndefaults {\n}\n"),
	TEXT("\nservice \"a\" {\n}\n\nservice \"a\" {\n}\n"),
#undef TEXT
};

START_TEST(refused)
{
	const char *text = damaged[_i].text;
	struct difference difference;

	ck_assert_int_eq(make(put(text, damaged[_i].size), put("", 0), &difference), -1);
	ck_assert_int_eq(errno, EINVAL);
	difference_fini(&difference);
	ck_assert_int_eq(make(put("", 0), put(text, damaged[_i].size), &difference), -1);
	ck_assert_int_eq(errno, EINVAL);
	difference_fini(&difference);
}
END_TEST

START_TEST(too_many_keys)
{
	struct difference difference;
	char *text = xcalloc(300, 16), *end = text;

	for (int i = 0; i < 300; i++)
		end += sprintf(end, "key%d = %d\n", i, i);
	ck_assert_int_eq(make(put(text, strlen(text)), put("", 0), &difference), -1);
	ck_assert_int_eq(errno, EINVAL);
	free(text);
}
END_TEST

START_TEST(no_text)
{
	struct difference difference;
	int fds[2], fd = put("", 0);

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(difference_make(fds[0], fd, &difference), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(difference_make(fd, fds[0], &difference), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(close(fds[0]), 0);
	ck_assert_int_eq(close(fds[1]), 0);
	ck_assert_int_eq(difference_make(fd, fds[0], &difference), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

/* Every beginning of a text, and every text with one byte of it changed: an answer, or EINVAL. */
START_TEST(survived)
{
	static const char text[] = "instances = 5\n" A "\tinstances = 20\n}\n" B "}\n";
	static const char bytes[] = "\0\n\t\"\\{}= a1\x80\xff";
	struct difference difference;
	char changed[sizeof(text)];

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		for (size_t j = 0; j < sizeof(bytes); j++) {
			memcpy(changed, text, sizeof(text));
			changed[i] = bytes[j];
			if (make(put(text, sizeof(text) - 1), put(changed, sizeof(text) - 1),
				 &difference) < 0)
				ck_assert_int_eq(errno, EINVAL);
			difference_fini(&difference);
		}
		if (make(put(text, i), put(text, sizeof(text) - 1), &difference) < 0)
			ck_assert_int_eq(errno, EINVAL);
		difference_fini(&difference);
	}
}
END_TEST

/* A list of many addresses that differs at its end says where, within a line of a log. */
START_TEST(long_values)
{
	char *list = xstrdup("{ \"tcp:1\""), *before, *after;
	struct difference difference;

	for (int i = 0; i < 500; i++) {
		char *longer = xasprintf("%s, \"unix:/b\303\251gat%d\"", list, i);

		free(list);
		list = longer;
	}
	before = xasprintf("\nservice \"a\" {\n\tlisten = %s, \"tcp:8000\" }\n}\n"
			   "\nservice \"b\" {\n\tlisten = %s }\n}\n",
			   list, list);
	after = xasprintf("\nservice \"a\" {\n\tlisten = %s, \"tcp:8443\" }\n}\n", list);
	ck_assert_int_eq(make(put(before, strlen(before)), put(after, strlen(after)), &difference),
			 0);
	ck_assert_ptr_nonnull(strstr(difference.lines[0], "\"tcp:8443\" }, was ..."));
	ck_assert_ptr_nonnull(strstr(difference.lines[0], "\"tcp:8000\" }"));
	ck_assert_uint_gt(strlen(difference.lines[0]), LINE_MAX_BYTES / 2);
	ck_assert_ptr_nonnull(
		strstr(difference.lines[1], "- service \"b\" on tcp:1, unix:/b\303\251gat0, "));
	for (char **line = difference.lines; *line; line++) {
		ck_assert_uint_le(strlen(*line), LINE_MAX_BYTES);
		for (char *c = *line; (c = strchr(c, '\303')); c++)
			ck_assert_int_eq(c[1], '\251');
		for (char *c = *line; (c = strchr(c, '\251')); c++)
			ck_assert_int_eq(c[-1], '\303');
	}
	difference_fini(&difference);
	free(list);
	free(before);
	free(after);
}
END_TEST

/* Names and values that are as long as may be. */
START_TEST(long_lines)
{
	char name[400], *before, *after;
	struct difference difference;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	before = xasprintf("%s = %s1\n\nservice \"%s\" {\n\t%s = %s1\n\thandler = \"%s\"\n}\n",
			   name, name, name, name, name, name);
	after = xasprintf("%s = %s2\n\nservice \"%s\" {\n\t%s = %s2\n\texec = { \"%s\" }\n}\n",
			  name, name, name, name, name, name);
	ck_assert_int_eq(make(put(before, strlen(before)), put(after, strlen(after)), &difference),
			 0);
	ck_assert_uint_eq(difference.changed, 1);
	for (char **line = difference.lines; *line; line++)
		ck_assert_uint_le(strlen(*line), LINE_MAX_BYTES);
	difference_fini(&difference);
	free(before);
	free(after);
}
END_TEST

START_TEST(unchanged_names)
{
	static const char before[] = A "}\n" B "}\n\nservice \"c\" {\n}\n";
	static const char after[] = "\nservice \"c\" {\n}\n" A "}\n" B "\tumask = 0077\n}\n";
	struct difference difference;

	ck_assert_int_eq(
		make(put(before, sizeof(before) - 1), put(after, sizeof(after) - 1), &difference),
		0);
	ck_assert(difference_has_unchanged(&difference, "a"));
	ck_assert(!difference_has_unchanged(&difference, "b"));
	ck_assert(difference_has_unchanged(&difference, "c"));
	ck_assert(!difference_has_unchanged(&difference, "d"));
	difference_fini(&difference);
	ck_assert(!difference_has_unchanged(&difference, "a"));
}
END_TEST

/* Configurations */

static struct config *load(const char *text)
{
	struct config_problems problems;
	struct config *config;

	write_file("conf", text);
	config = config_load("conf", &problems);
	ck_assert_msg(config != NULL, "%s", problems.count ? problems.lines[0] : "no reason");
	config_problems_free(&problems);
	return config;
}

static char *effect_of(const char *text)
{
	struct config *config = load(text);
	char *effect = effect_format(config);

	config_free(config);
	return effect;
}

static char *print_of(const char *text)
{
	struct config *config = load(text);
	char *printed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);

	ck_assert_ptr_nonnull(out);
	config_print(config, out);
	ck_assert_int_eq(fclose(out), 0);
	config_free(config);
	return printed;
}

static void check_effect(const char *text, const char *expected)
{
	char *effect = effect_of(text);

	ck_assert_str_eq(effect, expected);
	free(effect);
}

/* A default is a default whether it is written or not, and whatever a section "defaults" says. */
START_TEST(without_defaults)
{
	enter_directory();
	check_effect("log = syslog log-level = info instances = 10000 stop-timeout = '30s'\n"
		     "reload-timeout = '0m30s'\n"
		     "defaults { instances = 5 idle-timeout = '1m' }\n"
		     "service echo {\n"
		     "	listen = 'tcp:7001' handler = echo backlog = 4096 socket-mode = 0600\n"
		     "	disable = no stderr = log directory = '/' env = {} pass-env = {}\n"
		     "	instances = 100 first-byte-timeout = '60s' idle-timeout = '300s'\n"
		     "	max-time = '60m' kill-grace = '5s' umask = 022 no-new-privileges = yes }\n"
		     "service cat { listen = 'tcp:7002' exec = '/bin/cat' max-time = 0\n"
		     "	instances = 100 crlf = false }\n"
		     "service time { listen = 'tcp:7003' handler = time max-time = 0 }\n"
		     "service defaults { listen = 'tcp:7004' handler = shell instances = 100\n"
		     "	options = { 'max-line=512', 'prompt=? ' } idle-timeout = '5m' }\n"
		     "service udp { listen = 'udp:7006' handler = time instances = 100\n"
		     "	idle-timeout = '5m' reply-max = 512 reply-factor = 4 }\n"
		     "service to { listen = 'tcp:7007' redirect = 'tcp:a:1' wait = no\n"
		     "	instances = 100 idle-timeout = '5m' connect-timeout = '5s'\n"
		     "	send-proxy = none tcpmux = no }\n"
		     "service off { listen = 'tcp:7005' handler = echo disable = true }\n",
		     "\nservice \"echo\" {\n"
		     "\tlisten = { \"tcp:7001\" }\n"
		     "\thandler = \"echo\"\n"
		     "}\n"
		     "\nservice \"cat\" {\n"
		     "\tlisten = { \"tcp:7002\" }\n"
		     "\texec = { \"/bin/cat\" }\n"
		     "}\n"
		     "\nservice \"time\" {\n"
		     "\tlisten = { \"tcp:7003\" }\n"
		     "\thandler = \"time\"\n"
		     "\tinstances = 5\n"
		     "\tidle-timeout = \"1m\"\n"
		     "\tmax-time = \"0\"\n"
		     "}\n"
		     "\nservice \"defaults\" {\n"
		     "\tlisten = { \"tcp:7004\" }\n"
		     "\thandler = \"shell\"\n"
		     "\toptions = { \"prompt=? \" }\n"
		     "}\n"
		     "\nservice \"udp\" {\n"
		     "\tlisten = { \"udp:7006\" }\n"
		     "\thandler = \"time\"\n"
		     "\twait = true\n"
		     "\trate-per-source = \"100/1s\"\n"
		     "}\n"
		     "\nservice \"to\" {\n"
		     "\tlisten = { \"tcp:7007\" }\n"
		     "\tredirect = { \"tcp:a:1\" }\n"
		     "}\n");
	leave_directory();
}
END_TEST

/* A long list may be that of a thousand services: it is told apart, and not there. */
static char *format_list(size_t count, const char *last)
{
	char *text = xcalloc(count + 8, 20), *end;

	end = stpcpy(text, "defaults { only-from = { ");
	for (size_t i = 1; i < count; i++)
		end += sprintf(end, "10.0.%zu.%zu, ", i / 256, i % 256);
	sprintf(end, "%s } }\nservice a { listen = 'tcp:7001' handler = echo }\n", last);
	return text;
}

static char *effect_of_list(size_t count, const char *last)
{
	char *text = format_list(count, last), *effect = effect_of(text);

	free(text);
	return effect;
}

START_TEST(long_lists)
{
	char *shown, *list, *same, *other;

	enter_directory();
	shown = effect_of_list(1000, "::1");
	ck_assert_ptr_nonnull(strstr(shown, "\"10.0.3.231\", \"::1\" }\n"));
	list = effect_of_list(1001, "::1");
	same = effect_of_list(1001, "::1/128");
	other = effect_of_list(1001, "::2");
	ck_assert_ptr_nonnull(strstr(list, "\tonly-from = \"1001 entries with the checksum "));
	ck_assert_str_eq(list, same);
	ck_assert_str_ne(list, other);
	free(shown);
	free(list);
	free(same);
	free(other);
	leave_directory();
}
END_TEST

static const char *const configurations[] = {
	"service a { listen = 'tcp:7001' handler = echo }\n",
	"log = '/tmp/log' log-level = debug instances = 7 stop-timeout = 0 reload-timeout = '1s'\n"
	"pidfile = '/tmp/pid'\n"
	"defaults { env = { 'A=b', \"C=\\\"\\t\" } instances = 9 umask = 000 }\n"
	"service a { listen = { 'tcp:7001-7009', 'unix:@x' } backlog = 1 handler = shell\n"
	"	options = { 'prompt=', 'command.ls=/bin/ls -l \"a b\"' } banner = '%h' }\n"
	"service b { listen = 'unix:/tmp/x y' exec = { '/bin/sh', '-c', '' } arg0 = '-' crlf = "
	"yes\n"
	"	stderr = client directory = '/tmp' pass-env = TZ kill-grace = 0\n"
	"	no-new-privileges = false instances = 100 env = {} socket-mode = 0666 }\n"
	"service c { listen = 'tcp:7010' handler = echo max-time = 0 idle-timeout = 0\n"
	"	first-byte-timeout = '1ms' }\n",
	"sources = 2048\n"
	"defaults { only-from = { '10.0.0.0/8', '::/0' } access-times = 'mon-fri 08:00-18:00' }\n"
	"service a { listen = 'tcp:7001' handler = echo proxy-protocol = { '127.0.0.1' }\n"
	"	no-access = { 'user:root', 'gid:7', '::ffff:10.1.0.0/112' } per-source = 3\n"
	"	rate = '50/10s' rate-per-source = '5/s' source-prefix = { 24, 48 }\n"
	"	when-full = refuse banner-fail = 'no, %h' ban = '10m' ban-after = '3/s' }\n",
	"service a { listen = { 'tcp:7001', 'udp:7001' } handler = daytime banner = '%n' }\n"
	"service b { listen = { 'tcp:7002', 'udp:7002' } handler = daytime wait = true\n"
	"	reply-max = '1k' reply-factor = 0 rate-per-source = none }\n"
	"service c { listen = 'udp:7003' exec = '/bin/cat' max-time = '1m' }\n"
	"service d { listen = 'tcp:7004' redirect = { 'tcp:a:1', 'unix:/b' } send-proxy = v1\n"
	"	connect-timeout = '1s' max-time = '1h' }\n"
	"service e { listen = 'udp:7005' redirect = 'udp:a:1' }\n"
	"service f { listen = 'fifo:/f' handler = fortune socket-mode = 0644 }\n"
	"service g { listen = 'tcp:1' handler = tcpmux }\n"
	"service h { exec = '/bin/cat' tcpmux = true }\n",
};

/* What is left out says nothing: the text loads to the same configuration. */
START_TEST(loads_to_the_same)
{
	char *effect, *before, *after;

	enter_directory();
	effect = effect_of(configurations[_i]);
	before = print_of(configurations[_i]);
	after = print_of(effect);
	ck_assert_str_eq(before, after);
	check_effect(effect, effect); /* and once more */
	free(effect);
	free(before);
	free(after);
	leave_directory();
}
END_TEST

static void check_identity(const char *keys, bool is_usual)
{
	char *text = xasprintf("service a { listen = 'tcp:7001' handler = echo %s }\n", keys);
	char *effect = effect_of(text), *before = print_of(text), *after = print_of(effect);

	ck_assert_str_eq(before, after);
	ck_assert_msg((strchr(effect, '\t') && strstr(effect, "group") == NULL) == is_usual, "%s",
		      keys);
	free(text);
	free(effect);
	free(before);
	free(after);
}

/* What is usual for a group depends on the user: all three keys or none. */
START_TEST(identities)
{
	const struct passwd *nobody = getpwnam("nobody");
	gid_t group = nobody ? nobody->pw_gid : 0; /* before somebody else is looked up */
	char *keys;

	if (geteuid() != 0 || nobody == NULL)
		return;
	enter_directory();
	check_identity("", true);
	check_identity("user = nobody", true);
	check_identity("user = root", false);
	check_identity("user = 0 groups = {}", false);
	check_identity("group = root", false);
	check_identity("groups = {}", false);
	/* as usual for nobody only: the group of another user, and the groups beside another group
	 */
	keys = xasprintf("user = root group = %u", group);
	check_identity(keys, false);
	free(keys);
	keys = xasprintf("group = root groups = %u", group);
	check_identity(keys, false);
	free(keys);
	leave_directory();
}
END_TEST

/* It is in a descriptor of the master's for as long as that lives, and anybody's to trust. */
START_TEST(saved)
{
	struct config *config;
	struct difference difference;
	char path[64], name[64] = "";
	int fd;

	enter_directory();
	config = load("service a { listen = 'tcp:7001' handler = echo }\n");
	fd = difference_save(config);
	ck_assert_int_ge(fd, FD_PARKED);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(memfd_has_seals(fd, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_gt(readlink(path, name, sizeof(name) - 1), 0);
	ck_assert_str_eq(name, "/memfd:begat.conf in effect (deleted)");
	/* From the start, wherever its offset is, and more than once. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(difference_make(fd, fd, &difference), 0);
		ck_assert_uint_eq(difference.kept, 1);
		ck_assert_str_eq(difference.unchanged[0], "a");
		difference_fini(&difference);
	}
	ck_assert_int_eq(close(fd), 0);
	config_free(config);
	leave_directory();
}
END_TEST

#define MANY 9000 /* a file has room for */

/* Thousands of services: what a service costs, and that the last of them are found. */
START_TEST(many)
{
	struct config *config;
	struct difference difference;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int before, after;

	enter_directory();
	fputs("defaults { instances = 20 exec = { '/bin/cat', '-u' } stderr = null\n"
	      "	max-time = '1h' }\n",
	      out);
	for (int i = 0; i < MANY; i++)
		fprintf(out, "service service-%d { listen = 'tcp:127.0.%d.%d:7001' }\n", i, i / 250,
			i % 250);
	ck_assert_int_eq(fclose(out), 0);
	config = load(text);
	before = difference_save(config);
	ck_assert_int_lt(lseek(before, 0, SEEK_END), MANY * 250);
	for (size_t i = 0; i < MANY; i += 2)
		config->services[i]->instances++;
	config->services[MANY - 1]->disable = true;
	after = difference_save(config);
	ck_assert_int_eq(make(before, after, &difference), 0);
	ck_assert_uint_eq(difference.changed, MANY / 2);
	ck_assert_uint_eq(difference.kept, MANY / 2 - 1);
	ck_assert_uint_eq(difference.removed, 1);
	ck_assert(difference_has_unchanged(&difference, "service-8997"));
	ck_assert(!difference_has_unchanged(&difference, "service-8998"));
	ck_assert(!difference_has_unchanged(&difference, "service-8999"));
	difference_fini(&difference);
	config_free(config);
	free(text);
	leave_directory();
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("all");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, compared, 0, sizeof(tables) / sizeof(tables[0]));
	tcase_add_loop_test(tests, refused, 0, sizeof(damaged) / sizeof(damaged[0]));
	tcase_add_test(tests, too_many_keys);
	tcase_add_test(tests, no_text);
	tcase_add_test(tests, survived);
	tcase_add_test(tests, long_values);
	tcase_add_test(tests, long_lines);
	tcase_add_test(tests, unchanged_names);
	tcase_add_test(tests, without_defaults);
	tcase_add_test(tests, long_lists);
	tcase_add_loop_test(tests, loads_to_the_same, 0,
			    sizeof(configurations) / sizeof(configurations[0]));
	tcase_add_test(tests, identities);
	tcase_add_test(tests, saved);
	tcase_add_test(tests, many);
	return suite_finish("difference", tests);
}
