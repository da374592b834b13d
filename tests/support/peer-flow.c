/*
 * One end of a flow with the library of the C prototype, for tests and benches:
 *
 *     peer-flow serve MODE [SECONDS [SIZE]]       takes flows, one after another
 *     peer-flow ask NAME QOS MODE [COUNT [SIZE [SECONDS]]]
 *
 * MODE of both: `sink` reads until the last message, `source` writes COUNT messages, or for SECONDS where COUNT is 0.
 * `allocate`, of a client, allocates and releases COUNT flows, one after another: the line has their number and the ms of all.
 * `echo`, of a server, returns what comes; of a client, writes a message, waits for it, and so on.
 *
 * A message begins with its number and, in the last one only, with the number of all, 32 bits big-endian each; the rest
 * follows from its number. Each flow ends in a line: messages, bytes, wrong ones, ms from the first to the last, and ms
 * that flow_dealloc took. Messages are read without blocking from a flow set: a blocked reader may miss them
 * (end-to-end.md 9.4).
 */
#include <errno.h>
#include <ouroboros/dev.h>
#include <ouroboros/fccntl.h>
#include <ouroboros/fqueue.h>
#include <ouroboros/qos.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <time.h>

#define BYTES_MAX 1500
#define HEAD_BYTES 8
#define SILENCE_S 20

struct end {
        int fd;
        fset_t *set;
        fqueue_t *events;
};

struct tally {
        unsigned long messages;
        unsigned long bytes;
        unsigned long wrong;
        double first;
        double last;
};

static double now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void fill(unsigned char *message, size_t bytes, unsigned long index, unsigned long all)
{
        size_t at;
        uint32_t head[2] = {htonl(index), htonl(all)};

        for (at = HEAD_BYTES; at < bytes; ++at)
                message[at] = (index * 31 + at) & 0xff;
        memcpy(message, head, HEAD_BYTES);
}

/* Whether it is the last one. */
static int check(const unsigned char *message, ssize_t bytes, struct tally *tally)
{
        uint32_t head[2];
        ssize_t at;
        int right;

        if (bytes < HEAD_BYTES) {
                ++tally->wrong;
                return 0;
        }
        memcpy(head, message, HEAD_BYTES);
        right = ntohl(head[0]) == tally->messages;
        for (at = HEAD_BYTES; at < bytes && right; ++at)
                right = message[at] == ((ntohl(head[0]) * 31 + at) & 0xff);
        if (!right)
                ++tally->wrong;
        tally->last = now_ms();
        if (tally->messages++ == 0)
                tally->first = tally->last;
        tally->bytes += bytes;
        return head[1] != 0;
}

static ssize_t read_next(struct end *end, unsigned char *message)
{
        const struct timespec silence = {SILENCE_S, 0};
        ssize_t count;

        for (;;) {
                count = flow_read(end->fd, message, BYTES_MAX);
                if (count != -EAGAIN)
                        return count;
                count = fevent(end->set, end->events, &silence);
                if (count < 0)
                        return count;
                while (fqueue_next(end->events) >= 0)
                        ;
        }
}

static void sink(struct end *end, struct tally *tally)
{
        unsigned char message[BYTES_MAX];
        ssize_t count;

        do {
                count = read_next(end, message);
                if (count < 0) {
                        fprintf(stderr, "flow_read: %zd\n", count);
                        return;
                }
        } while (!check(message, count, tally));
}

static void source(struct end *end, unsigned long count, size_t bytes, double seconds, struct tally *tally)
{
        unsigned char message[BYTES_MAX];
        unsigned long index = 0;
        ssize_t written;
        int last;

        tally->first = now_ms();
        do {
                last = count == 0 ? now_ms() - tally->first > seconds * 1e3 : index + 1 == count;
                fill(message, bytes, index, last ? index + 1 : 0);
                written = flow_write(end->fd, message, bytes);
                if (written < 0) {
                        fprintf(stderr, "flow_write: %zd\n", written);
                        return;
                }
                ++index;
        } while (!last);
        tally->messages = index;
        tally->bytes = index * bytes;
        tally->last = now_ms();
}

