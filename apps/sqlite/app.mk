# SPDX-License-Identifier: ISC
# Debian's libsqlite3.a is made for glibc: this application is an unmodified static program. Of the
# linker only the warning that dlopen needs glibc's libraries at run time is silenced: nothing loads.
APPS_NOT_HUSK += sqlite

$(B)/apps/sqlite: apps/sqlite/main.c
	echo "  app   sqlite"
	mkdir -p $(@D)
	$(CC) $(APP_CFLAGS) -static $< -lsqlite3 -lm -Wl,--no-warnings -o $@
