/* SPDX-License-Identifier: ISC */
/* handover: documents of this version and of others are read, and damaged ones are not. */
#include "config.h"

#include "plan/handover.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/latin1.h"
#include "base/mem.h"
#include "good.h"
#include "suite.h"

static int save_text(const void *bytes, size_t size)
{
	int fd = memfd_create("test", 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static void refuse(const void *bytes, size_t size, const char *expected)
{
	int fd = save_text(bytes, size);
	char error[256] = "";
	struct handover *handover = handover_read(fd, error);

	ck_assert_msg(handover == NULL, "not refused, though: %s", expected);
	ck_assert_str_eq(error, expected);
	close(fd);
}

/* What version 1 has to have. */
static const char least[] =
	"{\"version\":1,\"pid\":1000,\"generation\":1,\"config\":\"/c\","
	"\"begatd\":{\"path\":\"/b\"},\"master\":{\"fd\":10},\"plan\":{\"fd\":11},"
	"\"state\":{\"fd\":12},\"effective\":{\"fd\":13},"
	"\"nofile\":{\"soft\":3,\"hard\":4},"
	"\"listeners\":[{\"asked\":\"tcp:1\",\"address\":\"tcp:1\",\"fd\":15},"
	"{\"asked\":\"tcp:2\",\"address\":\"tcp:2\",\"fd\":16}],"
	"\"services\":[{\"name\":\"one\",\"kill-grace-ms\":1},"
	"{\"name\":\"two\",\"kill-grace-ms\":2}],"
	"\"children-fields\":[\"place\",\"pid\",\"service\",\"started-ns\",\"peer\"],"
	"\"children\":[[0,2,1,0],[7,3,0,9,\"x\"]]}";

static char *edited(const char *find, const char *with)
{
	const char *at = strstr(least, find);

	ck_assert_msg(at != NULL, "%s is not in the document", find);
	return xasprintf("%.*s%s%s", (int)(at - least), least, with, at + strlen(find));
}

START_TEST(least_document_is_read)
{
	struct handover *handover = read_good(save_text(least, sizeof(least) - 1));

	ck_assert_int_eq(handover->pid, 1000);
	ck_assert_ptr_null(handover->pid_path);
	ck_assert_int_eq(handover->pid_fd, -1);
	ck_assert_int_eq(handover->begatd_fd, -1);
	ck_assert_int_eq(handover->sources_fd, -1);
	ck_assert_int_eq(handover->reports_fd, -1); /* there is none in 0.1.0, as below */
	ck_assert(!handover->begatd_gone && !handover->detached && !handover->has_terminal);
	ck_assert(!handover->reload_again);
	ck_assert_ptr_null(handover->last_failure);
	ck_assert_uint_eq(handover->nofile_hard, 4);
	ck_assert_uint_eq(handover->nreceived, 0);
	ck_assert_uint_eq(handover->ncages, 0); /* as before there were cages: 0.1.0 */
	ck_assert_uint_eq(handover->listeners[1].mode, (mode_t)-1);
	ck_assert_int_eq(handover->listeners[1].sources_fd, -1);
	ck_assert_uint_eq(handover->services[1].state.stats.begat, 0);
	ck_assert_uint_eq(handover->services[1].state.stats.served, 0);
	ck_assert_int_eq(handover->services[1].state.stderr_reader, -1);
	ck_assert_int_eq(handover->services[1].state.rate_ns, 0);
	ck_assert_ptr_null(handover->services[1].throttled_why);
	for (int refusal = 0; refusal < REFUSALS; refusal++)
		ck_assert_uint_eq(handover->services[1].state.stats.refused[refusal], 0);
	ck_assert_int_eq(handover->children[1].pid, 3);
	ck_assert_uint_eq(handover->children[1].place, 7);
	ck_assert_uint_eq(handover->children[1].service, 0);
	ck_assert_int_eq(handover->children[1].started_ns, 9);
	ck_assert_str_eq(handover->children[0].peer, "");
	ck_assert_str_eq(handover->children[1].peer, "x");
	ck_assert_int_eq(handover->children[1].due_ns, 0);
	ck_assert_uint_eq(handover->children[1].source, STATE_NO_SOURCE);
	ck_assert_int_eq(handover->children[1].talk_fd, -1);
	ck_assert_int_eq(handover->children[1].refused, REFUSAL_NONE);
	ck_assert_int_eq(handover->children[1].role, 0); /* WORKER_CONNECTION */
	ck_assert_int_eq(handover->children[1].listener, -1);
	ck_assert_int_eq(handover->children[1].offered_fd, -1);
	ck_assert_uint_eq(handover->children[1].served, 0);
	ck_assert_uint_eq(handover->children[1].denied, 0);
	handover_free(handover);
}
END_TEST

/* What a daemon from before there was admission writes of its children: 0.1.0. */
START_TEST(children_of_an_older_release_are_read)
{
	char *document = edited(
		"\"children-fields\":[\"place\",\"pid\",\"service\",\"started-ns\",\"peer\"],"
		"\"children\":[[0,2,1,0],[7,3,0,9,\"x\"]]",
		"\"children-fields\":[\"pid\",\"service\",\"place\",\"started-ns\",\"peer\","
		"\"due-ns\",\"ending\",\"timed-out\",\"client-gone\"],"
		"\"children\":[[2,1,0,4,\"x\",5,1,true],[3,0,1,6,\"y\",0,0,false,true]]");
	struct handover *handover = read_good(save_text(document, strlen(document)));
	const struct state_child *child = handover->children;

	ck_assert_int_eq(child[0].due_ns, 5);
	ck_assert_int_eq(child[0].ending, 1);
	ck_assert(child[0].timed_out && !child[0].client_gone);
	ck_assert(!child[1].timed_out && child[1].client_gone);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(child[i].source, STATE_NO_SOURCE);
		ck_assert_int_eq(child[i].talk_fd, -1);
		ck_assert_int_eq(child[i].refused, REFUSAL_NONE);
		ck_assert_int_eq(child[i].role, 0);
		ck_assert_int_eq(child[i].listener, -1);
		ck_assert_int_eq(child[i].offered_fd, -1);
	}
	handover_free(handover);
	free(document);
}
END_TEST

START_TEST(no_children_is_fine)
{
	char *document = edited("[0,2,1,0],[7,3,0,9,\"x\"]", "");
	struct handover *handover = read_good(save_text(document, strlen(document)));

	ck_assert_uint_eq(handover->nchildren, 0);
	handover_free(handover);
	free(document);
}
END_TEST

/* A daemon of a later release that still writes version 1 can be taken over by an older begatd. */
START_TEST(unknown_fields_are_passed_over)
{
	static const char *const edits[][2] = {
		{ "{\"version\"", "{\"sources\":[{\"a\":[1.5,null]}],\"version\"" },
		{ "{\"version\"", "{\"failures\":{\"fd\":14},\"version\"" }, /* 0.1.0 */
		{ "{\"version\"", "{\"bans\":[{\"source\":\"::/64\"}],\"version\"" },
		{ "\"path\":\"/b\"", "\"path\":\"/b\",\"argv\":[]" },
		{ "\"fd\":15", "\"fd\":15,\"protocol\":6" },
		{ "\"kill-grace-ms\":1", "\"kill-grace-ms\":1,\"rate\":{}" },
		{ "\"kill-grace-ms\":1", "\"kill-grace-ms\":1,\"refused\":{\"new\":-1}" },
		{ "\"place\",\"pid\"", "\"place\",\"pid\"" },
		{ "\"peer\"],", "\"peer\",\"cgroup\",17]," },
		{ "9,\"x\"", "9,\"x\",{}" },
	};

	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		char *document = edited(edits[i][0], edits[i][1]);

		handover_free(read_good(save_text(document, strlen(document))));
		free(document);
	}
}
END_TEST

