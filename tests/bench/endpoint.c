/* An endpoint of exact pace that shares no code with the engine: it streams OpenAI-format
 * chat completions from one loop over epoll and a timerfd, and keeps its own truth.
 *
 *   endpoint --first-ms 100 --gap-ms 10 --tokens 1 --finish-ms 0 --capacity 0 --reasoning 0
 *
 * prints "endpoint on http://127.0.0.1:PORT". A request's tag is the first run of 16
 * hexadecimal digits in its body, its length max_tokens. Service begins when the kernel had the
 * request's last byte (SO_TIMESTAMPNS), or when a place of --capacity is free. Each event's time
 * is taken right before the call that sends it. GET /truth gives the streams that ended since
 * it was last asked, one JSON line each, times in nanoseconds of CLOCK_MONOTONIC, then
 * forgets them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MOST_FDS 65536
#define BODY (1 << 20)
#define SPIN_NS 40000
#define MOST_TOKENS 8192
#define TAG 16

typedef long long ns_t;

struct client {
    int fd, tokens, events, position, serving, queued;
    char *in;
    size_t have, room;
    char tag[TAG + 1];
    ns_t received, noticed, start, due, late, finished;
    ns_t *sends;
    struct client *next;
};

static ns_t first_ns = 100000000, gap_ns = 10000000, finish_ns;
static int per_event = 1, capacity, reasoning, active;
static struct client *clients[MOST_FDS];
static struct client **heap;
static int heap_size;
static struct client *waiting_first, *waiting_last;
static FILE *truth;
static char *truth_text;
static size_t truth_size;
static int poll_fd;

static ns_t now_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* CLOCK_MONOTONIC minus CLOCK_REALTIME, from the tightest of five readings. */
static ns_t clock_offset(void) {
    ns_t best = 0, offset = 0;
    for (int i = 0; i < 5; i++) {
        ns_t a = now_of(CLOCK_MONOTONIC), wall = now_of(CLOCK_REALTIME);
        ns_t b = now_of(CLOCK_MONOTONIC);
        if (i == 0 || b - a < best) {
            best = b - a;
            offset = (a + b) / 2 - wall;
        }
    }
    return offset;
}

static void sift_up(int i) {
    while (i > 0 && heap[(i - 1) / 2]->due > heap[i]->due) {
        struct client *c = heap[i];
        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = c;
        i = (i - 1) / 2;
    }
}

static void sift_down(int i) {
    for (;;) {
        int least = i, left = 2 * i + 1, right = left + 1;
        if (left < heap_size && heap[left]->due < heap[least]->due) least = left;
        if (right < heap_size && heap[right]->due < heap[least]->due) least = right;
        if (least == i) return;
        struct client *c = heap[i];
        heap[i] = heap[least];
        heap[least] = c;
        i = least;
    }
}

static void plan(struct client *c, ns_t due) {
    c->due = due;
    heap[heap_size] = c;
    sift_up(heap_size++);
}

static void unplan(struct client *c) {
    for (int i = 0; i < heap_size; i++)
        if (heap[i] == c) {
            heap[i] = heap[--heap_size];
            if (i < heap_size) {
                sift_up(i);
                sift_down(i);
            }
            return;
        }
}

static void begin(struct client *c, ns_t start) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    static const char role[] =
        "data: {\"id\":\"cmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":"
        "\"exact\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
        "\"finish_reason\":null}]}\n\n";
    char out[1024];
    int size = sprintf(out, "%s%zx\r\n%s\r\n", head, sizeof role - 1, role);
    active++;
    c->serving = 1;
    c->start = start;
    c->position = 0;
    c->late = 0;
    c->events = (c->tokens + per_event - 1) / per_event;
    c->sends = malloc(sizeof(ns_t) * (c->events + 1));
    if (send(c->fd, out, size, MSG_NOSIGNAL) < 0) perror("send");
    plan(c, start + first_ns);
}

static void start_waiting(ns_t now) {
    while (waiting_first && (!capacity || active < capacity)) {
        struct client *c = waiting_first;
        waiting_first = c->next;
        if (!waiting_first) waiting_last = NULL;
        c->queued = 0;
        begin(c, now);
    }
}

