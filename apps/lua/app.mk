# SPDX-License-Identifier: ISC
# Debian's liblua5.4.a is made for glibc: this application is an unmodified static program. Of the
# linker only the warning that dlopen needs glibc's libraries at run time is silenced: nothing loads.
APPS_NOT_HUSK += lua

$(B)/apps/lua: apps/lua/main.c
	echo "  app   lua"
	mkdir -p $(@D)
	$(CC) $(APP_CFLAGS) -I/usr/include/lua5.4 -static $< -llua5.4 -lm -ldl -Wl,--no-warnings -o $@