/* One more field, and its value for the second child. */
#define SIXTH(name, value)                                                                         \
	"\"peer\"],\"children\":[[0,2,1,0],[7,3,0,9,\"x\"]",                                       \
		"\"peer\",\"" name "\"],\"children\":[[0,2,1,0],[7,3,0,9,\"x\"," value "]"

static const struct {
	const char *find, *with, *error;
} damages[] = {
	{ "\"version\":1,", "", "version: missing" },
	{ "\"version\":1", "\"version\":0", "version: 0 is not within 1 to 9223372036854775807" },
	{ "\"version\":1", "\"version\":\"1\"", "version: not a whole number" },
	{ "\"version\":1", "\"version\":2",
	  "version: the running daemon's is 2, and this begatd reads up to 1: "
	  "install a newer begatd" },
	{ "\"version\":1", "\"version\":1,\"program\":\"inetd\"", "program: not \"begat\"" },
	{ "\"pid\":1000", "\"pid\":0", "pid: 0 is not within 1 to 4194303" },
	{ "\"pid\":1000", "\"pid\":1e3", "pid: not a whole number" },
	{ "\"generation\":1,", "", "generation: missing" },
	{ "\"generation\":1", "\"generation\":-1", "generation: -1 is not within 0 to 4294967294" },
	{ "\"config\":\"/c\",", "", "config: missing" },
	{ "\"config\":\"/c\"", "\"config\":\"\"", "config: empty" },
	{ "\"config\":\"/c\"", "\"config\":7", "config: not a text" },
	{ "\"/c\"", "\"/\\u0100\"", "config: has a character that is not a byte" },
	{ "\"/c\"", "\"/\xe2\x82\xac\"", "config: has a character that is not a byte" },
	{ "\"begatd\":{\"path\":\"/b\"}", "\"begatd\":[]", "begatd: not an object" },
	{ "\"path\":\"/b\"", "\"fd\":20", "begatd.path: missing" },
	{ "\"path\":\"/b\"", "\"path\":\"/b\",\"gone\":1", "begatd.gone: neither true nor false" },
	{ "\"path\":\"/b\"}", "\"path\":\"/b\"},\"pidfile\":{\"fd\":20}",
	  "pidfile: has only one of path and fd" },
	{ "{\"fd\":10}", "{}", "master.fd: missing" },
	{ "{\"fd\":10}", "{\"fd\":2}", "master.fd: 2 is not within 3 to 4194303" },
	{ "{\"fd\":11}", "{\"fd\":10}", "plan.fd: 10 is there twice" },
	{ "\"nofile\":{\"soft\":3,", "\"nofile\":{", "nofile.soft: missing" },
	{ "\"hard\":4", "\"hard\":-4", "nofile.hard: not a whole number from 0 on" },
	{ "\"hard\":4", "\"hard\":\"18446744073709551616\"",
	  "nofile.hard: not a whole number from 0 on" },
	{ "\"hard\":4", "\"hard\":\"-4\"", "nofile.hard: not a whole number from 0 on" },
	{ "\"hard\":4}", "\"hard\":4},\"received\":7", "received: not a list" },
	{ "\"hard\":4}", "\"hard\":4},\"received\":[20,1]",
	  "received[1]: 1 is not within 3 to 4194303" },
	{ "\"hard\":4}", "\"hard\":4},\"received\":[20,20]", "received[1]: 20 is there twice" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":{}", "cages: not a list" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":null", "cages: not a list" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":[20,21,2]",
	  "cages[2]: 2 is not within 3 to 4194303" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":[-1]", "cages[0]: -1 is not within 3 to 4194303" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":[20,4194304]",
	  "cages[1]: 4194304 is not within 3 to 4194303" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":[\"20\"]", "cages[0]: not a whole number" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":[20,null]", "cages[1]: not a whole number" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":[20,21,20]", "cages[2]: 20 is there twice" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":[13]", "cages[0]: 13 is there twice" },
	{ "\"hard\":4}", "\"hard\":4},\"received\":[20],\"cages\":[21,20]",
	  "cages[1]: 20 is there twice" },
	{ "\"hard\":4}", "\"hard\":4},\"cages\":[16]", "listeners[1].fd: 16 is there twice" },
	{ "\"hard\":4}", "\"hard\":4},\"reloads\":{\"last\":-1}",
	  "reloads.last: -1 is not within 0 to 9223372036854775807" },
	{ "\"listeners\"", "\"gardeners\"", "listeners: missing" },
	{ "{\"asked\":\"tcp:2\",\"address\":\"tcp:2\",\"fd\":16}", "\"tcp:2\"",
	  "listeners[1]: not an object" },
	{ "\"asked\":\"tcp:2\",", "", "listeners[1].asked: missing" },
	{ "\"fd\":16", "\"fd\":15", "listeners[1].fd: 15 is there twice" },
	{ "\"fd\":16", "\"fd\":13", "listeners[1].fd: 13 is there twice" },
	{ "\"fd\":16", "\"fd\":null", "listeners[1].fd: not a whole number" },
	{ "\"fd\":16", "\"fd\":-1", "listeners[1].fd: -1 is not within 3 to 4194303" },
	{ ",\"fd\":16", "", "listeners[1].fd: missing" },
	{ "\"tcp:2\",\"address\":\"tcp:2\",\"fd\":16",
	  "\"fifo:/a\",\"address\":\"fifo:/a\",\"fd\":16",
	  "listeners[1].fd: 16 is not within -1 to -1" },
	{ "\"fd\":16", "\"fd\":16,\"sources-fd\":-1",
	  "listeners[1].sources-fd: -1 is not within 3 to 4194303" },
	{ "\"fd\":16", "\"fd\":16,\"sources-fd\":16",
	  "listeners[1].sources-fd: 16 is there twice" },
	{ "\"fd\":16", "\"fd\":16,\"mode\":4096",
	  "listeners[1].mode: 4096 is not within 0 to 4095" },
	{ "\"fd\":16", "\"fd\":16,\"inode\":-1",
	  "listeners[1].inode: not a whole number from 0 on" },
	{ "\"services\":[{", "\"services\":{\"x\":[{", "JSON: line 1, column " },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":9223372036854775807",
	  "services[1].kill-grace-ms: 9223372036854775807 is not within 0 to 2147483647" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"throttle\":{\"bad\":4294967296}",
	  "services[1].throttle.bad: 4294967296 is not within 0 to 4294967295" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"ended\":{\"timed-out\":-1}",
	  "services[1].ended.timed-out: not a whole number from 0 on" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"stderr\":{\"reader\":13}",
	  "services[1].stderr.reader: 13 is there twice" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"stderr\":{\"reader\":2}",
	  "services[1].stderr.reader: 2 is not within 3 to 4194303" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"refused\":{\"source-rate\":-1}",
	  "services[1].refused.source-rate: not a whole number from 0 on" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"refused\":[]",
	  "services[1].refused: not an object" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"rate-ns\":-1",
	  "services[1].rate-ns: -1 is not within 0 to 9223372036854775807" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"throttle\":{\"reason\":1}",
	  "services[1].throttle.reason: not a text" },
	{ "{\"fd\":13}", "{\"fd\":13},\"source-table\":{\"fd\":13}",
	  "source-table.fd: 13 is there twice" },
	{ "{\"fd\":13}", "{\"fd\":13},\"source-table\":{\"fd\":2}",
	  "source-table.fd: 2 is not within 3 to 4194303" },
	{ "{\"fd\":13}", "{\"fd\":13},\"source-table\":7", "source-table: not an object" },
	{ "{\"fd\":13}", "{\"fd\":13},\"reports\":{\"fd\":13}", "reports.fd: 13 is there twice" },
	{ "{\"fd\":13}", "{\"fd\":13},\"reports\":{\"fd\":2}",
	  "reports.fd: 2 is not within 3 to 4194303" },
	{ "{\"fd\":13}", "{\"fd\":13},\"reports\":[]", "reports: not an object" },
	{ "\"kill-grace-ms\":2", "\"kill-grace-ms\":2,\"served\":-1",
	  "services[1].served: not a whole number from 0 on" },
	{ "\"children-fields\"", "\"fields\"", "children-fields: missing" },
	{ "\"place\",", "\"palace\",", "children[0].place: missing" },
	{ "[7,3,0,9,\"x\"]", "{}", "children[1]: not a list" },
	{ "[7,3,0,9,\"x\"]", "[7,3]", "children[1].service: missing" },
	{ "[7,3,0,9", "[0,3,0,9", "children[1].place: 0 is there twice" },
	{ "[7,3,0,9", "[4194304,3,0,9", "children[1].place: 4194304 is not within 0 to 4194303" },
	{ "[7,3,0,9", "[7,2,0,9", "children[1].pid: 2 is there twice" },
	{ "[7,3,0,9", "[7,1,0,9", "children[1].pid: 1 is not within 2 to 4194303" },
	{ "[7,3,0,9", "[7,-1,0,9", "children[1].pid: -1 is not within 2 to 4194303" },
	{ "[7,3,0,9", "[7,1000,0,9", "children[1].pid: 1000 is there twice" },
	{ "[7,3,0,9", "[7,3,2,9", "children[1].service: 2 is not within 0 to 1" },
	{ "[7,3,0,9", "[7,3,0,-9",
	  "children[1].started-ns: -9 is not within 0 to 9223372036854775807" },
	{ "\"x\"]", "1]", "children[1].peer: not a text" },
	{ "\"x\"]",
	  "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678"
	  "9\"]",
	  "children[1].peer: longer than it can be" },
	{ ",\"peer\"],", ",\"ending\"],", "children[1].ending: not a whole number" },
	{ SIXTH("source", "-2"), "children[1].source: -2 is not within -1 to 4294967294" },
	{ SIXTH("source", "4294967295"),
	  "children[1].source: 4294967295 is not within -1 to 4294967294" },
	{ SIXTH("source", "true"), "children[1].source: not a whole number" },
	{ SIXTH("talk-fd", "-2"), "children[1].talk-fd: -2 is not within -1 to 4194303" },
	{ SIXTH("talk-fd", "2"), "children[1].talk-fd: 2 is no descriptor of ours" },
	{ SIXTH("talk-fd", "16"), "children[1].talk-fd: 16 is there twice" },
	{ SIXTH("offered-fd", "-2"), "children[1].offered-fd: -2 is not within -1 to 4194303" },
	{ SIXTH("offered-fd", "0"), "children[1].offered-fd: 0 is no descriptor of ours" },
	{ SIXTH("offered-fd", "16"), "children[1].offered-fd: 16 is there twice" },
	{ SIXTH("role", "-1"), "children[1].role: -1 is not within 0 to 3" },
	{ SIXTH("role", "4"), "children[1].role: 4 is not within 0 to 3" },
	{ SIXTH("role", "\"mux\""), "children[1].role: not a whole number" },
	{ SIXTH("listener", "-2"), "children[1].listener: -2 is not within -1 to 1" },
	{ SIXTH("listener", "2"), "children[1].listener: 2 is not within -1 to 1" },
	{ SIXTH("served", "-1"), "children[1].served: -1 is not within 0 to 9223372036854775807" },
	{ SIXTH("denied", "-1"), "children[1].denied: -1 is not within 0 to 9223372036854775807" },
	{ SIXTH("timed-out", "1"), "children[1].timed-out: neither true nor false" },
	{ "9,\"x\"]]}", "9,\"x\"]]", "JSON: line 1, column " },
	{ "9,\"x\"]]}", "9,\"x\"]]}}", "JSON: line 1, column " },
};

