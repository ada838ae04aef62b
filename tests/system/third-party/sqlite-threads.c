/* SPDX-License-Identifier: ISC */
/*
 * SQLite from several threads: each with a connection of its own, and all with one. Argument: a
 * database that is not there yet, or :memory: for the second half alone.
 */
#include <pthread.h>
#include <sqlite3.h>

#include "vectors.h"

enum { THREADS = 4, TRANSACTIONS = 15, ROWS = 20 };

static const char *path;
static sqlite3 *shared;
static int errors;

static void execute(sqlite3 *database, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(database, sql, NULL, NULL, &message) == SQLITE_OK)
        return;
    printf("%s: %s\n", sql, message);
    __atomic_add_fetch(&errors, 1, __ATOMIC_SEQ_CST);
    sqlite3_free(message);
}

static sqlite3 *open_database(void)
{
    sqlite3 *database;

    if (sqlite3_open(path, &database) != SQLITE_OK) {
        printf("open: %s\n", sqlite3_errmsg(database));
        exit(2);
    }
    sqlite3_busy_timeout(database, 60000);
    return database;
}

static void *use_own_connection(void *argument)
{
    sqlite3 *database = open_database();
    char sql[200];

    for (int i = 0; i < TRANSACTIONS; i++) {
        execute(database, "BEGIN IMMEDIATE");
        for (int row = 0; row < ROWS; row++) {
            snprintf(sql, sizeof(sql), "INSERT INTO own VALUES(%d, %d, hex(zeroblob(%d)))",
                     (int)(intptr_t)argument, i * ROWS + row, row * 7);
            execute(database, sql);
        }
        execute(database, i % 5 == 4 ? "ROLLBACK" : "COMMIT");
    }
    sqlite3_close(database);
    return NULL;
}

static void *use_shared_connection(void *argument)
{
    char sql[200];

    for (int i = 0; i < 200; i++) {
        snprintf(sql, sizeof(sql), "INSERT INTO shared VALUES(%d, %d)", (int)(intptr_t)argument, i);
        execute(shared, sql);
        if (i % 20 == 0)
            execute(shared, "SELECT count(*), sum(value) FROM shared");
    }
    return NULL;
}

static void run_threads(void *(*function)(void *))
{
    pthread_t threads[THREADS];

    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, function, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static int show_row(void *unused, int columns, char **values, char **names)
{
    (void)unused;
    (void)names;
    for (int i = 0; i < columns; i++)
        printf("%s%c", values[i] ? values[i] : "NULL", i + 1 < columns ? '|' : '\n');
    return 0;
}

static void query(sqlite3 *database, const char *sql)
{
    if (sqlite3_exec(database, sql, show_row, NULL, NULL) != SQLITE_OK)
        printf("%s: %s\n", sql, sqlite3_errmsg(database));
}

int main(int argc, char **argv)
{
    path = argc == 2 ? argv[1] : ":memory:";
    printf("threadsafe: %d\n", sqlite3_threadsafe());
    shared = open_database();
    execute(shared, "CREATE TABLE own(thread, value, filler)");
    execute(shared, "CREATE TABLE shared(thread, value)");
    if (strcmp(path, ":memory:") != 0)
        run_threads(use_own_connection);
    query(shared, "SELECT thread, count(*), sum(value), sum(length(filler)) FROM own GROUP BY 1");
    run_threads(use_shared_connection);
    query(shared, "SELECT thread, count(*), sum(value) FROM shared GROUP BY thread");
    query(shared, "PRAGMA integrity_check");
    sqlite3_close(shared);
    return errors != 0;
}
