/* SPDX-License-Identifier: ISC
 *
 * SQLite, an unmodified static program, on a writable mount: what it stores in a VM is sound to the
 * same program outside, also when husk is killed in the middle of a transaction.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define CHECKSUM "SELECT count(*), sum(id), sum(length(name)), sum(id % 97 * value) FROM rows"

static const char *const modes[] = {"delete", "wal"};

static const struct result *sqlite_natively(const char *directory, const char *sql)
{
    const struct result *result = RUN(built("apps/sqlite"), text("%s/test.db", directory), sql);

    assert_status(result, 0);
    assert_is_quiet(result);
    return result;
}

/* ROWS rows, a hundred in a transaction, an index, then changes all over the file. */
static char *make_script(const char *mode, int rows)
{
    char *script;
    size_t size;
    FILE *file = open_memstream(&script, &size);

    assert_non_null(file);
    fprintf(file, "PRAGMA journal_mode=%s;\n", mode);
    fprintf(file, "CREATE TABLE rows(id INTEGER PRIMARY KEY, name TEXT, value INTEGER);\n");
    fprintf(file, "CREATE INDEX names ON rows(name);\n");
    for (int first = 1; first <= rows; first += rows / 20)
        fprintf(file,
                "INSERT INTO rows WITH RECURSIVE n(i) AS (VALUES(%d) UNION ALL SELECT i + 1 FROM n "
                "WHERE i < %d) SELECT i, printf('name %%d of row %%d', i * 7919 %% 10007, i), "
                "i * 31 %% 1009 FROM n;\n",
                first, first + rows / 20 - 1);
    fprintf(file, "UPDATE rows SET value = value + 1 WHERE id %% 7 = 0;\n");
    fprintf(file, "DELETE FROM rows WHERE id %% 11 = 0;\n");
    fprintf(file, "BEGIN; DELETE FROM rows; ROLLBACK;\n");
    fprintf(file, "PRAGMA integrity_check;\n%s;\n", CHECKSUM);
    fclose(file);
    return script;
}

static void test_database_filled_in_a_vm_is_sound_outside(void **state)
{
    const char *mode = *state, *directory = directory_make(), *other = directory_make();
    char *script = make_script(mode, is_slow_machine() ? 2000 : 100000);
    const struct result *native, *guest;
    const char *checksum;

    need_kvm();
    guest = run(&(struct command){.argv = LIST(husk(), "run", "-v", text("%s:/data:rw", directory),
                                               built("apps/sqlite"), "/data/test.db"),
                                  .input = script,
                                  .input_size = strlen(script)});
    native = run(&(struct command){.argv = LIST(built("apps/sqlite"), text("%s/test.db", other)),
                                   .input = script,
                                   .input_size = strlen(script)});
    assert_same_results(native, guest);
    assert_shows(guest, "\nok\n");
    checksum = strstr(guest->out.data, "ok\n") + 3;
    assert_prints(sqlite_natively(directory, "PRAGMA integrity_check"), "ok\n");
    assert_prints(sqlite_natively(directory, CHECKSUM), checksum);
    free(script);
    directory_remove(directory);
    directory_remove(other);
}

/* Transactions without end, each of 20 rows; the number of each is printed after its commit. */
static char *make_endless_script(const char *mode, int from)
{
    char *script;
    size_t size;
    FILE *file = open_memstream(&script, &size);

    assert_non_null(file);
    fprintf(file, "PRAGMA journal_mode=%s;\n", mode);
    fprintf(file, "CREATE TABLE IF NOT EXISTS rows(batch INTEGER, data TEXT);\n");
    for (int batch = from; batch < from + 20000; batch++)
        fprintf(file,
                "BEGIN; INSERT INTO rows WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 "
                "FROM n WHERE i < 20) SELECT %d, hex(randomblob(200)) FROM n; COMMIT; SELECT %d;\n",
                batch, batch);
    fclose(file);
    return script;
}

/* The last whole line of what it printed, a number; or NONE. */
static int last_number(const struct result *result, int none)
{
    const char *end = strrchr(result->out.data, '\n'), *start = end;

    while (start && start > result->out.data && start[-1] != '\n')
        start--;
    return start && *start >= '0' && *start <= '9' ? atoi(start) : none;
}

/* Returns the number of the last transaction that is in the database. */
static int kill_in_transaction(const char *mode, const char *directory, int from, unsigned try)
{
    const struct timespec moment = {0, (long)(try * 7919 % 5000) * 1000};
    char *script = make_endless_script(mode, from);
    struct process *process = process_start(
        &(struct command){.argv = LIST(husk(), "run", "-v", text("%s:/data:rw", directory),
                                       built("apps/sqlite"), "/data/test.db"),
                          .input = script,
                          .input_size = strlen(script)});
    const struct result *ended, *found;
    int committed, kept, batches, rows;

    process_await(process, text("\n%d\n", from + (int)(try % 4)));
    nanosleep(&moment, NULL);
    process_signal(process, SIGKILL);
    ended = process_end(process);
    assert_status(ended, 128 + SIGKILL);
    committed = last_number(ended, from - 1);
    free(script);

    assert_prints(sqlite_natively(directory, "PRAGMA integrity_check"), "ok\n");
    found =
        sqlite_natively(directory, "SELECT max(batch), count(DISTINCT batch), count(*) FROM rows");
    assert_int_equal(sscanf(found->out.data, "%d|%d|%d", &kept, &batches, &rows), 3);
    if (kept < committed)
        FAIL(found, "transaction %d was committed but is not there", committed);
    assert_int_equal(batches, kept);
    assert_int_equal(rows, 20 * kept);
    return kept;
}

static void test_kill_in_a_transaction_corrupts_nothing(void **state)
{
    const char *mode = *state, *directory = directory_make();
    const unsigned kills = is_slow_machine() ? 2 : 25;
    int kept = 0;

    need_kvm();
    for (unsigned i = 0; i < kills; i++)
        kept = kill_in_transaction(mode, directory, kept + 1, i);
    directory_remove(directory);
}

int main(void)
{
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(modes); i++) {
        test_list_add(&list, text("database filled in a VM is sound outside, journal %s", modes[i]),
                      test_database_filled_in_a_vm_is_sound_outside, modes[i]);
        test_list_add(&list, text("kill in a transaction corrupts nothing, journal %s", modes[i]),
                      test_kill_in_a_transaction_corrupts_nothing, modes[i]);
    }
    return test_list_run(&list, "sqlite", NULL, NULL);
}