static void echo(struct end *end, struct tally *tally)
{
        unsigned char message[BYTES_MAX];
        ssize_t count;

        do {
                count = read_next(end, message);
                if (count < 0 || flow_write(end->fd, message, count) < 0)
                        return;
        } while (!check(message, count, tally));
}

static void ping(struct end *end, unsigned long count, size_t bytes, struct tally *tally)
{
        const struct timespec pause = {0, 50000000};
        unsigned char message[BYTES_MAX];
        unsigned long index;
        ssize_t got;

        for (index = 0; index < count; ++index) {
                /* Faster than this it crashes (end-to-end.md 9.5). */
                nanosleep(&pause, NULL);
                fill(message, bytes, index, index + 1 == count ? count : 0);
                if (flow_write(end->fd, message, bytes) < 0)
                        return;
                got = read_next(end, message);
                if (got < 0) {
                        fprintf(stderr, "flow_read: %zd\n", got);
                        return;
                }
                check(message, got, tally);
        }
}

static void finish(struct end *end, const struct tally *tally)
{
        double before = now_ms();

        fset_del(end->set, end->fd);
        flow_dealloc(end->fd);
        printf("%lu %lu %lu %.3f %.3f\n", tally->messages, tally->bytes, tally->wrong, tally->last - tally->first,
               now_ms() - before);
        fflush(stdout);
}

static int begin(struct end *end, int fd, const char *mode)
{
        if (fd < 0) {
                fprintf(stderr, "no flow: %d\n", fd);
                return -1;
        }
        end->fd = fd;
        fccntl(fd, FLOWSFLAGS, FLOWFRDWR | FLOWFRNOBLOCK | FLOWFRNOPART | FLOWFWNOPART);
        return strcmp(mode, "source") == 0 ? 0 : fset_add(end->set, fd);
}

static int allocate(const char *name, qosspec_t *qos, unsigned long count)
{
        unsigned long done;
        double start = now_ms();

        for (done = 0; done < count; ++done) {
                int fd = flow_alloc(name, qos, NULL);

                if (fd < 0)
                        return 1;
                flow_dealloc(fd);
        }
        printf("%lu 0 0 %.3f 0\n", count, now_ms() - start);
        return 0;
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                const qosspec_t *qos;
        } services[] = {{"raw", &qos_raw},     {"best", &qos_best_effort}, {"video", &qos_video},
                        {"voice", &qos_voice}, {"data", &qos_data}};
        struct end end;
        struct tally tally;
        qosspec_t qos = qos_raw;
        unsigned long count;
        size_t bytes;
        size_t at;
        int fd;

        end.set = fset_create();
        end.events = fqueue_create();
        if (argc >= 3 && strcmp(argv[1], "serve") == 0) {
                for (;;) {
                        fd = flow_accept(NULL, NULL);
                        if (begin(&end, fd, argv[2]) < 0)
                                continue;
                        memset(&tally, 0, sizeof(tally));
                        if (strcmp(argv[2], "sink") == 0)
                                sink(&end, &tally);
                        else if (strcmp(argv[2], "echo") == 0)
                                echo(&end, &tally);
                        else
                                source(&end, 0, argc > 4 ? atoi(argv[4]) : 1000, argc > 3 ? atof(argv[3]) : 1, &tally);
                        finish(&end, &tally);
                }
        }
        if (argc < 5)
                return 2;
        for (at = 0; at < sizeof(services) / sizeof(services[0]); ++at)
                if (strcmp(argv[3], services[at].name) == 0)
                        qos = *services[at].qos;
        count = argc > 5 ? strtoul(argv[5], NULL, 10) : 1;
        bytes = argc > 6 ? strtoul(argv[6], NULL, 10) : 1000;
        if (strcmp(argv[4], "allocate") == 0)
                return allocate(argv[2], &qos, count);
        fd = flow_alloc(argv[2], &qos, NULL);
        if (begin(&end, fd, argv[4]) < 0)
                return 1;
        memset(&tally, 0, sizeof(tally));
        if (strcmp(argv[4], "sink") == 0)
                sink(&end, &tally);
        else if (strcmp(argv[4], "echo") == 0)
                ping(&end, count, bytes, &tally);
        else
                source(&end, count, bytes, argc > 7 ? atof(argv[7]) : 1, &tally);
        finish(&end, &tally);
        return 0;
}
