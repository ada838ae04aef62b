/* SPDX-License-Identifier: ISC */
/*
 * A program built on Debian's libuv, as they are written: timers, work in the thread pool, an async
 * handle that another thread sends through, files, a pipe between two streams, a server and clients
 * on a local socket, a signal. Prints the same natively and in a VM.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

enum { JOBS = 20, SENDS = 50, CLIENTS = 5 };

static uv_loop_t *loop;
static int ticks, jobs_done, sends_seen, files_done, echoes, signals;
static unsigned sums[JOBS];
static uv_async_t async;
static int async_target;

static void on_tick(uv_timer_t *timer)
{
    if (++ticks == 5)
        uv_close((uv_handle_t *)timer, NULL);
}

static void work(uv_work_t *job)
{
    unsigned *sum = job->data;

    for (unsigned i = 0; i < 200000; i++)
        *sum = *sum * 31 + i;
}

static void after_work(uv_work_t *job, int status)
{
    (void)job;
    jobs_done += status == 0;
}

/* Several sends may come as one. */
static void on_async(uv_async_t *handle)
{
    sends_seen = __atomic_load_n(&async_target, __ATOMIC_SEQ_CST);
    if (sends_seen == SENDS)
        uv_close((uv_handle_t *)handle, NULL);
}

static void sender(void *data)
{
    (void)data;
    for (int i = 0; i < SENDS; i++) {
        __atomic_fetch_add(&async_target, 1, __ATOMIC_SEQ_CST);
        uv_async_send(&async);
        if (i % 10 == 0)
            usleep(1000);
    }
}

static uv_fs_t file_request;
static uv_buf_t file_buffer;
static char file_text[] = "written by libuv", file_name[64], read_back[64];
static uv_file file;

static void on_file_read(uv_fs_t *request)
{
    files_done +=
        request->result == (ssize_t)strlen(file_text) && strcmp(read_back, file_text) == 0;
    uv_fs_req_cleanup(request);
    uv_fs_close(loop, request, file, NULL);
    uv_fs_unlink(loop, request, file_name, NULL);
}

static void on_file_written(uv_fs_t *request)
{
    files_done += request->result == (ssize_t)strlen(file_text);
    uv_fs_req_cleanup(request);
    file_buffer = uv_buf_init(read_back, sizeof read_back);
    uv_fs_read(loop, request, file, &file_buffer, 1, 0, on_file_read);
}

static void on_file_opened(uv_fs_t *request)
{
    file = (uv_file)request->result;
    files_done += file >= 0;
    uv_fs_req_cleanup(request);
    file_buffer = uv_buf_init(file_text, (unsigned)strlen(file_text));
    uv_fs_write(loop, request, file, &file_buffer, 1, 0, on_file_written);
}

static void allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    static char room[65536];

    (void)handle, (void)size;
    *buffer = uv_buf_init(room, sizeof room);
}

static void free_request(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
    free(request);
}