/* Nobody closes a descriptor or kills a process by a damaged document: it is refused, in one line
 * that says where the mistake is. */
START_TEST(damage_is_refused)
{
	char *document = edited(damages[_i].find, damages[_i].with), error[256] = "";
	const char *expected = damages[_i].error;
	int fd = save_text(document, strlen(document));

	ck_assert_msg(handover_read(fd, error) == NULL, "not refused: %s", expected);
	if (strncmp(expected, "JSON", 4) == 0)
		error[strnlen(expected, sizeof(error) - 1)] = '\0';
	ck_assert_str_eq(error, expected);
	free(document);
	close(fd);
}
END_TEST

static char *with_refusal(int refusal)
{
	const char *find = "\"peer\"],\"children\":[[0,2,1,0],[7,3,0,9,\"x\"]";
	char *with = xasprintf("\"peer\",\"refused\"],\"children\":"
			       "[[0,2,1,0],[7,3,0,9,\"x\",%d]",
			       refusal);
	char *document = edited(find, with);

	free(with);
	return document;
}

/* A number of a later release, which has more of them, would be a place behind our table. */
START_TEST(refusals_are_those_of_this_release)
{
	const int wrong[] = { -1, REFUSALS, INT_MAX };

	for (int refusal = 0; refusal < REFUSALS; refusal++) {
		char *document = with_refusal(refusal);
		struct handover *handover = read_good(save_text(document, strlen(document)));

		ck_assert_int_eq(handover->children[1].refused, refusal);
		handover_free(handover);
		free(document);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char *document = with_refusal(wrong[i]);
		char *error = xasprintf("children[1].refused: %d is not within 0 to %d", wrong[i],
					REFUSALS - 1);

		refuse(document, strlen(document), error);
		free(document);
		free(error);
	}
}
END_TEST

