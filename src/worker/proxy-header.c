/* SPDX-License-Identifier: ISC */
/*
 * The PROXY header.
 *
 * A header decides whom the access list sees, so nothing is guessed and nothing is repaired: what
 * breaks a rule of the specification is bad, and the connection ends.  The two versions can be told
 * apart by any of their first twelve bytes, and the shortest header has fifteen, so twelve can be
 * taken before anything is known.
 *
 * Called by proxy.c, in a worker without privileges, with bytes from the network.  Keeps nothing,
 * allocates nothing.
 */
#include "config.h"

#include "worker/proxy-header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/inet.h"

#define START_SIZE   12 /* bytes that both versions have */

#define LINE_START   "PROXY "
#define LINE_UNKNOWN "PROXY UNKNOWN"
#define LINE_LONGEST 107 /* with its "\r\n" */

static const uint8_t signature[START_SIZE] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
					       0x0a, 'Q',  'U',	 'I',  'T',  0x0a };

#define HEAD_SIZE     16
#define COMMAND_LOCAL 0x20 /* with the version */
#define COMMAND_PROXY 0x21
#define FAMILY_NONE   0x00
#define FAMILY_INET   0x11 /* with the protocol, TCP */
#define FAMILY_INET6  0x21
#define FAMILY_UNIX   0x31
#define TLV_HEAD_SIZE 3
#define TLV_CRC32C    0x03

static bool begins_like(const uint8_t *bytes, size_t length, const void *start, size_t size)
{
	return memcmp(bytes, start, length < size ? length : size) == 0;
}

static bool is_line(const uint8_t *bytes, size_t length)
{
	return begins_like(bytes, length, LINE_START, strlen(LINE_START));
}

static bool is_block(const uint8_t *bytes, size_t length)
{
	return begins_like(bytes, length, signature, sizeof(signature));
}

/* -- addresses -- */

/* Where the address belongs, and in network byte order as the port is. */
static void *init_address(struct sockaddr_storage *address, int family, in_port_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

	*address = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	if (family == AF_INET) {
		in->sin_port = port;
		return &in->sin_addr;
	}
	in6->sin6_port = port;
	return &in6->sin6_addr;
}

/* Ports of 0 are allowed: a proxy may not know them. */
static enum introduction_kind finish(struct proxy_header *header)
{
	inet_unmap(&header->client);
	inet_unmap(&header->destination);
	return INTRODUCTION_CLIENT;
}

/* -- version 1: a line -- */

/* Decimal, without sign or leading zeros; false: it is none. */
static bool parse_port(const char *text, in_port_t *port)
{
	unsigned value = 0;

	if (text[0] == '\0' || strlen(text) > 5 || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
	}
	*port = htons((uint16_t)value);
	return value <= UINT16_MAX;
}

static bool parse_address(int family, const char *host, const char *port,
			  struct sockaddr_storage *address)
{
	in_port_t number;

	return parse_port(port, &number) &&
	       inet_pton(family, host, init_address(address, family, number)) == 1;
}

/* The end of the line included, because there may be no other field behind the last one. */
enum { FIELD_PROTOCOL, FIELD_CLIENT, FIELD_DESTINATION, FIELD_CLIENT_PORT, FIELD_PORT, FIELDS };

/* Between single spaces: where there are two a field is empty, which no value may be. */
static bool split(char *text, const char *fields[static FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&text, " ");
		if (fields[i] == NULL)
			return false;
	}
	return text == NULL;
}

static enum introduction_kind parse_fields(char *text, struct proxy_header *header)
{
	const char *fields[FIELDS];
	int family;

	if (!split(text, fields))
		return INTRODUCTION_BAD;
	if (strcmp(fields[FIELD_PROTOCOL], "TCP4") == 0)
		family = AF_INET;
	else if (strcmp(fields[FIELD_PROTOCOL], "TCP6") == 0)
		family = AF_INET6;
	else
		return INTRODUCTION_BAD;
	if (!parse_address(family, fields[FIELD_CLIENT], fields[FIELD_CLIENT_PORT],
			   &header->client) ||
	    !parse_address(family, fields[FIELD_DESTINATION], fields[FIELD_PORT],
			   &header->destination))
		return INTRODUCTION_BAD;
	return finish(header);
}

/* What follows the word is passed over, whatever it is. */
static bool is_unknown(const uint8_t *bytes, size_t length)
{
	const size_t word = strlen(LINE_UNKNOWN);

	return length >= word && memcmp(bytes, LINE_UNKNOWN, word) == 0 &&
	       (length == word || bytes[word] == ' ');
}

static enum introduction_kind parse_line(const uint8_t *bytes, size_t length,
					 struct proxy_header *header)
{
	const size_t end = length - strlen("\r\n");
	char line[LINE_LONGEST];

	if (length > LINE_LONGEST || memchr(bytes, '\n', length) != bytes + length - 1 ||
	    bytes[end] != '\r')
		return INTRODUCTION_BAD;
	if (is_unknown(bytes, end))
		return INTRODUCTION_UNKNOWN;
	if (memchr(bytes, '\0', end) != NULL) /* what is behind it would not be seen */
		return INTRODUCTION_BAD;
	memcpy(line, bytes, end);
	line[end] = '\0';
	return parse_fields(line + strlen(LINE_START), header);
}

static struct proxy_need need_of_line(const uint8_t *bytes, size_t length)
{
	if (length >= LINE_LONGEST || memchr(bytes, '\n', length) != NULL)
		return (struct proxy_need){ 0 };
	if (length < START_SIZE)
		return (struct proxy_need){ .count = START_SIZE - length };
	return (struct proxy_need){ .count = LINE_LONGEST - length, .to_newline = true };
}

