/* SPDX-License-Identifier: ISC */
/*
 * Runs a Lua 5.4 script: lua SCRIPT [ARGUMENT...], or lua - for one from standard input. The script
 * finds its arguments in the table "arg" and in "...", as with Lua's own interpreter.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: lua [--help] SCRIPT [ARGUMENT...]\n"
    "Runs a Lua script, from standard input if SCRIPT is -. Its arguments are in the table arg.\n";

/* What an error that nobody catches is told with: the message and where it came from. */
static int add_traceback(lua_State *lua)
{
    const char *message = lua_tostring(lua, 1);

    if (!message)
        message = lua_pushfstring(lua, "(error object is a %s value)", luaL_typename(lua, 1));
    luaL_traceback(lua, lua, message, 1);
    return 1;
}

static void set_arguments(lua_State *lua, int argc, char **argv)
{
    lua_createtable(lua, argc, 0);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(lua, argv[i]);
        lua_rawseti(lua, -2, i - 1);
    }
    lua_setglobal(lua, "arg");
}

static int complain(lua_State *lua)
{
    const char *message = lua_tostring(lua, -1);

    fflush(stdout);
    fprintf(stderr, "lua: %s\n", message ? message : "an error without a message");
    lua_close(lua);
    return 1;
}

int main(int argc, char **argv)
{
    lua_State *lua;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc < 2) {
        fputs(usage, stderr);
        return 2;
    }
    lua = luaL_newstate();
    if (!lua) {
        fputs("lua: not enough memory\n", stderr);
        return 1;
    }
    luaL_openlibs(lua);
    set_arguments(lua, argc, argv);
    lua_pushcfunction(lua, add_traceback);
    if (luaL_loadfile(lua, strcmp(argv[1], "-") == 0 ? NULL : argv[1]) != LUA_OK)
        return complain(lua);
    luaL_checkstack(lua, argc, "too many arguments");
    for (int i = 2; i < argc; i++)
        lua_pushstring(lua, argv[i]);
    if (lua_pcall(lua, argc - 2, 0, 1) != LUA_OK)
        return complain(lua);
    lua_close(lua);
    return 0;
}
