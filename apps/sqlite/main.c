/* SPDX-License-Identifier: ISC */
/*
 * A small SQL shell: sqlite DATABASE [SQL...], or SQL from standard input. Rows are printed as
 * sqlite3 does in its list mode: columns apart by "|". Each statement from standard input is run as
 * soon as it is complete.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: sqlite [--help] DATABASE [SQL...]\n"
    "Runs SQL, from standard input if none is given, up to the first error, and prints the rows.\n"
    "DATABASE is a file, or :memory: for none.\n";

static int complain(sqlite3 *database)
{
    fflush(stdout);
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(database));
    return 1;
}

static void print_row(sqlite3_stmt *statement)
{
    int columns = sqlite3_column_count(statement);

    for (int i = 0; i < columns; i++) {
        const unsigned char *value = sqlite3_column_text(statement, i);

        printf("%s%s", i ? "|" : "", value ? (const char *)value : "");
    }
    putchar('\n');
}

/* Run the statements of SQL one after the other, up to the first that fails. */
static int execute(sqlite3 *database, const char *sql)
{
    while (*sql) {
        sqlite3_stmt *statement = NULL;
        int result = sqlite3_prepare_v2(database, sql, -1, &statement, &sql);

        while (result == SQLITE_OK && statement &&
               (result = sqlite3_step(statement)) == SQLITE_ROW) {
            print_row(statement);
            result = SQLITE_OK;
        }
        sqlite3_finalize(statement);
        if (result != SQLITE_OK && result != SQLITE_DONE)
            return complain(database);
    }
    fflush(stdout);
    return 0;
}

static int execute_input(sqlite3 *database)
{
    char *sql = NULL, *line = NULL;
    size_t size = 0, room = 0;
    ssize_t length;
    int status = 0;

    while (status == 0 && (length = getline(&line, &room, stdin)) >= 0) {
        char *grown = realloc(sql, size + (size_t)length + 1);

        if (!grown) {
            fputs("sqlite: out of memory\n", stderr);
            status = 1;
            break;
        }
        sql = grown;
        memcpy(sql + size, line, (size_t)length + 1);
        size += (size_t)length;
        if (sqlite3_complete(sql)) {
            status = execute(database, sql);
            size = 0;
        }
    }
    if (status == 0 && size > 0)
        status = execute(database, sql);
    free(sql);
    free(line);
    return status;
}

int main(int argc, char **argv)
{
    sqlite3 *database = NULL;
    int status = 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
    if (argc < 2 || argv[1][0] == '-') {
        fputs(usage, stderr);
        return 2;
    }
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    if (sqlite3_open(argv[1], &database) != SQLITE_OK) {
        status = complain(database);
        sqlite3_close(database);
        return status;
    }
    for (int i = 2; i < argc && status == 0; i++)
        status = execute(database, argv[i]);
    if (argc == 2)
        status = execute_input(database);
    sqlite3_close(database);
    return status;
}