/* -- version 2: a block -- */

static uint16_t read16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t read32(const uint8_t *bytes)
{
	return (uint32_t)read16(bytes) << 16 | read16(bytes + 2);
}

static size_t size_of_block(const uint8_t *head)
{
	return HEAD_SIZE + (size_t)read16(head + 14);
}

/* Of the addresses; -1: we do not know this family, or it is no TCP. */
static int size_of_addresses(uint8_t family)
{
	switch (family) {
	case FAMILY_NONE:
		return 0;
	case FAMILY_INET:
		return 2 * 4 + 2 * 2;
	case FAMILY_INET6:
		return 2 * 16 + 2 * 2;
	case FAMILY_UNIX:
		return 2 * 108;
	default:
		return -1;
	}
}

/* With LOCAL the family means nothing. */
static bool is_sound_head(const uint8_t *head)
{
	const int size = size_of_addresses(head[13]);

	if (head[12] == COMMAND_LOCAL)
		return true;
	return head[12] == COMMAND_PROXY && size >= 0 &&
	       size_of_block(head) >= HEAD_SIZE + (size_t)size;
}

static struct proxy_need need_of_block(const uint8_t *bytes, size_t length)
{
	if (length < START_SIZE)
		return (struct proxy_need){ .count = START_SIZE - length };
	if (length < HEAD_SIZE)
		return (struct proxy_need){ .count = HEAD_SIZE - length };
	if (!is_sound_head(bytes) || length >= size_of_block(bytes))
		return (struct proxy_need){ 0 };
	return (struct proxy_need){ .count = size_of_block(bytes) - length };
}

/* CRC-32C (Castagnoli) as in RFC 4960, appendix B: half a byte at a time, for the sake of a small
 * table. */
static uint32_t add_crc(uint32_t crc, const uint8_t *bytes, size_t length)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (; length > 0; bytes++, length--) {
		crc ^= *bytes;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

/* Over the whole header, in which the sum itself counts as zeros. */
static bool has_sum(const uint8_t *bytes, size_t length, const uint8_t *sum)
{
	static const uint8_t zeros[4];
	const uint8_t *rest = sum + sizeof(zeros);
	uint32_t crc = 0xffffffff;

	crc = add_crc(crc, bytes, (size_t)(sum - bytes));
	crc = add_crc(crc, zeros, sizeof(zeros));
	crc = add_crc(crc, rest, (size_t)(bytes + length - rest));
	return ~crc == read32(sum);
}

/* The fields behind the addresses: type, length, value.  At most one is a sum: two cannot both be
 * right, or not be told from such as are. */
static bool has_good_fields(const uint8_t *bytes, size_t length, size_t at)
{
	const uint8_t *sum = NULL;
	size_t size;

	for (; at < length; at += TLV_HEAD_SIZE + size) {
		if (length - at < TLV_HEAD_SIZE)
			return false;
		size = read16(bytes + at + 1);
		if (length - at - TLV_HEAD_SIZE < size)
			return false;
		if (bytes[at] != TLV_CRC32C)
			continue;
		if (sum != NULL || size != sizeof(uint32_t))
			return false;
		sum = bytes + at + TLV_HEAD_SIZE;
	}
	return sum == NULL || has_sum(bytes, length, sum);
}

/* The client, the destination, and both ports. */
static void read_addresses(const uint8_t *block, int family, size_t size,
			   struct proxy_header *header)
{
	in_port_t ports[2];

	memcpy(ports, block + 2 * size, sizeof(ports));
	memcpy(init_address(&header->client, family, ports[0]), block, size);
	memcpy(init_address(&header->destination, family, ports[1]), block + size, size);
}

/* With LOCAL, and where the proxy knows no addresses, all that follows is to be ignored: there is
 * no saying where fields would begin. */
static enum introduction_kind parse_block(const uint8_t *bytes, size_t length,
					  struct proxy_header *header)
{
	const uint8_t *block = bytes + HEAD_SIZE;

	if (length < HEAD_SIZE || !is_sound_head(bytes) || length != size_of_block(bytes))
		return INTRODUCTION_BAD;
	if (bytes[12] == COMMAND_LOCAL)
		return INTRODUCTION_LOCAL;
	if (bytes[13] == FAMILY_NONE)
		return INTRODUCTION_UNKNOWN;
	if (!has_good_fields(bytes, length, HEAD_SIZE + (size_t)size_of_addresses(bytes[13])))
		return INTRODUCTION_BAD;
	if (bytes[13] == FAMILY_UNIX)
		return INTRODUCTION_UNKNOWN;
	if (bytes[13] == FAMILY_INET)
		read_addresses(block, AF_INET, 4, header);
	else
		read_addresses(block, AF_INET6, 16, header);
	return finish(header);
}

/* -- either -- */

struct proxy_need proxy_header_need(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return (struct proxy_need){ .count = START_SIZE };
	if (is_line(bytes, length))
		return need_of_line(bytes, length);
	if (is_block(bytes, length))
		return need_of_block(bytes, length);
	return (struct proxy_need){ 0 };
}

enum introduction_kind proxy_header_parse(const uint8_t *bytes, size_t length,
					  struct proxy_header *header)
{
	if (length < START_SIZE)
		return INTRODUCTION_BAD;
	if (is_line(bytes, length))
		return parse_line(bytes, length, header);
	if (is_block(bytes, length))
		return parse_block(bytes, length, header);
	return INTRODUCTION_BAD;
}
