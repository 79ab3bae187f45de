/* The yardstick of fan-out: one frame to every connection, by nothing but send().
 *
 * send_loop COUNT SIZE: listens on a free port of this machine and says which; takes COUNT connections, says "ready";
 * then, for each line that comes in, sends each of them a frame of SIZE bytes and says how many ns the loop took and
 * how many sends were not taken whole. The sockets are as the server has them: TCP_NODELAY, not blocking, SO_SNDBUF.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static const int send_buffer_bytes = 64 * 1024;
static const char head[] = "{\"type\":\"patch\"";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long long now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int listening(struct sockaddr_in *at, int backlog) {
    socklen_t size = sizeof *at;
    int door = socket(AF_INET, SOCK_STREAM, 0);
    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (door < 0 || bind(door, (struct sockaddr *)at, size) || listen(door, backlog)) fail("listen");
    if (getsockname(door, (struct sockaddr *)at, &size)) fail("getsockname");
    return door;
}

static int admitted(int door) {
    int on = 1, guest = accept(door, NULL, NULL);
    if (guest < 0) fail("accept");
    if (setsockopt(guest, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
        setsockopt(guest, SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes) ||
        fcntl(guest, F_SETFL, fcntl(guest, F_GETFL) | O_NONBLOCK))
        fail("socket options");
    return guest;
}

int main(int count_of_words, char **words) {
    if (count_of_words != 3) return 2;
    int count = atoi(words[1]), size = atoi(words[2]);
    if (count < 1 || size < (int)sizeof head) return 2;

    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    struct sockaddr_in at;
    int door = listening(&at, 1024);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);

    int *guests = calloc(count, sizeof *guests);
    char *frame = malloc(size);
    if (!guests || !frame) return 1;
    for (int k = 0; k < count; k++) guests[k] = admitted(door);
    memset(frame, ' ', size);
    memcpy(frame, head, sizeof head - 1);
    printf("ready\n");
    fflush(stdout);

    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        int left_over = 0;
        long long began = now_ns();
        for (int k = 0; k < count; k++)
            if (send(guests[k], frame, size, MSG_NOSIGNAL) != size) left_over++;
        printf("%lld %d\n", now_ns() - began, left_over);
        fflush(stdout);
    }
    return 0;
}
