/* SPDX-License-Identifier: ISC
 *
 * Every host call that the handlers of files make fails once with each error that it may have: the
 * guest gets exactly that error, no descriptor and no memory is lost (the sanitizer counts), and
 * the same operation works afterwards.
 */
#include "fault_operations.h"

static int accept_registration(void *context, uint64_t start, uint64_t end, void *host)
{
    (void)context, (void)start, (void)end, (void)host;
    return 0;
}

static int descriptors_open(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Those that wait for a handle to be closed. */
static int descriptors_kept(void)
{
    int count = 0;

    for (size_t i = 3; i < HANDLES_MAX; i++)
        count += run.handles.table[i].kind != HUSK_KIND_NONE && run.handles.table[i].writer >= 0;
    return count;
}

static void fill_scratch(void)
{
    strcpy(scratch, "/tmp/husk-faults-XXXXXX");
    assert_non_null(mkdtemp(scratch));
    make_dir("data");
    make_dir("data/sub");
    make_dir("data/sub/deep");
    make_dir("data/sub/empty");
    make_file("data/file", "0123456789abcdef");
    make_file("data/mem", "a name like another's");
    make_file("data/sub/deep/file", "deep");
    make_file("single", "single");
    make_link("data/link", "sub/deep");
    make_link("data/sub/to-file", "/data/file");
    assert_return_code(mkfifo(on_host("data/fifo"), 0600), errno);
}

/* All that operations need, fresh. */
static void prepare(void)
{
    fill_scratch();
    memset(&run, 0, sizeof(run));
    run.options = &options;
    run.output_left = UINT64_MAX;
    run.trace_fd = -1;
    run.output_left = UINT64_MAX;
    run.mounts = mounts = mounts_new();
    assert_int_equal(add("data", "/data", MOUNT_WRITABLE | MOUNT_DEVICES), 0);
    assert_int_equal(add("single", "/single", MOUNT_WRITABLE), 0);
    handles_init(&run.handles, (const uint8_t[3]){0});
    assert_int_equal(memory_create(&run.memory, RAM, accept_registration, NULL, &error), 0);
    assert_int_equal(memory_map(&run.memory, DATA, 0x200000, HUSK_PROT_READ | HUSK_PROT_WRITE), 0);
    file = (uint64_t)open_path("/data/file", O_RDWR);
    second = (uint64_t)open_path("/data/file", O_RDWR | O_APPEND);
    directory = (uint64_t)open_path("/data/sub", O_RDONLY | O_DIRECTORY);
    mapped_file = (uint64_t)open_path("/data/file", O_RDWR);
    memory_file = (uint64_t)ring(HUSK_OP_MEMORY, HUSK_MEMORY_NEW, 0x2000, 0, 0, 0, 0);
    run.program.image.file.fd = handles_get(&run.handles, file)->dir.fd;
    assert_int_equal(ring(HUSK_OP_MAPFILE, MAPS + 0x1000, 0x1000, mapped_file, 0,
                          HUSK_PROT_READ | HUSK_PROT_WRITE, 1),
                     0);
}

static void clean_up(void)
{
    for (uint32_t i = 3; i < HANDLES_MAX; i++) {
        const struct handle *handle = &run.handles.table[i];

        if (handle->kind != HUSK_KIND_NONE)
            handles_close(&run.handles, i | (uint64_t)handle->generation << 16);
    }
    memory_files_resize(&run.memory_files, &run.memory, memory_file, 0);
    memory_destroy(&run.memory);
    mounts_free(run.mounts);
    nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int64_t error_of(const char *call, int errno_)
{
    bool allocates = strcmp(call, "strdup") == 0 || strcmp(call, "asprintf") == 0;

    return allocates ? -ENOMEM : -errno_;
}

static bool is_tolerated(const struct operation *operation, const char *call)
{
    char word[32];

    snprintf(word, sizeof(word), " %s ", call);
    return strstr(operation->tolerated, word) != NULL;
}

/* The NTH host call of OPERATION fails. Returns false when it makes fewer. */
static bool fail_nth(const struct operation *operation, unsigned nth, int fault, int64_t good,
                     int descriptors_after)
{
    const char *call;
    int before;
    int64_t result;

    prepare();
    before = descriptors_open();
    faults_arm(nth, fault);
    result = operation->ring();
    faults_disarm();
    if (!faults_happened()) {
        clean_up();
        return false;
    }
    call = faults_name(nth);
    if (result == good && is_tolerated(operation, call)) {
        assert_in_range(descriptors_open(), 0, descriptors_after);
        clean_up();
        return true;
    }
    if (result != error_of(call, fault))
        fail_msg("%s: host call %u, %s, failed with %s; the guest got %lld", operation->name, nth,
                 call, strerror(fault), (long long)result);
    if (strcmp(call, "close") != 0)
        assert_int_equal(descriptors_open(), before + descriptors_kept());
    /* Host memory that cannot be taken back ends the run: nothing more is done. */
    if (!run.memory.broken && strcmp(call, "close") != 0) {
        result = operation->ring();
        if (result != good)
            fail_msg("%s: after a failure of host call %u, %s, it gave %lld", operation->name, nth,
                     call, (long long)result);
    }
    clean_up();
    return true;
}

static void test_failing_host_call_is_the_guests_error(void **state)
{
    static const int faults[] = {EIO, ENOSPC, EMFILE, ENFILE, ENOMEM, EINTR, EDQUOT};
    const struct operation *operation = *state;
    int descriptors;
    int64_t good;

    prepare();
    good = operation->ring();
    descriptors = descriptors_open();
    clean_up();
    if (good < 0)
        fail_msg("%s: %s without a fault", operation->name, strerror((int)-good));
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        unsigned nth = 1;

        while (fail_nth(operation, nth, faults[i], good, descriptors))
            nth++;
        if (nth == 1 && strcmp(operation->name, "read_stream") != 0)
            fail_msg("%s made no host call", operation->name);
    }
}

/* The guest is told how little was moved, and what was moved is right. */
static void test_short_transfers_are_told(void **state)
{
    static int64_t (*const transfers[])(void) = {do_read,   do_write,        do_readv,
                                                 do_writev, do_write_stream, do_append};

    (void)state;
    for (size_t i = 0; i < sizeof(transfers) / sizeof(transfers[0]); i++) {
        prepare();
        faults_shorten(3);
        assert_int_equal(transfers[i](), 3);
        faults_disarm();
        assert_true(transfers[i]() >= 6);
        clean_up();
    }
}

/* Before Linux 6.6: the mode changes, and record locks stay, as no descriptor of the file closes.
 */
static void test_mode_is_changed_without_fchmodat2(void **state)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    struct stat status;
    int other;

    (void)state;
    prepare();
    assert_return_code(fcntl(handles_get(&run.handles, file)->dir.fd, F_SETLK, &lock), errno);
    faults_arm_call("fchmodat2", 1, ENOSYS);
    assert_int_equal(do_chmod(), 0);
    assert_true(faults_happened());
    faults_disarm();
    assert_return_code(stat(on_host("data/file"), &status), errno);
    assert_int_equal(status.st_mode & 07777, 0600);
    other = open(on_host("data/file"), O_RDWR | O_CLOEXEC);
    assert_return_code(fcntl(other, F_OFD_GETLK, &lock), errno);
    assert_int_equal(lock.l_type, F_WRLCK);
    close(other);
    clean_up();
}

int main(void)
{
    enum { COUNT = sizeof(operations) / sizeof(operations[0]) };
    struct CMUnitTest tests[COUNT + 2];

    for (size_t i = 0; i < COUNT; i++)
        tests[i] = (struct CMUnitTest){.name = operations[i].name,
                                       .test_func = test_failing_host_call_is_the_guests_error,
                                       .initial_state = (void *)&operations[i]};
    tests[COUNT] = (struct CMUnitTest)cmocka_unit_test(test_short_transfers_are_told);
    tests[COUNT + 1] = (struct CMUnitTest)cmocka_unit_test(test_mode_is_changed_without_fchmodat2);
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