/* Cut at any place, it is never taken for a shorter one. */
START_TEST(truncated_is_refused)
{
	char error[256];

	for (size_t size = 0; size < sizeof(least) - 1; size++) {
		int fd = save_text(least, size);

		*error = '\0';
		ck_assert_ptr_null(handover_read(fd, error));
		ck_assert_str_ne(error, "");
		ck_assert_ptr_null(strchr(error, '\n'));
		close(fd);
	}
}
END_TEST

START_TEST(noise_is_refused)
{
	char error[256];

	refuse("", 0, "JSON: empty");
	refuse("[1]", 3, "JSON: not an object");
	refuse("{\"a\":\"\x80\"}", 9,
	       "JSON: line 1, column 6: unable to decode byte 0x80 near '\"'");
	refuse("{\"a\":\n\"\n\"}", 10, "JSON: line 2, column 1: unexpected newline near '\"'");
	refuse("{\x1b}", 3, "JSON: line 1, column 2: string or '}' expected near '?'");
	refuse("{}\0", 3, "JSON: line 1, column 3: end of file expected near end of file");
	ck_assert_ptr_null(handover_read(-1, error));
	ck_assert_str_eq(error, "fstat: Bad file descriptor");
}
END_TEST

START_TEST(nesting_is_refused)
{
	const size_t depth = 1 << 20;
	char *bomb = malloc(depth), error[256];
	int fd;

	memset(bomb, '[', depth);
	memcpy(bomb, "{\"a\":", 5);
	fd = save_text(bomb, depth);
	ck_assert_ptr_null(handover_read(fd, error));
	ck_assert_ptr_nonnull(strstr(error, "maximum parsing depth reached"));
	free(bomb);
}
END_TEST