static void request(struct client *c, ns_t received, ns_t noticed) {
    char *limit = strstr(c->in, "\"max_tokens\"");
    int run = 0;
    c->received = received;
    c->noticed = noticed;
    c->tokens = limit ? atoi(strchr(limit, ':') + 1) : 200;
    if (c->tokens < 1 || c->tokens > MOST_TOKENS) c->tokens = 200;
    c->tag[0] = 0;
    for (char *p = strstr(c->in, "\r\n\r\n"); *p; p++) {
        run = strchr("0123456789abcdef", *p) ? run + 1 : 0;
        if (run == TAG) {
            memcpy(c->tag, p - TAG + 1, TAG);
            c->tag[TAG] = 0;
            break;
        }
    }
    if (!capacity || active < capacity) {
        begin(c, received);
        return;
    }
    c->next = NULL;
    c->queued = 1;
    if (waiting_last) waiting_last->next = c;
    else waiting_first = c;
    waiting_last = c;
}

static void record(struct client *c) {
    fprintf(truth,
            "{\"id\":\"%s\",\"received_ns\":%lld,\"noticed_ns\":%lld,\"start_ns\":%lld,"
            "\"end_ns\":%lld,\"late_ns\":%lld,\"output\":%d,\"sends\":[",
            c->tag, c->received, c->noticed, c->start, c->finished, c->late, c->tokens);
    for (int i = 0; i < c->events; i++) fprintf(truth, i ? ",%lld" : "%lld", c->sends[i]);
    fprintf(truth, "]}\n");
}

static void send_event(struct client *c) {
    char event[8192], out[8448];
    const char *key = c->position < reasoning ? "reasoning_content" : "content";
    int last = c->position == c->events, n;
    if (last) {
        n = sprintf(event,
                    "data: {\"id\":\"cmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":7,"
                    "\"model\":\"exact\",\"choices\":[{\"index\":0,\"delta\":{},"
                    "\"finish_reason\":\"stop\"}]}\n\n"
                    "data: {\"id\":\"cmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":7,"
                    "\"model\":\"exact\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
                    "\"completion_tokens\":%d,\"total_tokens\":%d}}\n\ndata: [DONE]\n\n",
                    c->tokens, c->tokens + 9);
    } else {
        n = sprintf(event,
                    "data: {\"id\":\"cmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":7,"
                    "\"model\":\"exact\",\"choices\":[{\"index\":0,\"delta\":{\"%s\":\"", key);
        for (int i = c->position * per_event; i < (c->position + 1) * per_event && i < c->tokens; i++)
            n += sprintf(event + n, " w%d", i);
        n += sprintf(event + n, "\"},\"finish_reason\":null}]}\n\n");
    }
    int size = sprintf(out, "%x\r\n%s\r\n%s", n, event, last ? "0\r\n\r\n" : "");
    ns_t now = now_of(CLOCK_MONOTONIC);
    if (send(c->fd, out, size, MSG_NOSIGNAL) != size) c->late = 1LL << 60;
    if (now - c->due > c->late) c->late = now - c->due;
    if (!last) {
        c->sends[c->position++] = now;
        plan(c, c->due + (c->position == c->events ? finish_ns : gap_ns));
        return;
    }
    c->finished = now;
    record(c);
    free(c->sends);
    c->serving = 0;
    active--;
    start_waiting(now);
}

static void drop(struct client *c) {
    if (c->queued) {
        struct client **p = &waiting_first, *before = NULL;
        while (*p != c) before = *p, p = &(*p)->next;
        *p = c->next;
        if (waiting_last == c) waiting_last = before;
    }
    if (c->serving) {
        unplan(c);
        free(c->sends);
        active--;
        start_waiting(now_of(CLOCK_MONOTONIC));
    }
    clients[c->fd] = NULL;
    close(c->fd);
    free(c->in);
    free(c);
}