static void write_copy(uv_stream_t *stream, const char *data, size_t size)
{
    uv_write_t *request = malloc(sizeof *request);
    uv_buf_t buffer = uv_buf_init(malloc(size), (unsigned)size);

    memcpy(buffer.base, data, size);
    request->data = buffer.base;
    uv_write(request, stream, &buffer, 1, free_request);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static uv_pipe_t server;
static int served;

static void on_request(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    if (size > 0) {
        write_copy(stream, buffer->base, (size_t)size);
        return;
    }
    if (size == 0)
        return;
    uv_close((uv_handle_t *)stream, free_handle);
    if (++served == CLIENTS)
        uv_close((uv_handle_t *)&server, NULL);
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_pipe_t *client = malloc(sizeof *client);

    uv_pipe_init(loop, client, 0);
    if (status == 0 && uv_accept(listener, (uv_stream_t *)client) == 0)
        uv_read_start((uv_stream_t *)client, allocate, on_request);
}

static void on_answer(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    if (size <= 0)
        return;
    echoes += size == 5 && memcmp(buffer->base, "hello", 5) == 0;
    uv_close((uv_handle_t *)stream, free_handle);
}

static void on_connected(uv_connect_t *request, int status)
{
    if (status < 0)
        printf("connect: %s (WRONG)\n", uv_strerror(status));
    write_copy(request->handle, "hello", 5);
    uv_read_start(request->handle, allocate, on_answer);
    free(request);
}

static void on_signal(uv_signal_t *handle, int number)
{
    signals += number == SIGUSR1;
    uv_close((uv_handle_t *)handle, NULL);
}

static long piped;
static uv_pipe_t pipe_reader, pipe_writer;

static void on_piped(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    if (size >= 0)
        piped += size;
    else
        uv_close((uv_handle_t *)stream, NULL);
}

static void on_all_piped(uv_write_t *request, int status)
{
    (void)request;
    if (status < 0)
        printf("write: %s (WRONG)\n", uv_strerror(status));
    uv_close((uv_handle_t *)&pipe_writer, NULL);
}

static void start_local_server(void)
{
    char path[64];

    snprintf(path, sizeof path, "/tmp/libuv-work-%d", (int)getpid());
    unlink(path);
    uv_pipe_init(loop, &server, 0);
    if (uv_pipe_bind(&server, path) < 0 || uv_listen((uv_stream_t *)&server, 8, on_connection) < 0)
        puts("bind (WRONG)");
    for (int i = 0; i < CLIENTS; i++) {
        uv_pipe_t *client = malloc(sizeof *client);

        uv_pipe_init(loop, client, 0);
        uv_pipe_connect(malloc(sizeof(uv_connect_t)), client, path, on_connected);
    }
}

static void start_pipe(void)
{
    static char megabyte[1 << 20];
    static uv_write_t request;
    uv_buf_t buffer = uv_buf_init(megabyte, sizeof megabyte);
    uv_file ends[2];

    if (uv_pipe(ends, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE) < 0)
        puts("uv_pipe (WRONG)");
    uv_pipe_init(loop, &pipe_reader, 0);
    uv_pipe_init(loop, &pipe_writer, 0);
    uv_pipe_open(&pipe_reader, ends[0]);
    uv_pipe_open(&pipe_writer, ends[1]);
    uv_read_start((uv_stream_t *)&pipe_reader, allocate, on_piped);
    uv_write(&request, (uv_stream_t *)&pipe_writer, &buffer, 1, on_all_piped);
}

int main(void)
{
    static uv_work_t jobs[JOBS];
    uv_signal_t signal_handle;
    uv_timer_t timer;
    uv_thread_t thread;
    unsigned all = 0;

    signal(SIGPIPE, SIG_IGN);
    loop = uv_default_loop();
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_tick, 5, 5);
    for (int i = 0; i < JOBS; i++) {
        sums[i] = (unsigned)i;
        jobs[i].data = &sums[i];
        uv_queue_work(loop, &jobs[i], work, after_work);
    }
    uv_async_init(loop, &async, on_async);
    uv_thread_create(&thread, sender, NULL);
    snprintf(file_name, sizeof file_name, "/tmp/libuv-file-%d", (int)getpid());
    uv_fs_open(loop, &file_request, file_name, UV_FS_O_RDWR | UV_FS_O_CREAT, 0600, on_file_opened);
    uv_signal_init(loop, &signal_handle);
    uv_signal_start(&signal_handle, on_signal, SIGUSR1);
    start_local_server();
    start_pipe();
    kill(getpid(), SIGUSR1);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_thread_join(&thread);
    for (int i = 0; i < JOBS; i++)
        all ^= sums[i];
    printf("ticks %d, jobs %d (%08x), sends %d, files %d, echoes %d, signals %d, piped %ld\n",
           ticks, jobs_done, all, sends_seen, files_done, echoes, signals, piped);
    return uv_loop_close(loop) == 0 ? 0 : 1;
}