/* Not read at all, so that it cannot take the memory of the machine. */
START_TEST(huge_is_refused)
{
	int fd = memfd_create("test", 0);
	char error[256];

	ck_assert_int_eq(ftruncate(fd, (256 << 20) + 1), 0);
	ck_assert_ptr_null(handover_read(fd, error));
	ck_assert_str_eq(error, "JSON: larger than 268435456 bytes");
}
END_TEST

/* The ruleset, network or group of a cage: closed when the new master stands, and not before. */
START_TEST(descriptors_of_cages_are_read)
{
	char *document = edited("\"hard\":4}", "\"hard\":4},\"cages\":[30,29,4194303]");
	struct handover *handover = read_good(save_text(document, strlen(document)));

	ck_assert_uint_eq(handover->ncages, 3);
	ck_assert_int_eq(handover->cages[0], 30);
	ck_assert_int_eq(handover->cages[1], 29);
	ck_assert_int_eq(handover->cages[2], 4194303);
	ck_assert_uint_eq(handover->nreceived, 0);
	handover_free(handover);
	free(document);
	document = edited("\"hard\":4}", "\"hard\":4},\"cages\":[]");
	handover = read_good(save_text(document, strlen(document)));
	ck_assert_uint_eq(handover->ncages, 0);
	handover_free(handover);
	free(document);
}
END_TEST

