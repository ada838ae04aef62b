# SPDX-License-Identifier: ISC
# Part of the Makefile: how the benchmarks are built and run. docs/performance.md says what they are.

BENCH ?= cold memory cpu file syscall threads net exits
.PHONY: bench-svm performance
BENCH_CFLAGS := $(WARN) -O2 -D_GNU_SOURCE
BENCH_IMAGES := $(addprefix $(B)/bench/husk/,big changes files idle peer syscalls threads touch)
BENCH_NATIVE := $(addprefix $(B)/bench/native/,big boot changes files hello httpd idle load mandelbrot peer primes requests \
    syscalls threads touch)
BENCH_PROGRAMS := $(B)/bench/run $(B)/bench/husk-no-jail $(B)/bench/memory $(B)/bench/crowd $(B)/bench/phases $(B)/bench/floor $(B)/bench/glibc/hello \
    $(B)/bench/traps/syscalls $(BENCH_IMAGES) $(BENCH_NATIVE)

# Without its packages there are rows that say so.
bench: $(B)/.setup-build ## measure: some minutes, into build/bench.json; BENCH=cold runs one
	@$(MAKE) --no-print-directory $(B)/.setup-bench || echo "bench: goes on without"
	@$(MAKE) --no-print-directory everything $(BENCH_PROGRAMS)
	@B=$(B) bench/suite.sh $(BENCH)

bench-svm: BENCH = cold
bench-svm: $(B)/.setup-svm ## the same in QEMU, in instructions, into build/bench-svm.json: BENCH=cold
	@$(MAKE) --no-print-directory everything $(BENCH_PROGRAMS)
	@B=$(B) bench/svm.sh $(BENCH)

JSON ?= $(B)/bench.json
performance: $(B)/.setup-bench ## write docs/performance.md's tables and plots from JSON=build/bench.json
	@bench/performance.sh $(JSON) docs/performance.md

$(B)/bench/run: bench/run.c bench/results.c bench/results.h
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) $(filter %.c,$^) -o $@

$(B)/bench/memory $(B)/bench/crowd: $(B)/bench/%: bench/%.c bench/procs.c bench/procs.h
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) $(filter %.c,$^) -o $@

$(B)/bench/phases: bench/phases.c bench/measure.h
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) $< -o $@

# As few pages as can be: no relocations, one segment less.
$(B)/bench/floor: bench/floor.c
	@mkdir -p $(@D)
	$(MUSL_CC) $(BENCH_CFLAGS) -fno-pie -static -no-pie -Wl,-z,noseparate-code,-z,norelro $< -o $@

$(B)/bench/native/%: bench/%.c bench/measure.h
	@mkdir -p $(@D)
	$(MUSL_CC) $(BENCH_CFLAGS) -fno-pie -static -no-pie $< -o $@

$(B)/bench/husk/%: bench/%.c bench/measure.h $(B)/husk-cc
	@mkdir -p $(@D)
	$(B)/husk-cc $(BENCH_CFLAGS) $< -o $@

$(B)/bench/traps/%: bench/%.c bench/measure.h $(B)/husk-cc
	@mkdir -p $(@D)
	HUSK_CC_TRAPS=1 $(B)/husk-cc $(BENCH_CFLAGS) $< -o $@

define native_app
$(B)/bench/native/$(1): $$(wildcard apps/$(1)/*.[ch])
	@mkdir -p $$(@D)
	$(MUSL_CC) $(APP_CFLAGS) -fno-pie -static -no-pie $$(filter %.c,$$^) -o $$@
endef
$(foreach a,hello httpd mandelbrot primes,$(eval $(call native_app,$(a))))

$(B)/bench/glibc/hello: apps/hello/main.c
	@mkdir -p $(@D)
	$(CC) $(APP_CFLAGS) -static $< -o $@

$(B)/bench/no_jail.o: bench/no_jail.c monitor/jail.h
	@mkdir -p $(@D)
	$(MUSL_CC) $(MONITOR_CFLAGS) -c $< -o $@

$(B)/bench/husk-no-jail: $(filter-out $(B)/monitor/jail.o,$(MONITOR_OBJ)) $(B)/bench/no_jail.o
	$(link_monitor)
