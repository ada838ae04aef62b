# SPDX-License-Identifier: ISC
# `make help` lists the targets. One makefile, no recursion; everything is built below build/.

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

CC := gcc
CLANG := clang
B := build
WARN := -std=gnu17 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wvla
INCLUDE := -Iinclude -iquote monitor

# The monitor is static against musl: a glibc start costs more than half of all that husk does. The
# kernel's headers come after musl's.
MUSL := /usr/lib/x86_64-linux-musl
MUSL_CC := $(CC) -specs $(MUSL)/musl-gcc.specs -idirafter /usr/include \
    -idirafter /usr/include/x86_64-linux-gnu
CFLAGS := -O2 -g
HARDEN := -fPIE -fstack-protector-strong -fno-plt -ftrivial-auto-var-init=zero
MONITOR_CFLAGS := $(WARN) $(CFLAGS) $(HARDEN) $(INCLUDE) -D_GNU_SOURCE -DHUSK_VERSION='"$(VERSION)"'
LIBGCC = $(shell $(CC) -print-libgcc-file-name)

link_monitor = $(CC) -static-pie -nostdlib -Wl,-z,relro,-z,now,-z,noexecstack $(MUSL)/rcrt1.o \
    $(MUSL)/crti.o $^ $(MUSL)/libc.a $(LIBGCC) $(MUSL)/crtn.o -o $@

# guest-rt uses no register but the general ones, so that a system call need not save the rest. It is
# small, and its functions are sorted by linker/order.ld: each page that a run touches costs a fault.
RT_CFLAGS := $(WARN) -Os -g -ffunction-sections -fdata-sections -Iinclude -Iguest-rt -ffreestanding -fno-builtin -fPIE -fvisibility=hidden \
    -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
    -fno-jump-tables

