# SPDX-License-Identifier: ISC
# Part of the Makefile: how the tests are built and run.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_CFLAGS := $(WARN) -O1 -g $(SANITIZE) $(INCLUDE) -D_GNU_SOURCE -DHUSK_VERSION='"$(VERSION)"'
UNIT_OBJ := $(patsubst monitor/%.c,$(B)/unit/monitor/%.o,$(filter-out monitor/main.c,$(MONITOR_SRC)))

$(B)/unit/monitor/%.o: monitor/%.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

$(B)/unit/monitor/embedded.o: $(EMBEDDED)
$(B)/unit/monitor/embedded.o: UNIT_CFLAGS += -Wa,-I$(B)

$(B)/unit/libmonitor.a: $(UNIT_OBJ)
	rm -f $@ && ar rcs $@ $^

$(B)/unit/test_%: tests/unit/test_%.c $(B)/unit/libmonitor.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP $< $(B)/unit/libmonitor.a -lcmocka -o $@

-include $(UNIT_OBJ:.o=.d) $(UNIT:=.d)