static void answer_whole(struct client *c, const char *body, size_t size) {
    char head[128];
    int n = sprintf(head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                          "Content-Length: %zu\r\n\r\n", size);
    struct timeval wait = {30, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (send(c->fd, head, n, MSG_NOSIGNAL) != n) return;
    for (size_t sent = 0; sent < size;) {
        ssize_t one = send(c->fd, body + sent, size - sent, MSG_NOSIGNAL);
        if (one <= 0) return;
        sent += one;
    }
}

static void readable(struct client *c) {
    char control[64];
    if (c->room - c->have < 65536) c->in = realloc(c->in, c->room += 65536);
    struct iovec part = {c->in + c->have, c->room - c->have - 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(c->fd, &message, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0 || c->have + got > BODY) {
        drop(c);
        return;
    }
    ns_t noticed = now_of(CLOCK_MONOTONIC), received = noticed;
    struct cmsghdr *note = CMSG_FIRSTHDR(&message);
    if (note && note->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec t;
        memcpy(&t, CMSG_DATA(note), sizeof t);
        received = t.tv_sec * 1000000000LL + t.tv_nsec + clock_offset();
    }
    c->have += got;
    c->in[c->have] = 0;
    char *body = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "content-length:");
    if (!body) return;
    if (c->in + c->have - body - 4 < (length && length < body ? atol(length + 15) : 0)) return;
    c->have = 0;
    if (!strncmp(c->in, "GET /truth", 10)) {
        fflush(truth);
        answer_whole(c, truth_text, truth_size);
        rewind(truth);
    } else if (!strncmp(c->in, "GET", 3)) {
        answer_whole(c, "{\"object\":\"list\",\"data\":[]}", 27);
    } else {
        request(c, received, noticed);
    }
}

static void accept_all(int listener) {
    int fd, on = 1;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        if (fd >= MOST_FDS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        struct client *c = clients[fd] = calloc(1, sizeof *c);
        c->fd = fd;
        c->in = malloc(c->room = 131072);
        struct epoll_event event = {EPOLLIN, {.fd = fd}};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096)) exit(1);
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("endpoint on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void options(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        double value = atof(argv[i + 1]);
        if (!strcmp(argv[i], "--first-ms")) first_ns = value * 1e6;
        else if (!strcmp(argv[i], "--gap-ms")) gap_ns = value * 1e6;
        else if (!strcmp(argv[i], "--finish-ms")) finish_ns = value * 1e6;
        else if (!strcmp(argv[i], "--per-event")) per_event = value;
        else if (!strcmp(argv[i], "--capacity")) capacity = value;
        else if (!strcmp(argv[i], "--reasoning")) reasoning = value;
        else exit(2);
    }
}

int main(int argc, char **argv) {
    struct rlimit files;
    struct epoll_event ready[256];
    options(argc, argv);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_TIMERSLACK, 1L);
    prctl(PR_SET_PDEATHSIG, 15L);
    heap = calloc(MOST_FDS, sizeof *heap);
    truth = open_memstream(&truth_text, &truth_size);
    poll_fd = epoll_create1(0);
    int listener = listen_somewhere(), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int watched[] = {listener, timer};
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {EPOLLIN, {.fd = watched[i]}};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, watched[i], &event);
    }
    for (;;) {
        ns_t ahead = heap_size ? heap[0]->due - now_of(CLOCK_MONOTONIC) : 1;
        if (heap_size && ahead > SPIN_NS) {
            ns_t at = heap[0]->due - SPIN_NS / 2;
            struct itimerspec when = {{0, 0}, {at / 1000000000, at % 1000000000}};
            timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
        }
        int count = epoll_wait(poll_fd, ready, 256, heap_size && ahead <= SPIN_NS ? 0 : -1);
        for (int i = 0; i < count; i++) {
            unsigned long long ticks;
            if (ready[i].data.fd == listener) accept_all(listener);
            else if (ready[i].data.fd != timer) readable(clients[ready[i].data.fd]);
            else if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) exit(1);
        }
        while (heap_size && heap[0]->due <= now_of(CLOCK_MONOTONIC)) {
            struct client *c = heap[0];
            heap[0] = heap[--heap_size];
            sift_down(0);
            send_event(c);
        }
    }
}
