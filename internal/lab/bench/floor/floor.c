// The least that a sweep can cost: one thread, one socket, sendmmsg and recvmmsg,
// and nobody who looks at what arrives. It is what the bench calls the floor.
//
//	floor FAMILY RAW FRAGMENT FIRST COUNT
//
// FAMILY is 4 or 6, RAW 1 for a raw socket and 0 for a datagram one, FRAGMENT the
// value of IP_MTU_DISCOVER, FIRST an address and COUNT how many from there on are
// sent one echo request of 56 bytes each. It fails if an answer is missing.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, WINDOW = 256, PACKET = 8 + 56, BUFFER = 1 << 20 };

static void fail(const char *what) {
	perror(what);
	exit(1);
}

static void set(int fd, int level, int option, const void *value, socklen_t size) {
	if (setsockopt(fd, level, option, value, size) < 0)
		fail("setsockopt");
}

static void set_int(int fd, int level, int option, int value) { set(fd, level, option, &value, sizeof value); }

// open_socket asks for receive stamps, and for echo replies only.
static int open_socket(int v6, int raw, int fragment) {
	int fd = socket(v6 ? AF_INET6 : AF_INET, raw ? SOCK_RAW : SOCK_DGRAM, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (fd < 0)
		fail("socket");
	int size = BUFFER;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		set_int(fd, SOL_SOCKET, SO_RCVBUF, size);
	set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (v6)
		set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, fragment);
	else
		set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, fragment);
	if (raw && v6) {
		struct icmp6_filter f;
		ICMP6_FILTER_SETBLOCKALL(&f);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &f);
		set(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof f);
	} else if (raw) {
		uint32_t block = ~1u; // all but type 0
		set(fd, SOL_RAW, 1 /* ICMP_FILTER */, &block, sizeof block);
	}
	return fd;
}

// fill makes the request out; the kernel adds the checksum to all but raw IPv4.
static void fill(uint8_t *packet, int v6) {
	memset(packet, 0xa5, PACKET);
	packet[0] = v6 ? 128 : 8;
	packet[1] = packet[2] = packet[3] = 0;
	uint32_t sum = 0;
	for (int i = 0; i < PACKET; i += 2)
		sum += packet[i] << 8 | packet[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	packet[2] = ~sum >> 8;
	packet[3] = ~sum;
}

static struct mmsghdr out[BATCH], in[BATCH];
static struct iovec out_data, in_data[BATCH];
static struct sockaddr_storage to[BATCH], from[BATCH];
static uint8_t packet[PACKET], received_data[BATCH][256], control[BATCH][128];

int main(int argc, char **argv) {
	if (argc != 6) {
		fprintf(stderr, "usage: floor FAMILY RAW FRAGMENT FIRST COUNT\n");
		return 2;
	}
	int v6 = atoi(argv[1]) == 6;
	int fd = open_socket(v6, atoi(argv[2]), atoi(argv[3]));
	long count = atol(argv[5]), sent = 0, received = 0;
	struct in6_addr first;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, argv[4], &first) != 1)
		return 2;
	uint32_t word; // the last of the address, which counts
	memcpy(&word, (uint8_t *)&first + (v6 ? 12 : 0), 4);
	uint32_t number = ntohl(word);
	fill(packet, v6);
	out_data = (struct iovec){packet, PACKET};
	for (int i = 0; i < BATCH; i++) {
		socklen_t size = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
		to[i].ss_family = v6 ? AF_INET6 : AF_INET;
		if (v6)
			((struct sockaddr_in6 *)&to[i])->sin6_addr = first;
		out[i].msg_hdr = (struct msghdr){.msg_name = &to[i], .msg_namelen = size, .msg_iov = &out_data, .msg_iovlen = 1};
		in_data[i] = (struct iovec){received_data[i], sizeof received_data[i]};
	}
	while (received < count) {
		int batch = count - sent < BATCH ? count - sent : BATCH;
		if (batch > WINDOW - (sent - received))
			batch = WINDOW - (sent - received);
		for (int i = 0; i < batch; i++) {
			word = htonl(number + sent + i);
			if (v6)
				memcpy((uint8_t *)&((struct sockaddr_in6 *)&to[i])->sin6_addr + 12, &word, 4);
			else
				((struct sockaddr_in *)&to[i])->sin_addr.s_addr = word;
		}
		int n = batch > 0 ? sendmmsg(fd, out, batch, MSG_DONTWAIT) : 0;
		if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
			fail("sendmmsg");
		if (n > 0)
			sent += n;
		for (int i = 0; i < BATCH; i++)
			in[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &in_data[i],
				.msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
		int m = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL);
		if (m < 0 && errno != EAGAIN)
			fail("recvmmsg");
		if (m > 0)
			received += m;
		struct pollfd ready = {fd, POLLIN, 0};
		if (m <= 0 && n <= 0 && poll(&ready, 1, 10000) == 0) {
			fprintf(stderr, "%ld of %ld answered\n", received, count);
			return 1;
		}
	}
	return 0;
}