/* Three listeners: one with a table, two FIFOs. */
static struct handover *read_listeners(void)
{
	char *document = edited("\"fd\":16}", "\"fd\":16,\"sources-fd\":17},"
					      "{\"asked\":\"fifo:/a\",\"address\":\"fifo:/"
					      "a\",\"fd\":-1,\"path\":\"/a\",\"mode\":384},"
					      "{\"asked\":\"fifo:/b\",\"address\":\"fifo:/b\"}");
	struct handover *handover = read_good(save_text(document, strlen(document)));

	free(document);
	return handover;
}

/* A FIFO has no descriptor in the master, and there may be many of them. */
START_TEST(fifos_are_read)
{
	struct handover *handover = read_listeners();

	ck_assert_uint_eq(handover->nlisteners, 4);
	ck_assert_int_eq(handover->listeners[1].sources_fd, 17);
	ck_assert_int_eq(handover->listeners[2].fd, -1);
	ck_assert_str_eq(handover->listeners[2].path, "/a");
	ck_assert_uint_eq(handover->listeners[2].mode, 0600);
	ck_assert_int_eq(handover->listeners[3].fd, -1);
	handover_free(handover);
}
END_TEST

static bool is_unchanged(const char *service, const void *context)
{
	(void)service;
	return context == NULL;
}

