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

# The same handlers with host calls that fail on demand.
FAULT_CALLS := $(shell sed -n 's/^CALL.\([a-z0-9_]*\),.*/\1/p' tests/fault/host_calls.def) close lseek \
    readlinkat mmap fcntl readv writev preadv pwritev syscall strdup asprintf
FAULT_WRAP := $(FAULT_CALLS:%=-Wl,--wrap=%)

$(B)/unit/test_faults: tests/unit/test_faults.c tests/fault/faults.c $(wildcard tests/fault/*.* tests/unit/*.h) \
    $(B)/unit/libmonitor.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -Itests/fault $(filter %.c,$(wordlist 1,2,$^)) $(B)/unit/libmonitor.a \
	    $(FAULT_WRAP) -lcmocka -o $@

# What husk-cc does to system calls.
$(B)/unit/test_calls: tests/unit/test_calls.c linker/sites.c linker/decode.c $(wildcard linker/*.h) \
    include/husk/calls.h
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) $(filter %.c,$^) -lcmocka -lcapstone -o $@

# A whole husk of that kind, and the guest that asks it for faults.
$(B)/fault/%.o: tests/fault/%.c $(wildcard tests/fault/*.*)
	@mkdir -p $(@D)
	$(MUSL_CC) $(MONITOR_CFLAGS) -c $< -o $@

$(B)/fault/husk: $(MONITOR_OBJ) $(B)/fault/arm.o $(B)/fault/faults.o
	$(link_monitor) $(FAULT_WRAP) -Wl,--wrap=mounts_access

$(B)/fault/guest: tests/fault/guest.c $(B)/husk-cc
	@mkdir -p $(@D)
	$(B)/husk-cc $(APP_CFLAGS) $< -o $@

$(B)/fault/expected: tests/fault/expected
	@mkdir -p $(@D)
	cp $< $@

# Guest programs, built five ways. The ways are directories: argv[0] ends the same in all of them.
CC_husk := $(B)/husk-cc
CC_musl := musl-gcc -static
CC_glibc := gcc -static
CC_pie := gcc -static-pie
CC_lld := $(CLANG) -static -fuse-ld=lld
GUEST += $(patsubst tests/guest/%.c,%,$(wildcard tests/guest/husk-only/*.c tests/guest/net/*.c))

define guests
$(B)/guest/$(1)/%: tests/guest/%.c $(wildcard tests/guest/*.h tests/guest/net/*.h) $(filter $(B)/husk-cc,$(CC_$(1)))
	@mkdir -p $$(@D)
	$(CC_$(1)) $(APP_CFLAGS) $$< -o $$@

$(B)/guest/$(1)/%: tests/system/guests/%.c $(filter $(B)/husk-cc,$(CC_$(1)))
	@mkdir -p $$(@D)
	$(CC_$(1)) $(APP_CFLAGS) $$< -o $$@

$(B)/guest/$(1)/crash: $(wildcard apps/crash/*.[ch]) $(filter $(B)/husk-cc,$(CC_$(1)))
	@mkdir -p $$(@D)
	$(CC_$(1)) $(APP_CFLAGS) $$(filter %.c,$$^) -o $$@
endef
TOOLCHAINS := husk musl glibc pie lld
$(foreach t,$(TOOLCHAINS),$(eval $(call guests,$(t))))

GUEST += crash $(patsubst tests/system/guests/%.c,%,$(wildcard tests/system/guests/*.c))
GUESTS := $(foreach t,$(TOOLCHAINS),$(GUEST:%=$(B)/guest/$(t)/%))

$(B)/guest/stripped: $(B)/guest/musl/crash
	strip -o $@ $<

$(B)/guest/tree/.made: tests/guest/make-tree.sh
	rm -rf $(@D)
	tests/guest/make-tree.sh $(@D)
	@cp tests/guest/make-tree.sh $(@D)/..
	@touch $@

$(B)/guest/cases: tests/system/list-cases.sh tests/guest/cases.sh
	@mkdir -p $(@D)
	tests/system/list-cases.sh > $@

$(B)/guest/scratch-cases: tests/system/list-cases.sh tests/guest/cases.sh
	@mkdir -p $(@D)
	tests/system/list-cases.sh scratch > $@

# A program whose system calls are turned, or not, in every way of building it.
CALLS_plain := -O2
CALLS_unoptimized := -O0 -g
CALLS_lto := -O2 -flto
# As CMake asks a compiler what it does: it links all the same.
CALLS_verbose := -v 2>/dev/null
CALLS_sections := -Os -ffunction-sections -Wl,--gc-sections
CALLS_stripped := -O2 -s
CALLS_stripped-by-linker := -O2 -Wl,--strip-all
CALLS_traps := -O2
CALLS_stripped-traps := -O2 -s
CALLS := plain unoptimized lto sections stripped stripped-by-linker traps stripped-traps verbose

$(B)/calls/traps $(B)/calls/stripped-traps: export HUSK_CC_TRAPS := 1
$(CALLS:%=$(B)/calls/%): $(B)/calls/%: tests/guest/turned-calls.c $(wildcard tests/guest/*.h) $(B)/husk-cc
	@mkdir -p $(@D)
	$(B)/husk-cc $(filter-out -O2,$(APP_CFLAGS)) $(CALLS_$*) $< -o $@

HOSTILE := $(patsubst tests/hostile/%.c,$(B)/hostile/%,$(wildcard tests/hostile/*.c))

$(B)/hostile/%: tests/hostile/%.c tests/hostile/hostile.h tests/takeover/takeover.h include/husk/abi.h $(B)/husk-cc
	@mkdir -p $(@D)
	$(B)/husk-cc $(APP_CFLAGS) -Iinclude $< -o $@

# husk with a hypercall that stands for a monitor which a guest has taken over. Never installed.
TAKEOVER := $(patsubst tests/%.c,$(B)/%.o,$(wildcard tests/takeover/*.c))

$(TAKEOVER): $(B)/%.o: tests/%.c
	@mkdir -p $(@D)
	$(MUSL_CC) $(MONITOR_CFLAGS) -MMD -MP -c $< -o $@

$(B)/husk-test: $(MONITOR_OBJ) $(TAKEOVER)
	$(link_monitor) -Wl,--wrap=serve_mark

$(B)/husk-isolated: tests/system/husk-isolated
	@mkdir -p $(@D)
	cp $< $@

# A server of others', from Debian's static library for glibc: an unmodified program.
$(B)/third-party/evhttpd: tests/system/third-party/evhttpd.c
	@mkdir -p $(@D)
	$(CC) $(APP_CFLAGS) -static $< -levent_extra -levent_core -Wl,--no-warnings -o $@

# A program on a library of others' that uses most of what there is to wait for.
$(B)/third-party/libuv: tests/system/third-party/libuv.c
	@mkdir -p $(@D)
	$(CC) $(APP_CFLAGS) -static $< -l:libuv_a.a -lpthread -ldl -Wl,--no-warnings -o $@

# Libraries that exercise libc and the processor, against what is known of their results.
LIBS_compression := -lzstd -lbz2 -lz -lpthread
LIBS_crypto := -lcrypto -ldl -lpthread
LIBS_numbers := -lgmp
LIBS_pictures := -lpng -ljpeg -lz -lm
LIBS_sqlite-threads := -lsqlite3 -lpthread -ldl -lm
LIBRARIES := compression crypto numbers pictures sqlite-threads

$(LIBRARIES:%=$(B)/third-party/%): $(B)/third-party/%: tests/system/third-party/%.c \
    tests/system/third-party/vectors.h
	@mkdir -p $(@D)
	$(CC) $(APP_CFLAGS) -static $< $(LIBS_$*) -Wl,--no-warnings -o $@

$(B)/third-party/lua/%: tests/system/third-party/lua/%
	@mkdir -p $(@D)
	cp $< $@

# husk under the sanitizers, which need calls and address space that the jail forbids.
$(B)/husk-asan: $(filter-out %/jail.o,$(UNIT_OBJ)) $(B)/unit/monitor/main.o bench/no_jail.c \
    tests/asan_options.c
	$(CC) $(UNIT_CFLAGS) $^ -o $@

HARNESS := $(filter-out tests/system/test_%,$(wildcard tests/system/*.[ch]))

$(B)/system/%: tests/system/%.c $(HARNESS) include/husk/abi.h
	@mkdir -p $(@D)
	$(CC) $(WARN) -O1 -g -Iinclude -D_GNU_SOURCE $(filter %.c,$^) -lcmocka -o $@

include tests/fuzz/fuzz.mk

# What tests/system/test_bench.c looks at.
tests: $(addprefix $(B)/bench/,run crowd memory native/idle)

tests: $(addprefix $(B)/third-party/,evhttpd libuv $(LIBRARIES) lua/libraries.lua lua/fails.lua) \
    $(addprefix $(B)/husk-,test isolated asan) $(addprefix $(B)/fault/,husk guest expected) $(UNIT) \
    $(REPLAY) $(SYSTEM) $(GUESTS) $(HOSTILE) $(CALLS:%=$(B)/calls/%) \
    $(addprefix $(B)/guest/,stripped tree/.made cases scratch-cases)

# What cannot run here is skipped; said first and, where it is not overlooked, last.
no_kvm = $(B)/husk doctor | sed -n 's/^missing kvm *\(.*\)/check: the system tests need KVM. \1\ncheck: here \
    they are skipped; `make check-svm` runs them in QEMU/p'

check: $(B)/.setup-tests ## run the tests; needs /dev/kvm
	@$(MAKE) --no-print-directory $(B)/husk
	@$(no_kvm)
	@$(MAKE) --no-print-directory everything tests
	@tests/run $(UNIT) $(REPLAY) $(SYSTEM)
	@echo "the attacks again, under ASan and UBSan:"
	@HUSK_BINARY=husk-asan tests/run $(B)/system/test_hostile
	@if $(B)/husk doctor | grep -q '^ok *isolate'; then \
	    echo "files again, with --isolate:"; \
	    HUSK_BINARY=husk-isolated tests/run $(addprefix $(B)/system/test_,mount_writes writing); \
	else \
	    echo "this host does not allow --isolate: not tested"; \
	fi
	@$(no_kvm)

# Emulated machines, two at a time, run what shows that the CPU's side of husk holds: programs of every
# toolchain, attacks, traces and counts; all system tests where they cannot run here. `make check-svm
# SVM_TESTS="..."` chooses others.
SVM_TESTS := hostile isolate jail trace_stats stdio threads calls
SVM_TESTS_2 := programs
ifeq ($(wildcard /dev/kvm),)
SVM_TESTS += http limits network races soak sqlite status third_party waiting
SVM_TESTS_2 += busybox cli cli_images host_errors loader mount_writes writing
endif
ifeq ($(origin SVM_TESTS),command line)
SVM_TESTS_2 :=
endif
SVM_TOOLS := $(addprefix -f ,$(wildcard /usr/bin/curl /usr/bin/wrk /usr/sbin/nginx /etc/nginx))

check-svm: $(B)/.setup-svm ## run system tests on emulated AMD SVM, in QEMU
	@$(MAKE) --no-print-directory everything tests
	@$(MAKE) --no-print-directory -j2 -O svm-1 $(if $(SVM_TESTS_2),svm-2)

.PHONY: svm-1 svm-2
svm-1: SVM_GROUP = $(SVM_TESTS)
svm-2: SVM_GROUP = $(SVM_TESTS_2)
svm-1 svm-2: svm-%:
	HUSK_SVM_NAME=$* HUSK_SVM_TIMEOUT=$${HUSK_SVM_TIMEOUT:-900} HUSK_SLOW_MACHINE=1 \
	    tests/svm/check-svm $(SVM_TOOLS) $(B) -- \
	    $(SVM_GROUP:%=$(B)/system/test_%)

-include $(TAKEOVER:.o=.d) $(UNIT_OBJ:.o=.d) $(UNIT:=.d)
