/* SPDX-License-Identifier: ISC */
/* source: the bounded table of peers, and how it goes from one master to the next. */
#include "config.h"

#include "admit/source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admit/source-key.h"
#include "admit/source-table.h"
#include "base/memfd.h"
#include "report/log.h"
#include "suite.h"

#define NOW_NS 1000000

static struct {
	struct plan plan;
	struct plan_service services[3];
} made;

static const struct plan_admission rules = { .prefix4 = 32, .prefix6 = 64 };

/* Three services with ids 1, 2 and 3, of which so many are in the plan. */
static const struct plan *plan_of(uint32_t count)
{
	made.plan.services = (uint32_t)((char *)made.services - (char *)&made);
	made.plan.nservices = count;
	for (uint32_t i = 0; i < 3; i++)
		made.services[i].id = i + 1;
	return &made.plan;
}

static void init(size_t capacity, int old_fd)
{
	ck_assert_msg(sources_init(capacity, old_fd, plan_of(2)) == 0, "%s", strerror(errno));
}

static struct source_key key_of(uint64_t service, const struct plan_admission *of,
				const char *address)
{
	const struct plan_service at = { .id = service };
	struct connection connection = { .fd = -1 };
	struct sockaddr_in *in = (struct sockaddr_in *)&connection.peer;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&connection.peer;
	struct source_key key;

	connection.peer.ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (connection.peer.ss_family == AF_INET)
		ck_assert_int_eq(inet_pton(AF_INET, address, &in->sin_addr), 1);
	else
		ck_assert_int_eq(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
	source_key_init(&key, &at, of, &connection);
	return key;
}

static struct source_key key_of_user(uid_t uid)
{
	const struct plan_service at = { .id = 1 };
	const struct connection connection = { .peer = { .ss_family = AF_UNIX },
					       .credentials = { .uid = uid } };
	struct source_key key;

	source_key_init(&key, &at, &rules, &connection);
	return key;
}

/* One of many: the numbers differ in what the prefix leaves. */
static struct source_key key_of_number(uint32_t number)
{
	const uint32_t be = htonl(number);
	struct source_key key = { .service = 1, .family = AF_INET6, .length = 64 };

	memcpy(key.bits, "\x20\x01\x0d\xb8", 4);
	memcpy(key.bits + 4, &be, sizeof(be));
	return key;
}

static struct source *add(uint32_t number)
{
	const struct source_key key = key_of_number(number);

	return source_add(&key);
}

static struct source *find(uint32_t number)
{
	const struct source_key key = key_of_number(number);

	return source_find(&key);
}

/* -- what is true of every table -- */

static const struct source_header *header_of(const struct source *sources)
{
	return (const struct source_header *)(const void *)sources - 1;
}

static size_t count_idle(const struct source *sources)
{
	const uint32_t newest = header_of(sources)->newest;
	uint32_t link = header_of(sources)->oldest, before = 0;
	size_t count = 0;

	for (; link; link = sources[link - 1].newer) {
		ck_assert_uint_eq(sources[link - 1].older, before);
		ck_assert_uint_eq(sources[link - 1].active, 0);
		before = link;
		count++;
	}
	ck_assert_uint_eq(newest, before);
	return count;
}

static void unmap(const struct source *sources)
{
	struct stat info;

	ck_assert_int_eq(fstat(sources_fd(), &info), 0);
	ck_assert_int_eq(munmap((void *)(uintptr_t)header_of(sources), info.st_size), 0);
}

static void check_table(void)
{
	size_t count, active = 0;
	const struct source *sources = sources_map(sources_fd(), &count, &(size_t){ 0 });

	ck_assert_ptr_nonnull(sources);
	ck_assert_uint_le(count, header_of(sources)->capacity);
	for (uint32_t place = 0; place < count; place++) {
		const struct source *source = source_find(&sources[place].key);

		ck_assert_ptr_nonnull(source);
		ck_assert_uint_eq(source_place(source), place);
		ck_assert(source_key_is_sound(&source->key));
		active += source->active > 0;
	}
	ck_assert_uint_eq(count_idle(sources) + active, count);
	unmap(sources);
}

/* -- the table -- */

START_TEST(finds_what_was_added)
{
	struct source *source;

	init(4, -1);
	ck_assert_ptr_null(find(1));
	source = add(1);
	ck_assert_int_eq(source->rate_ns, 0);
	source->rate_ns = 4711;
	ck_assert_ptr_eq(find(1), source);
	ck_assert_ptr_eq(add(1), source);
	ck_assert_int_eq(source->rate_ns, 4711);
	ck_assert_ptr_null(find(2));
	check_table();
}
END_TEST

START_TEST(the_one_that_was_idle_for_longest_goes)
{
	init(3, -1);
	add(1)->banned_until_ns = 4711;
	add(2);
	add(3);
	add(1); /* is here again */
	add(4);
	ck_assert_ptr_null(find(2));
	ck_assert_int_eq(find(1)->banned_until_ns, 4711);
	source_take(find(3));
	source_give(find(3)); /* a worker has ended just now */
	add(5);
	add(6);
	ck_assert_ptr_null(find(1));
	ck_assert_ptr_null(find(4));
	ck_assert_ptr_nonnull(find(3));
	ck_assert_int_eq(find(6)->banned_until_ns, 0);
	check_table();
}
END_TEST

START_TEST(one_with_workers_never_goes)
{
	struct source *busy;

	init(3, -1);
	busy = add(1);
	source_take(busy);
	source_take(busy);
	for (uint32_t i = 100; i < 200; i++)
		add(i);
	ck_assert_ptr_eq(find(1), busy);
	source_give(busy);
	for (uint32_t i = 100; i < 200; i++)
		add(i);
	ck_assert_ptr_eq(find(1), busy);
	ck_assert_uint_eq(busy->active, 1);
	source_give(busy);
	check_table();
	for (uint32_t i = 100; i < 103; i++)
		add(i);
	ck_assert_ptr_null(find(1));
}
END_TEST

/* The master makes the table larger than that, but a wrong number must not end it. */
START_TEST(more_workers_than_places_share_the_spare_one)
{
	struct source *spare;

	init(2, -1);
	source_take(add(1));
	source_take(add(2));
	spare = add(3);
	source_give(find(1));
	source_take(spare);
	check_table();
	source_take(find(1));
	ck_assert_ptr_eq(add(4), spare);
	ck_assert_uint_eq(spare->active, 1);
	source_take(spare);
	source_give(find(1));
	source_give(spare);
	source_give(spare);
	check_table();
	ck_assert_ptr_ne(add(3), spare);
	ck_assert_ptr_null(find(1));
	source_give(find(2));
	check_table();
	ck_assert_ptr_nonnull(find(2));
}
END_TEST

START_TEST(no_place_is_no_table)
{
	ck_assert_int_eq(sources_init(0, -1, plan_of(2)), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(sources_init(SIZE_MAX, -1, plan_of(2)), -1);
	init(1, -1);
	add(1);
	add(2);
	ck_assert_ptr_null(find(1));
	check_table();
}
END_TEST

/* The heads of the chains lie behind the last place, up to the last byte. */
START_TEST(any_capacity_will_do)
{
	for (uint32_t capacity = 1; capacity < 300; capacity++) {
		init(capacity, -1);
		for (uint32_t i = 0; i < 4 * capacity; i++)
			source_take(add(i));
		ck_assert_uint_eq(source_place(add(0)), 0);
		check_table();
		close(sources_fd());
	}
}
END_TEST

/* -- against a model -- */

#define MODEL_PLACES 7
#define MODEL_KEYS   24

struct model {
	bool is_here;
	unsigned active, place;
	int64_t mark, stamp;
};

static struct model model[MODEL_KEYS];

static struct model *model_oldest(void)
{
	struct model *oldest = NULL;

	for (struct model *each = model; each < model + MODEL_KEYS; each++)
		if (each->is_here && each->active == 0 &&
		    (oldest == NULL || each->stamp < oldest->stamp))
			oldest = each;
	return oldest;
}

static unsigned model_count(bool only_active)
{
	unsigned count = 0;

	for (size_t i = 0; i < MODEL_KEYS; i++)
		count += model[i].is_here && (!only_active || model[i].active);
	return count;
}

static void model_add(struct model *one, int64_t stamp)
{
	if (!one->is_here) {
		if (model_count(false) == MODEL_PLACES)
			*model_oldest() = (struct model){ 0 };
		*one = (struct model){ .is_here = true };
	}
	one->stamp = stamp;
}

static void do_one(uint32_t number, int64_t stamp)
{
	struct model *one = &model[number];
	struct source *source = find(number);

	switch (random() % 4) {
	case 0:
		source = add(number);
		model_add(one, stamp);
		source->rate_ns = one->mark = stamp;
		break;
	case 1:
		if (source && (one->active || model_count(true) < MODEL_PLACES - 1)) {
			source_take(source);
			one->active++;
			one->place = source_place(source);
		}
		break;
	default:
		if (one->active == 0)
			break;
		source_give(source);
		one->active--;
		one->stamp = stamp;
	}
}

static void compare_model(void)
{
	for (uint32_t i = 0; i < MODEL_KEYS; i++) {
		const struct source *source = find(i);

		ck_assert_int_eq(source != NULL, model[i].is_here);
		if (source == NULL)
			continue;
		ck_assert_uint_eq(source->active, model[i].active);
		ck_assert_int_eq(source->rate_ns, model[i].mark);
		if (model[i].active)
			ck_assert_uint_eq(source_place(source), model[i].place);
	}
}

START_TEST(does_as_a_list_that_is_searched_would)
{
	srandom(4711);
	init(MODEL_PLACES, -1);
	for (int64_t stamp = 1; stamp < 5000; stamp++) {
		do_one((uint32_t)(random() % MODEL_KEYS), stamp);
		compare_model();
		if (stamp % 16 == 0)
			check_table();
	}
}
END_TEST

/* -- under attack -- */

static blkcnt_t count_blocks(void)
{
	struct stat info;

	ck_assert_int_eq(fstat(sources_fd(), &info), 0);
	return info.st_blocks;
}

static long resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*d %ld", &pages), 1);
	ck_assert_int_eq(fclose(file), 0);
	return pages;
}

START_TEST(a_network_full_of_sources_grows_nothing)
{
	struct source *busy;
	blkcnt_t blocks;
	long pages;

	init(4096, -1);
	ck_assert_int_lt(count_blocks(), 64); /* nothing is paid for before it is used */
	busy = add(0);
	source_take(busy);
	for (uint32_t i = 1; i < 10000; i++)
		add(i);
	blocks = count_blocks();
	pages = resident();
	for (uint32_t i = 0; i < 100000; i++)
		add(i * 32749);
	ck_assert_int_eq(count_blocks(), blocks);
	ck_assert_int_le(resident(), pages + 256); /* of 1,700 that they would need */
	ck_assert_ptr_eq(find(0), busy);
	check_table();
}
END_TEST

static unsigned longest_chain(void)
{
	size_t count;
	const struct source *sources = sources_map(sources_fd(), &count, &(size_t){ 0 });
	unsigned longest = 0;

	ck_assert_ptr_nonnull(sources);
	for (size_t i = 0; i < count; i++) {
		unsigned length = 1;

		for (uint32_t link = sources[i].chain; link; link = sources[link - 1].chain)
			length++;
		longest = length > longest ? length : longest;
	}
	unmap(sources);
	return longest;
}

/* Of 65,536 that fall anywhere some chain has eight or nine, and one of 16 comes up once in a
 * hundred million tables. */
START_TEST(chains_stay_short_whatever_addresses_are_chosen)
{
	static const uint32_t steps[] = { 1, 2, 256, 65536, 65537, 0x01000193 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		init(65536, -1);
		for (uint32_t number = 0; number < 65536; number++)
			add(number * steps[i]);
		ck_assert_uint_le(longest_chain(), 16);
		close(sources_fd());
	}
}
END_TEST

/* SipHash-1-3, as others have it: of the bytes 0 to 31 with the secret 0 to 15. */
START_TEST(the_hash_is_the_one_that_it_says)
{
	unsigned char bytes[sizeof(struct source_key)];
	struct source_key key;
	uint64_t secret[2];

	if (htonl(1) == 1)
		return; /* the numbers are those of little-endian machines */
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	memcpy(&key, bytes, sizeof(key));
	memcpy(secret, bytes, sizeof(secret));
	ck_assert_uint_eq(source_key_hash(&key, secret), 0x81157b6c16a7b60d);
}
END_TEST

/* What one master's chains give away is worth nothing at the next. */
START_TEST(each_table_has_a_secret_of_its_own)
{
	uint64_t secrets[2];
	size_t count;

	for (int i = 0; i < 2; i++) {
		init(16, -1);
		secrets[i] =
			header_of(sources_map(sources_fd(), &count, &(size_t){ 0 }))->secret[0];
	}
	ck_assert_uint_ne(secrets[0], secrets[1]);
}
END_TEST

/* A child that writes would otherwise hold up or damage the master's table. */
START_TEST(children_do_not_have_the_table)
{
	const struct source *source;
	unsigned char there;
	int status;
	pid_t pid;

	init(16, -1);
	source = add(1);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		const uintptr_t page = (uintptr_t)source & ~(uintptr_t)(getpagesize() - 1);

		_exit(mincore((void *)page, 1, &there) < 0 && errno == ENOMEM ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Else any holder of the descriptor could kill the master by SIGBUS. */
START_TEST(nobody_can_cut_the_table_short)
{
	init(16, -1);
	ck_assert_int_lt(ftruncate(sources_fd(), 0), 0);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_lt(ftruncate(sources_fd(), 1 << 24), 0);
	ck_assert(fcntl(sources_fd(), F_GETFD) & FD_CLOEXEC);
}
END_TEST

/* -- the next master -- */

/* From the oldest on 1 to 8: 3 has two workers and 5 has one; 8 is banned.  Services: 2 has the
 * third, which is gone afterwards, and 5 too. */
static int make_old(void)
{
	struct source_key key;

	init(9, -1);
	for (uint32_t i = 1; i <= 8; i++) {
		key = key_of_number(i);
		key.service = i == 2 || i == 5 ? 3 : 1;
		source_add(&key)->rate_ns = i;
		if (i == 3 || i == 5)
			source_take(source_find(&key));
	}
	source_take(find(3));
	find(8)->banned_until_ns = NOW_NS + 1;
	find(8)->refused_ns = NOW_NS - 1;
	return sources_fd();
}

static struct source *find_gone(uint32_t number)
{
	struct source_key key = key_of_number(number);

	key.service = 3;
	return source_find(&key);
}

static void check_adopted(void)
{
	for (uint32_t place = 0; place < 100; place++) {
		struct source *source = source_adopt(place);

		ck_assert_int_eq(source != NULL, place == 2 || place == 4);
		if (source == NULL)
			continue;
		ck_assert_uint_eq(source->active, 0);
		ck_assert_int_eq(source->rate_ns, place + 1);
	}
	ck_assert_ptr_null(source_adopt(UINT32_MAX)); /* STATE_NO_SOURCE */
	source_take(source_adopt(2));
	source_take(source_adopt(2));
	source_take(source_adopt(4));
	sources_adopted();
	ck_assert_ptr_null(source_adopt(2));
	ck_assert_uint_eq(find(3)->active, 2);
	ck_assert_uint_eq(find_gone(5)->active, 1);
	ck_assert_ptr_null(find_gone(2));
	ck_assert_int_eq(find(8)->banned_until_ns, NOW_NS + 1);
	ck_assert_int_eq(find(8)->refused_ns, NOW_NS - 1);
	check_table();
}

START_TEST(a_larger_table_takes_all_over)
{
	init(100, make_old());
	check_adopted();
	for (uint32_t i = 1; i <= 8; i++)
		ck_assert_int_eq(find(i) != NULL, i != 2 && i != 5);
}
END_TEST

START_TEST(what_was_oldest_is_oldest_again)
{
	init(9, make_old());
	check_adopted();
	add(101);
	add(102);
	ck_assert_ptr_nonnull(find(1)); /* two places were free */
	add(103);
	ck_assert_ptr_null(find(1));
	ck_assert_ptr_nonnull(find(4));
	add(104);
	ck_assert_ptr_null(find(4));
	ck_assert_ptr_nonnull(find(6));
}
END_TEST

START_TEST(a_smaller_table_takes_the_newest_over)
{
	init(4, make_old());
	check_adopted();
	ck_assert_ptr_null(find(1));
	ck_assert_ptr_null(find(4));
	ck_assert_ptr_null(find(6));
	ck_assert_ptr_nonnull(find(7));
	ck_assert_ptr_nonnull(find(8));
}
END_TEST

/* Its worker has ended while nobody was there to see it. */
START_TEST(one_whose_workers_do_not_come_is_idle)
{
	init(9, make_old());
	sources_adopted();
	check_table();
	for (uint32_t i = 101; i <= 109; i++)
		add(i);
	ck_assert_ptr_null(find(3));
	check_table();
}
END_TEST

START_TEST(survives_a_hundred_masters)
{
	int fd;

	init(64, -1);
	for (uint32_t i = 0; i < 64; i++)
		add(i)->rate_ns = i;
	for (int i = 0; i < 100; i++) {
		fd = sources_fd();
		init(64, fd);
		sources_adopted();
		close(fd);
	}
	for (uint32_t i = 0; i < 64; i++)
		ck_assert_int_eq(find(i)->rate_ns, i);
	add(64);
	ck_assert_ptr_null(find(0));
	ck_assert_ptr_nonnull(find(1));
	check_table();
}
END_TEST

/* -- and what it may find -- */

static char messages[4096];

/* The log goes to a file from now on; what it has said so far is in messages. */
static void listen_to_log(void)
{
	static int fd = -1;
	ssize_t length;

	if (fd < 0)
		fd = memfd_create("log", MFD_CLOEXEC);
	length = pread(fd, messages, sizeof(messages) - 1, 0);
	ck_assert_int_ge(length, 0);
	messages[length] = '\0';
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
}

static void check_one_warning(const char *text)
{
	listen_to_log();
	ck_assert_msg(strstr(messages, text) != NULL, "%s", messages);
	ck_assert_ptr_eq(strchr(messages, '\n') + 1, strchr(messages, '\0'));
}

static int memory_of(const void *bytes, size_t size, int seals)
{
	int fd = memfd_open("test");

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static size_t read_old(unsigned char *bytes, size_t size)
{
	const int fd = make_old();
	const ssize_t length = pread(fd, bytes, size, 0);

	ck_assert_int_gt(length, 0);
	ck_assert_int_lt(length, (ssize_t)size);
	close(fd);
	return (size_t)length;
}

static void use(void)
{
	for (uint32_t place = 0; place < 12; place++) {
		struct source *source = source_adopt(place);

		if (source)
			source_take(source);
	}
	sources_adopted();
	check_table();
	for (uint32_t i = 0; i < 20; i++)
		add(i);
	check_table();
}

static void take_damaged(const unsigned char *bytes, size_t size, size_t capacity)
{
	const int fd = memory_of(bytes, size, F_SEAL_SHRINK);

	init(capacity, fd);
	use();
	close(fd);
	close(sources_fd());
}

START_TEST(any_byte_may_be_wrong)
{
	static const unsigned char flips[] = { 0x01, 0x80, 0xff };
	unsigned char bytes[4096];
	const size_t size = read_old(bytes, sizeof(bytes));

	for (size_t at = 0; at < size; at++)
		for (size_t i = 0; i < sizeof(flips); i++) {
			listen_to_log();
			bytes[at] ^= flips[i];
			take_damaged(bytes, size, at % 2 ? 3 : 9);
			bytes[at] ^= flips[i];
		}
}
END_TEST

START_TEST(all_bytes_may_be_wrong)
{
	unsigned char bytes[4096], junk[4096];
	const size_t size = read_old(bytes, sizeof(bytes));

	srandom(4711);
	for (int i = 0; i < 2000; i++) {
		listen_to_log();
		memcpy(junk, bytes, size);
		for (size_t at = sizeof(struct source_header) - 24; at < size; at++)
			if (random() % 64 == 0)
				junk[at] = (unsigned char)(random() % 12);
		take_damaged(junk, size, 9);
	}
}
END_TEST

START_TEST(a_damaged_table_is_dropped_whole_with_one_warning)
{
	unsigned char bytes[4096];
	const size_t size = read_old(bytes, sizeof(bytes));
	struct source *sources = (struct source *)(bytes + sizeof(struct source_header));

	listen_to_log();
	sources[7].newer = 1; /* a circle */
	take_damaged(bytes, size, 9);
	check_one_warning("it is damaged");
	sources[7].newer = 0;
	sources[5].newer = 0; /* the rest is lost */
	init(9, memory_of(bytes, size, F_SEAL_SHRINK));
	check_one_warning("it is damaged");
	ck_assert_ptr_null(find(1));
	ck_assert_ptr_null(source_adopt(2));
}
END_TEST

START_TEST(another_layout_is_dropped_with_one_warning)
{
	unsigned char bytes[4096];
	const size_t size = read_old(bytes, sizeof(bytes));
	struct source_header *header = (struct source_header *)bytes;

	header->layout++;
	listen_to_log();
	take_damaged(bytes, size, 9);
	check_one_warning("another version");
}
END_TEST

/* Its header speaks of more than there is. */
START_TEST(a_short_table_is_dropped)
{
	unsigned char bytes[4096] = { 0 };
	struct source_header *header = (struct source_header *)bytes;

	ck_assert_uint_gt(read_old(bytes, sizeof(bytes)), 0);
	listen_to_log();
	header->used = 1000000;
	take_damaged(bytes, sizeof(bytes), 9);
	check_one_warning("it is damaged");
	header->capacity = header->oldest = header->used;
	take_damaged(bytes, sizeof(bytes), 9);
	check_one_warning("it is damaged");
}
END_TEST

static void check_dropped(int fd)
{
	listen_to_log();
	init(9, fd);
	check_one_warning("it is damaged");
	use();
	close(fd);
	close(sources_fd());
}

START_TEST(what_is_no_table_is_dropped)
{
	unsigned char bytes[4096];
	const size_t size = read_old(bytes, sizeof(bytes));

	check_dropped(memory_of(bytes, size, F_SEAL_GROW)); /* its writer could cut it short */
	check_dropped(memory_of(bytes, 0, F_SEAL_SHRINK));
	check_dropped(memory_of(bytes, 8, F_SEAL_SHRINK));
	check_dropped(memory_of(bytes, sizeof(struct source_header), F_SEAL_SHRINK));
	check_dropped(memory_of("no table", 9, F_SEAL_SHRINK));
	check_dropped(open("/dev/null", O_RDONLY | O_CLOEXEC));
	check_dropped(9999);
}
END_TEST

START_TEST(is_mapped_by_others_as_it_is)
{
	const struct source *sources;
	size_t count;

	init(16, -1);
	source_take(add(4));
	add(5)->banned_until_ns = 4711;
	sources = sources_map(sources_fd(), &count, &(size_t){ 0 });
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(sources[0].active, 1);
	ck_assert_int_eq(sources[1].banned_until_ns, 4711);
	ck_assert_ptr_null(sources_map(9999, &count, &(size_t){ 0 }));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

/* -- a listener's own table -- */

static int make_empty(void)
{
	int fd = memfd_open("test");

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int make_prepared(size_t capacity)
{
	int fd = make_empty();

	ck_assert_msg(sources_prepare(fd, capacity) == 0, "%s", strerror(errno));
	return fd;
}

static void attach(int fd)
{
	ck_assert_msg(sources_attach(fd) == 0, "%s", strerror(errno));
	ck_assert_int_eq(sources_fd(), fd);
}

static struct source_header read_header(int fd)
{
	struct source_header header;

	ck_assert_int_eq(pread(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	return header;
}

START_TEST(a_prepared_table_is_a_table)
{
	for (uint32_t capacity = 1; capacity < 300; capacity++) {
		attach(make_prepared(capacity));
		ck_assert_uint_eq(read_header(sources_fd()).capacity, capacity);
		check_table();
		for (uint32_t i = 0; i < 4 * capacity; i++)
			add(i);
		for (uint32_t i = 0; i < 4 * capacity; i++)
			ck_assert_int_eq(find(i) != NULL, i >= 3 * capacity);
		check_table();
		close(sources_fd());
	}
}
END_TEST

START_TEST(a_prepared_table_cannot_be_cut_short)
{
	int fd = make_prepared(16);

	ck_assert_int_lt(ftruncate(fd, 0), 0);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

/* Each of them is somebody else's, and worth nothing at another one. */
START_TEST(a_prepared_table_has_a_secret_of_its_own)
{
	ck_assert_uint_ne(read_header(make_prepared(16)).secret[0],
			  read_header(make_prepared(16)).secret[0]);
}
END_TEST

START_TEST(no_place_is_no_prepared_table)
{
	struct stat info;
	int fd = make_empty();

	ck_assert_int_eq(sources_prepare(fd, 0), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(sources_prepare(fd, SIZE_MAX), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(fstat(fd, &info), 0);
	ck_assert_int_eq(info.st_size, 0); /* and can still become one */
	ck_assert_int_eq(sources_prepare(9999, 16), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(sources_prepare(fd, 16), 0);
}
END_TEST

/* A worker that ends because nobody has come forgives nothing to those who have. */
START_TEST(a_clean_table_is_kept)
{
	int fd = make_prepared(16);

	attach(fd);
	sources_begin();
	add(1)->rate_ns = 4711;
	add(2)->banned_until_ns = NOW_NS;
	sources_end();
	init(16, -1);
	ck_assert_ptr_null(find(1));
	ck_assert_int_eq(sources_prepare(fd, 32), 0);
	attach(fd);
	ck_assert_int_eq(find(1)->rate_ns, 4711);
	ck_assert_int_eq(find(2)->banned_until_ns, NOW_NS);
	ck_assert_uint_eq(read_header(fd).capacity, 16);
	check_table();
}
END_TEST

static void die_at_work(int fd)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (sources_attach(fd) < 0)
			_exit(1);
		sources_begin();
		add(3);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* Its links may lead anywhere. */
START_TEST(a_busy_table_is_emptied)
{
	int fd = make_prepared(1000);
	struct source_header before;
	blkcnt_t blocks;

	attach(fd);
	for (uint32_t i = 0; i < 1000; i++)
		add(i);
	before = read_header(fd);
	blocks = count_blocks();
	die_at_work(fd);
	ck_assert_uint_ne(read_header(fd).busy, 0);
	attach(fd);
	ck_assert_uint_eq(read_header(fd).busy, 0);
	ck_assert_uint_eq(read_header(fd).used, 0);
	ck_assert_uint_eq(read_header(fd).capacity, 1000);
	ck_assert_uint_ne(read_header(fd).secret[0], before.secret[0]);
	ck_assert_int_lt(count_blocks(), blocks);
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_ptr_null(find(i));
	check_table();
	for (uint32_t i = 0; i < 2000; i++)
		add(i);
	check_table();
}
END_TEST

static void refuse_header(int error, const struct source_header *header)
{
	int fd = make_prepared(16);

	ck_assert_int_eq(pwrite(fd, header, sizeof(*header), 0), (ssize_t)sizeof(*header));
	errno = 0;
	ck_assert_int_eq(sources_attach(fd), -1);
	ck_assert_int_eq(errno, error);
	ck_assert_int_eq(sources_prepare(fd, 16), 0); /* P5: the next worker has one again */
	ck_assert_int_eq(sources_attach(fd), 0);
	close(fd);
}

/* What a worker that somebody has broken into leaves behind: the next one would read, and write,
 * where it says. */
START_TEST(a_header_that_is_not_its_own_is_refused)
{
	const struct source_header good = read_header(make_prepared(16));
	struct source_header bad = good;

	bad.capacity = 17;
	refuse_header(EINVAL, &bad);
	bad.capacity = UINT32_MAX;
	refuse_header(EINVAL, &bad);
	bad.capacity = 0;
	refuse_header(EINVAL, &bad);
	bad = good;
	bad.used = 17;
	refuse_header(EINVAL, &bad);
	bad = good;
	bad.magic[0] = 'S';
	refuse_header(EINVAL, &bad);
	bad = good;
	bad.layout++;
	refuse_header(ESTALE, &bad);
	bad = good;
	bad.each++;
	refuse_header(ESTALE, &bad);
}
END_TEST

START_TEST(what_is_no_table_is_not_attached)
{
	ck_assert_int_eq(sources_attach(make_empty()), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(sources_attach(open("/dev/null", O_RDWR | O_CLOEXEC)), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(sources_attach(9999), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

/* -- keys -- */

static void check_same(const struct plan_admission *of, const char *one, const char *other,
		       bool expected)
{
	const struct source_key a = key_of(1, of, one), b = key_of(1, of, other);

	ck_assert_msg((memcmp(&a, &b, sizeof(a)) == 0) == expected, "%s and %s", one, other);
}

START_TEST(a_source_is_a_prefix)
{
	static const struct plan_admission odd = { .prefix4 = 13, .prefix6 = 61 },
					   one = { .prefix4 = 1, .prefix6 = 128 };

	check_same(&rules, "192.0.2.1", "192.0.2.1", true);
	check_same(&rules, "192.0.2.1", "192.0.2.2", false);
	check_same(&rules, "2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true);
	check_same(&rules, "2001:db8:0:1::1", "2001:db8:0:2::1", false);
	check_same(&odd, "10.8.0.0", "10.15.255.255", true);
	check_same(&odd, "10.8.0.0", "10.16.0.0", false);
	check_same(&odd, "2001:db8:0:8::", "2001:db8:0:f::1", true);
	check_same(&odd, "2001:db8:0:8::", "2001:db8:0:10::", false);
	check_same(&one, "128.0.0.0", "255.1.2.3", true);
	check_same(&one, "127.0.0.0", "128.0.0.0", false);
	check_same(&one, "2001:db8::1", "2001:db8::2", false);
	check_same(&rules, "0.0.0.0", "::", false);
}
END_TEST

START_TEST(the_same_source_at_two_services_is_two)
{
	const struct source_key one = key_of(1, &rules, "192.0.2.1"),
				two = key_of(2, &rules, "192.0.2.1");

	init(4, -1);
	ck_assert_ptr_ne(source_add(&one), source_add(&two));
}
END_TEST

START_TEST(a_unix_peer_is_its_user)
{
	const struct source_key root = key_of_user(0), again = key_of_user(0),
				nobody = key_of_user(65534), unknown = key_of_user((uid_t)-1);

	init(4, -1);
	ck_assert_ptr_eq(source_add(&root), source_add(&again));
	ck_assert_ptr_ne(source_add(&root), source_add(&nobody));
	ck_assert_ptr_ne(source_add(&nobody), source_add(&unknown));
}
END_TEST

static void check_format(const struct source_key *key, const char *expected)
{
	char text[SOURCE_TEXT];

	source_format(key, text, sizeof(text));
	ck_assert_str_eq(text, expected);
}

START_TEST(reads_as_people_write_it)
{
	static const struct plan_admission wide = { .prefix4 = 24, .prefix6 = 128 };
	struct source_key key = key_of(1, &rules, "192.0.2.7");

	check_format(&key, "192.0.2.7");
	key = key_of(1, &wide, "192.0.2.7");
	check_format(&key, "192.0.2.0/24");
	key = key_of(1, &rules, "2001:db8::1");
	check_format(&key, "2001:db8::/64");
	key = key_of(1, &wide, "1111:2222:3333:4444:5555:6666:7777:8888");
	check_format(&key, "1111:2222:3333:4444:5555:6666:7777:8888");
	key = key_of_user(1000);
	check_format(&key, "uid=1000");
	key = key_of_user((uid_t)-1);
	check_format(&key, "uid=unknown");
	memset(&key, 0xff, sizeof(key)); /* in a snapshot that is torn */
	check_format(&key, "/4294967295");
}
END_TEST

/* -- bans -- */

static size_t unban(const char *prefix, uint32_t length, uint64_t service)
{
	const struct plan_admission of = { .prefix4 = length, .prefix6 = length };
	const struct source_key within = key_of(0, &of, prefix);
	const struct source_unban asked = { &within, service, NOW_NS };

	return sources_unban(&asked);
}

static void ban(const struct source_key *key)
{
	struct source *source = source_add(key);

	source->banned_until_ns = NOW_NS + 1;
	source->refused_ns = NOW_NS + 1;
}

static void ban_some(void)
{
	struct source_key key = key_of(1, &rules, "2001:db8::1");

	ban(&key);
	key = key_of(2, &rules, "2001:db8::1");
	ban(&key);
	key = key_of(1, &rules, "192.0.2.7");
	ban(&key);
	key = key_of_user(1000);
	ban(&key);
	key = key_of(1, &rules, "2001:db8:0:1::1");
	source_add(&key)->banned_until_ns = NOW_NS; /* is over */
}

START_TEST(a_ban_is_lifted_by_its_prefix_a_wider_and_a_narrower_one)
{
	static const struct {
		const char *prefix;
		uint32_t length;
		uint64_t service;
		size_t expected;
	} cases[] = {
		{ "2001:db8::", 64, 0, 2 },
		{ "2001:db8::", 64, 2, 1 },
		{ "2001:db8::", 64, 3, 0 },
		{ "2001:db8::", 32, 0, 2 },
		{ "2001:db8::", 63, 0, 2 },
		{ "2001:db8::1", 128, 0, 2 },
		{ "2001:db8::9:9", 128, 1, 1 },
		{ "2001:db8:0:1::", 64, 0, 0 },
		{ "2001:db8:0:1::1", 128, 0, 0 },
		{ "2001:db9::", 32, 0, 0 },
		{ "::", 0, 0, 2 },
		{ "192.0.2.7", 32, 0, 1 },
		{ "192.0.2.6", 32, 0, 0 },
		{ "192.0.2.0", 24, 0, 1 },
		{ "192.0.2.0", 29, 0, 1 },
		{ "192.0.2.0", 30, 0, 0 },
		{ "0.0.0.0", 0, 0, 1 },
	};

	init(16, -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ban_some();
		ck_assert_msg(unban(cases[i].prefix, cases[i].length, cases[i].service) ==
				      cases[i].expected,
			      "%s/%u", cases[i].prefix, cases[i].length);
	}
}
END_TEST

START_TEST(who_is_not_banned_any_more_begins_anew)
{
	const struct source_key key = key_of(1, &rules, "192.0.2.7");

	init(16, -1);
	ban_some();
	unban("192.0.2.7", 32, 1);
	ck_assert_int_eq(source_find(&key)->banned_until_ns, 0);
	ck_assert_int_eq(source_find(&key)->refused_ns, 0);
	ck_assert_uint_eq(unban("192.0.2.7", 32, 1), 0);
}
END_TEST

START_TEST(a_user_is_let_in_again)
{
	const struct source_key user = key_of_user(1000), other = key_of_user(1001);
	const struct source_unban ask_other = { &other, 0, NOW_NS },
				  ask_user = { &user, 0, NOW_NS };

	init(16, -1);
	ban_some();
	ck_assert_uint_eq(sources_unban(&ask_other), 0);
	ck_assert_uint_eq(sources_unban(&ask_user), 1);
}
END_TEST

static size_t unban_in(int fd, const char *prefix, uint32_t length, uint64_t service)
{
	const struct plan_admission of = { .prefix4 = length, .prefix6 = length };
	const struct source_key within = key_of(0, &of, prefix);
	const struct source_unban asked = { &within, service, NOW_NS };

	return sources_unban_in(fd, &asked);
}

/* The master asks for it, beside its own. */
START_TEST(bans_are_lifted_in_the_table_of_a_listener)
{
	const struct source_key key = key_of(1, &rules, "192.0.2.7");
	int fd = make_prepared(16);

	attach(fd);
	ban_some();
	init(16, -1);
	ban_some();
	ck_assert_uint_eq(unban_in(fd, "192.0.2.0", 24, 2), 0);
	ck_assert_uint_eq(unban_in(fd, "192.0.2.0", 24, 1), 1);
	ck_assert_uint_eq(unban_in(fd, "192.0.2.0", 24, 1), 0);
	ck_assert_uint_eq(unban_in(fd, "::", 0, 0), 2);
	ck_assert_int_eq(source_find(&key)->banned_until_ns, NOW_NS + 1); /* here nobody is */
	ck_assert_uint_eq(unban("192.0.2.7", 32, 1), 1);
	attach(fd);
	ck_assert_int_eq(source_find(&key)->banned_until_ns, 0);
	ck_assert_int_eq(source_find(&key)->refused_ns, 0);
	check_table();
}
END_TEST

/* The master must not go by anything that it finds there. */
START_TEST(a_spoilt_table_has_no_bans_to_lift)
{
	int fd = make_prepared(16);
	const struct source_key key = key_of(1, &rules, "2001:db8::1");
	struct source_header header;
	struct source *source;

	ck_assert_uint_eq(unban_in(9999, "::", 0, 0), 0);
	ck_assert_uint_eq(unban_in(make_empty(), "::", 0, 0), 0);
	ck_assert_uint_eq(unban_in(fd, "::", 0, 0), 0);
	attach(fd);
	ban_some();
	source = source_add(&key);
	source->key.length = UINT32_MAX; /* so many bits might be compared */
	ck_assert_uint_eq(unban_in(fd, "2001:db8::", 64, 1), 0);
	source->key.length = 64;
	source->key.family = 4711;
	ck_assert_uint_eq(unban_in(fd, "2001:db8::1", 128, 1), 0);
	source->key.family = AF_INET6;
	header = read_header(fd);
	header.used = UINT32_MAX;
	ck_assert_int_eq(pwrite(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	ck_assert_uint_eq(unban_in(fd, "2001:db8::1", 128, 1), 0);
	header.used = 5;
	ck_assert_int_eq(pwrite(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	ck_assert_uint_eq(unban_in(fd, "2001:db8::1", 128, 1), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		finds_what_was_added,
		the_one_that_was_idle_for_longest_goes,
		one_with_workers_never_goes,
		more_workers_than_places_share_the_spare_one,
		no_place_is_no_table,
		any_capacity_will_do,
		does_as_a_list_that_is_searched_would,
		a_network_full_of_sources_grows_nothing,
		chains_stay_short_whatever_addresses_are_chosen,
		the_hash_is_the_one_that_it_says,
		each_table_has_a_secret_of_its_own,
		children_do_not_have_the_table,
		nobody_can_cut_the_table_short,
		a_larger_table_takes_all_over,
		what_was_oldest_is_oldest_again,
		a_smaller_table_takes_the_newest_over,
		one_whose_workers_do_not_come_is_idle,
		survives_a_hundred_masters,
		any_byte_may_be_wrong,
		all_bytes_may_be_wrong,
		a_damaged_table_is_dropped_whole_with_one_warning,
		another_layout_is_dropped_with_one_warning,
		a_short_table_is_dropped,
		what_is_no_table_is_dropped,
		is_mapped_by_others_as_it_is,
		a_prepared_table_is_a_table,
		a_prepared_table_cannot_be_cut_short,
		a_prepared_table_has_a_secret_of_its_own,
		no_place_is_no_prepared_table,
		a_clean_table_is_kept,
		a_busy_table_is_emptied,
		a_header_that_is_not_its_own_is_refused,
		what_is_no_table_is_not_attached,
		a_source_is_a_prefix,
		the_same_source_at_two_services_is_two,
		a_unix_peer_is_its_user,
		reads_as_people_write_it,
		a_ban_is_lifted_by_its_prefix_a_wider_and_a_narrower_one,
		who_is_not_banned_any_more_begins_anew,
		a_user_is_let_in_again,
		bans_are_lifted_in_the_table_of_a_listener,
		a_spoilt_table_has_no_bans_to_lift,
	};
	TCase *all = tcase_create("all");

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(all, tests[i]);
	tcase_set_timeout(all, 60); /* on a busy machine */
	return suite_finish("source", all);
}