/* A plan of one listener alone. */
static const struct state *make_state(const struct handover *handover, int fd, int sources_fd)
{
	static struct {
		struct plan plan;
		struct plan_listener listener;
	} next;
	const struct state_summary summary = { 0, 0, 1, 0 };
	const struct state *state;

	next.plan.size = sizeof(next);
	next.plan.listeners = offsetof(typeof(next), listener);
	next.plan.nlisteners = 1;
	next.listener = (struct plan_listener){ .fd = fd, .sources_fd = sources_fd };
	state = state_map(handover_make_state(handover, &next.plan, &summary, is_unchanged, NULL));
	ck_assert_ptr_nonnull(state);
	return state;
}

/* The master closes what is dropped: no FIFO, since -1 is none; and what the tables of its
 * listeners were, once the master before cannot come back. */
START_TEST(listeners_and_tables_are_let_go)
{
	struct handover *handover = read_listeners();
	const struct state *state = make_state(handover, 16, 17);

	ck_assert_uint_eq(state->ndropped, 1);
	ck_assert_int_eq(state_dropped(state)[0].fd, 15);
	ck_assert_uint_eq(state->nspent, 0);
	state = make_state(handover, 16, -1); /* its service is a program now */
	ck_assert_uint_eq(state->ndropped, 1);
	ck_assert_uint_eq(state->nspent, 1);
	ck_assert_int_eq(state_spent(state)[0], 17);
	state = make_state(handover, -1, -1); /* FIFOs alone */
	ck_assert_uint_eq(state->ndropped, 2);
	ck_assert_int_eq(state_dropped(state)[0].fd, 15);
	ck_assert_int_eq(state_dropped(state)[1].fd, 16);
	ck_assert_uint_eq(state->nspent, 1);
	handover_free(handover);
}
END_TEST

/* By its descriptor or, of a FIFO, by its address; never as another one that has its place now. */
START_TEST(workers_keep_their_listener)
{
	static struct {
		struct plan plan;
		struct plan_listener listeners[4];
		char texts[3][8];
	} next = { .texts = { "fifo:/b", "fifo:/c", "tcp:2" } };
	const int32_t expected[] = { -1, 1, -1, 0 };
	const struct state_summary summary = { 0 };
	struct handover *handover = read_listeners();
	const struct state *state;

	next.plan.size = sizeof(next);
	next.plan.listeners = offsetof(typeof(next), listeners);
	next.plan.nlisteners = 4;
	for (int i = 0; i < 4; i++)
		next.listeners[i] = (struct plan_listener){
			.fd = (const int[]){ -1, 16, 99, -1 }[i],
			.sources_fd = -1,
			.asked = (uint32_t)(offsetof(typeof(next), texts) +
					    (const unsigned[]){ 0, 16, 16, 8 }[i]),
		};
	for (int32_t i = -1; i < 4; i++) {
		handover->children[1].listener = i;
		state = state_map(
			handover_make_state(handover, &next.plan, &summary, is_unchanged, NULL));
		ck_assert_ptr_nonnull(state);
		ck_assert_int_eq(state_children(state)[1].listener, i < 0 ? -1 : expected[i]);
		ck_assert_int_eq(state_children(state)[0].listener, -1);
		state_unmap(state);
	}
	handover_free(handover);
}
END_TEST