MONITOR_SRC := $(wildcard monitor/*.c)
MONITOR_OBJ := $(MONITOR_SRC:monitor/%.c=$(B)/monitor/%.o)
RT_SRC := $(wildcard guest-rt/*.c)
RT_OBJ := $(RT_SRC:guest-rt/%.c=$(B)/guest-rt/%.o) $(B)/guest-rt/entry.o $(B)/guest-rt/vdso.o
APPS := $(notdir $(wildcard apps/*))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
SYSTEM := $(patsubst tests/system/%.c,$(B)/system/%,$(wildcard tests/system/test_*.c))
GUEST := $(patsubst tests/guest/%.c,%,$(wildcard tests/guest/*.c))

# `make V=1` shows the commands.
ifndef V
.SILENT:
endif

.PHONY: all help demo check check-svm fuzz bench lint install clean setup
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/.setup-build ## build husk, husk-cc and the example applications
	$(MAKE) --no-print-directory everything

.PHONY: everything tests
everything: $(B)/husk $(B)/husk-cc $(APPS:%=$(B)/apps/%)

help: ## list the targets
	awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(B)/.setup-svm $(B)/.setup-bench ## install all Debian packages that build, tests and benchmarks need

# Those of the build, of the tests as well, of the emulated machine as well; those of the benchmarks.
$(B)/.setup-%: tools/setup.sh
	tools/setup.sh $*
	mkdir -p $(B) && touch $@

# The contract for the assembly: the HUSK_ numbers of abi.h and calls.h as nasm macros.
$(B)/include/abi.inc: include/husk/abi.h include/husk/calls.h
	mkdir -p $(@D)
	cat $^ | $(CC) -E -dM $(INCLUDE) -x c - | sed -nE 's/^#define (HUSK_[A-Z0-9_]+) ([^"]+)$$/%define \1 \2/p' > $@

$(B)/monitor/%.o: monitor/%.c
	echo "  cc    $<"
	mkdir -p $(@D)
	$(MUSL_CC) $(MONITOR_CFLAGS) -MMD -MP -c $< -o $@

# The jail's seccomp filters are compiled here, as libseccomp is linked against glibc.
$(B)/jail-filter: tools/jail-filter.c monitor/jail.h
	mkdir -p $(@D)
	$(CC) $(WARN) $(CFLAGS) $(INCLUDE) -D_GNU_SOURCE $< -lseccomp -o $@

$(B)/jail.bpf: $(B)/jail-filter
	$< > $@

# Part of the monitor.
EMBEDDED := $(B)/guest-rt/ring0.bin $(B)/guest-rt/guest-rt.elf $(B)/jail.bpf
$(B)/monitor/embedded.o: $(EMBEDDED)
$(B)/monitor/embedded.o: MONITOR_CFLAGS += -Wa,-I$(B)

$(B)/husk: $(MONITOR_OBJ)
	echo "  ld    $@"
	$(link_monitor)

$(B)/guest-rt/%.o: guest-rt/%.c
	echo "  cc    $<"
	mkdir -p $(@D)
	$(CC) $(RT_CFLAGS) -MMD -MP -c $< -o $@

$(B)/guest-rt/entry.o $(B)/guest-rt/vdso.o: $(B)/guest-rt/%.o: guest-rt/%.asm $(B)/include/abi.inc
	mkdir -p $(@D)
	nasm -f elf64 -I $(B)/include/ $< -o $@

$(B)/guest-rt/ring0.bin: guest-rt/ring0.asm $(B)/include/abi.inc
	mkdir -p $(@D)
	nasm -f bin -I $(B)/include/ $< -o $@

# One relocatable object whose names stay its own and whose sections app.ld can tell apart.
$(B)/guest-rt.o: $(RT_OBJ) linker/merge.ld linker/order.ld
	$(LD) -r $(RT_OBJ) -T linker/merge.ld -o $@
	objcopy --keep-global-symbol=husk_rt_start --set-section-flags \
	    .husk.rodata=alloc,load,readonly,data,contents $@

$(B)/guest-rt/guest-rt.elf: $(B)/guest-rt.o linker/guest-rt.ld
	$(LD) -static -nostdlib -z noexecstack -T linker/guest-rt.ld $< -o $@
	objcopy --strip-debug $@

# Static, so that an installed husk-cc needs no library. Zydis, the other decoder in Debian, has none.
CALLS_CFLAGS := $(WARN) $(CFLAGS) -Iinclude -D_GNU_SOURCE
CALLS_SRC := $(wildcard linker/*.c)
$(B)/husk-calls: $(CALLS_SRC) $(wildcard linker/*.h) include/husk/calls.h
	echo "  cc    $@"
	$(CC) $(CALLS_CFLAGS) -static $(CALLS_SRC) -lcapstone -o $@

# The kernel's headers, without the C library's that Debian has beside them.
KERNEL_HEADERS := $(addprefix /usr/include/,linux asm-generic mtd x86_64-linux-gnu/asm)

$(B)/husk-cc: linker/husk-cc $(B)/guest-rt.o linker/app.ld $(B)/husk-calls
	mkdir -p $(B)/kernel
	ln -sfn $(KERNEL_HEADERS) $(B)/kernel
	cp linker/app.ld $(B)/app.ld
	install -m 755 $< $@

APP_CFLAGS := -std=gnu17 -O2 -Wall -Wextra -Werror
define app
$(B)/apps/$(1): $$(wildcard apps/$(1)/*.[ch]) $(B)/husk-cc
	echo "  app   $(1)"
	mkdir -p $(B)/apps
	$(B)/husk-cc $(APP_CFLAGS) $$(filter %.c,$$^) -o $$@
endef
# Applications with a rule of their own are in APPS_NOT_HUSK.
-include apps/*/app.mk
$(foreach a,$(filter-out $(APPS_NOT_HUSK),$(APPS)),$(eval $(call app,$(a))))

-include $(MONITOR_OBJ:.o=.d) $(RT_OBJ:.o=.d)

demo: all ## run real programs in VMs
	tools/demo.sh $(B)

install: all ## install below PREFIX (and DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/husk/kernel \
	    $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(B)/husk $(B)/husk-cc $(DESTDIR)$(PREFIX)/bin
	install -m 755 -s $(B)/husk-calls $(DESTDIR)$(PREFIX)/lib/husk
	install -m 644 $(B)/guest-rt.o linker/app.ld $(DESTDIR)$(PREFIX)/lib/husk
	ln -sfn $(KERNEL_HEADERS) $(DESTDIR)$(PREFIX)/lib/husk/kernel
	install -m 644 docs/husk.1 docs/husk-cc.1 $(DESTDIR)$(PREFIX)/share/man/man1

C_FILES = $(shell git ls-files --cached --others --exclude-standard '*.[ch]')
lint: $(B)/.setup-tests all ## formatting, clang's warnings, cppcheck, shell syntax, options in docs
	clang-format --dry-run -Werror $(C_FILES)
	$(CLANG) $(WARN) -Wno-gnu-variable-sized-type-not-at-end $(INCLUDE) -D_GNU_SOURCE \
	    -DHUSK_VERSION='""' -fsyntax-only $(filter-out monitor/embedded.c,$(MONITOR_SRC))
	$(CLANG) $(filter-out -fno-plt,$(RT_CFLAGS)) -fsyntax-only guest-rt/*.c
	$(CLANG) $(CALLS_CFLAGS) -fsyntax-only $(CALLS_SRC)
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
	    --suppress=missingIncludeSystem -Iinclude -Imonitor -DHUSK_VERSION='""' monitor guest-rt linker apps
	for script in tools/*.sh linker/husk-cc bench/*.sh; do sh -n $$script || exit 1; done
	tools/check-docs.sh $(B)/husk

clean: ## remove everything that was built
	rm -rf $(B)

include tests/tests.mk
-include bench/bench.mk