#define CHILDREN                                                                                   \
	"\"children-fields\":[\"place\",\"pid\",\"service\",\"started-ns\",\"peer\"],"             \
	"\"children\":[[0,2,1,0],[7,3,0,9,\"x\"]]"

/* What a worker does is not found out by asking it: it must be in the document. */
START_TEST(standing_workers_are_read)
{
	char *document = edited(CHILDREN,
				"\"children-fields\":[\"pid\",\"service\",\"place\",\"started-ns\","
				"\"role\",\"listener\",\"offered-fd\",\"served\",\"denied\"],"
				"\"children\":[[2,0,0,1,2,1,-1,9223372036854775807,4712],"
				"[3,1,1,1,1,0,30],[4,1,2,1,3,-1],[5,1,3,1]]");
	struct handover *handover = read_good(save_text(document, strlen(document)));
	const struct state_child *child = handover->children;

	ck_assert_int_eq(child[0].role, 2);
	ck_assert_int_eq(child[0].listener, 1);
	ck_assert_int_eq(child[0].offered_fd, -1);
	ck_assert_uint_eq(child[0].served, INT64_MAX);
	ck_assert_uint_eq(child[0].denied, 4712);
	ck_assert_int_eq(child[1].role, 1);
	ck_assert_int_eq(child[1].listener, 0);
	ck_assert_int_eq(child[1].offered_fd, 30);
	ck_assert_int_eq(child[2].role, 3);
	ck_assert_int_eq(child[2].listener, -1);
	ck_assert_int_eq(child[3].role, 0);
	ck_assert_int_eq(child[3].listener, -1);
	handover_free(handover);
	free(document);
}
END_TEST

/* Every byte but NUL. */
static const char *all_bytes(void)
{
	static char bytes[256];

	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	return bytes;
}

/* What cannot be JSON as it is comes back as it was. */
START_TEST(bytes_are_kept)
{
	char utf8[LATIN1_ENCODED(255)], bytes[256];

	ck_assert_int_eq(latin1_encode(all_bytes(), utf8, sizeof(utf8)), 0);
	ck_assert_int_eq(latin1_decode(utf8, bytes, sizeof(bytes)), 0);
	ck_assert_str_eq(bytes, all_bytes());
	ck_assert(latin1_is_ascii("\x01 \x7f") && !latin1_is_ascii("a\x80"));
	ck_assert_int_eq(latin1_encode("\xe9", utf8, 2), -1);
	ck_assert_int_eq(errno, ERANGE);
	ck_assert_int_eq(latin1_encode("\xe9", utf8, 3), 0);
	ck_assert_str_eq(utf8, "\xc3\xa9");
	ck_assert_int_eq(latin1_decode("ab", bytes, 2), -1);
	ck_assert_int_eq(errno, ERANGE);
	ck_assert_int_eq(latin1_decode("\xc4\x80", bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, EILSEQ);
	ck_assert_int_eq(latin1_decode("\xc3", bytes, sizeof(bytes)), -1);
	ck_assert_int_eq(errno, EILSEQ);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { least_document_is_read,
				       children_of_an_older_release_are_read,
				       no_children_is_fine,
				       unknown_fields_are_passed_over,
				       descriptors_of_cages_are_read,
				       fifos_are_read,
				       listeners_and_tables_are_let_go,
				       refusals_are_those_of_this_release,
				       standing_workers_are_read,
				       workers_keep_their_listener,
				       truncated_is_refused,
				       noise_is_refused,
				       nesting_is_refused,
				       huge_is_refused,
				       bytes_are_kept };
	TCase *all = tcase_create("all");

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(all, tests[i]);
	tcase_add_loop_test(all, damage_is_refused, 0, sizeof(damages) / sizeof(*damages));
	return suite_finish("handover", all);
}
