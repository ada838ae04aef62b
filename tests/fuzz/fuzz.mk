# SPDX-License-Identifier: ISC
# Part of the Makefile: targets for libFuzzer, and the same targets as tests of what it found.

# The targets of fuzzing: one for each group of hypercalls.
upper = $(shell echo $(1) | tr a-z A-Z)
HYPERCALL_GROUPS := memory io paths network process waiting
FUZZ := elf options resolve $(HYPERCALL_GROUPS:%=hypercalls-%)

# What an input does must not depend on chance (guest.c), and an end must not go unnoticed (world.c).
FUZZ_WRAP := -Wl,--wrap=getrandom
FUZZ_WORLD := $(addprefix $(B)/fuzz/,world.o world_parts.o world_signals.o tree.o guest.o)

FUZZ_CFLAGS := $(WARN) -Wno-gnu-variable-sized-type-not-at-end -O2 -g $(INCLUDE) -D_GNU_SOURCE -DHUSK_VERSION='"$(VERSION)"'
FUZZ_SANITIZE := -fno-sanitize-recover=all -fsanitize=address,undefined
FUZZ_OBJ := $(patsubst monitor/%.c,$(B)/fuzz/monitor/%.o,$(filter-out monitor/main.c,$(MONITOR_SRC)))

$(B)/fuzz/monitor/%.o: monitor/%.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) $(FUZZ_SANITIZE),fuzzer-no-link -MMD -MP -c $< -o $@

$(B)/fuzz/monitor/embedded.o: $(EMBEDDED)
$(B)/fuzz/monitor/embedded.o: FUZZ_CFLAGS += -Wa,-I$(B)

$(B)/fuzz/libmonitor.a: $(FUZZ_OBJ)
	rm -f $@ && ar rcs $@ $^

# What drives the monitor is not what is to be covered.
$(B)/fuzz/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) $(FUZZ_SANITIZE) -MMD -MP -c $< -o $@

$(HYPERCALL_GROUPS:%=$(B)/fuzz/hypercalls-%.o): $(B)/fuzz/hypercalls-%.o: tests/fuzz/fuzz_hypercalls.c
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_CFLAGS) -DHYPERCALL_GROUP=$(call upper,$*) $(FUZZ_SANITIZE) -MMD -MP \
	    -c $< -o $@

$(HYPERCALL_GROUPS:%=$(B)/fuzz/hypercalls-%): %: %.o $(FUZZ_WORLD) $(B)/fuzz/libmonitor.a
	$(CLANG) $(FUZZ_SANITIZE),fuzzer $(FUZZ_WRAP) -Wl,--wrap=_exit $^ -lutil -o $@

$(B)/fuzz/elf: $(B)/fuzz/fuzz_elf.o $(B)/fuzz/guest.o $(B)/fuzz/libmonitor.a
	$(CLANG) $(FUZZ_SANITIZE),fuzzer $(FUZZ_WRAP) $^ -o $@

$(B)/fuzz/options $(B)/fuzz/resolve: $(B)/fuzz/%: $(B)/fuzz/fuzz_%.o $(B)/fuzz/libmonitor.a
	$(CLANG) $(FUZZ_SANITIZE),fuzzer $^ -o $@

# One target after the other, TIME seconds each. What was found lies in build/fuzz.
TIME ?= 60
fuzz: $(FUZZ:%=$(B)/fuzz/%) ## fuzz the monitor's parsers and handlers, TIME seconds each
	@for target in $(FUZZ); do \
	    case $$target in hypercalls-*) length=96 ;; *) length=8192 ;; esac; \
	    mkdir -p $(B)/fuzz/corpus/$$target && echo "$$target:" && \
	    nice $(B)/fuzz/$$target -max_total_time=$(TIME) -close_fd_mask=3 -print_final_stats=1 -entropic=0 -max_len=$$length \
	        -artifact_prefix=$(B)/fuzz/$$target- $(B)/fuzz/corpus/$$target \
	        $$(ls -d tests/fuzz/corpus/$$target 2>/dev/null) >$(B)/fuzz/$$target.log 2>&1 || \
	        { tail -n 40 $(B)/fuzz/$$target.log; exit 1; }; \
	    grep -a number_of_executed_units $(B)/fuzz/$$target.log; \
	done

# What fuzzing found, and what covers most, under gcc's sanitizers and without libFuzzer.
REPLAY := $(FUZZ:%=$(B)/replay/%)

$(B)/replay/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

$(HYPERCALL_GROUPS:%=$(B)/replay/hypercalls-%.o): $(B)/replay/hypercalls-%.o: tests/fuzz/fuzz_hypercalls.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -DHYPERCALL_GROUP=$(call upper,$*) -MMD -MP -c $< -o $@

$(B)/replay/%-main.o: tests/fuzz/replay.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -DCORPUS='"tests/fuzz/corpus/$*"' -c $< -o $@

$(B)/replay/elf: $(B)/replay/fuzz_elf.o $(B)/replay/guest.o
$(B)/replay/options $(B)/replay/resolve: $(B)/replay/%: $(B)/replay/fuzz_%.o
$(HYPERCALL_GROUPS:%=$(B)/replay/hypercalls-%): %: %.o $(FUZZ_WORLD:$(B)/fuzz/%=$(B)/replay/%)
$(B)/replay/elf $(HYPERCALL_GROUPS:%=$(B)/replay/hypercalls-%): REPLAY_WRAP = $(FUZZ_WRAP)
$(REPLAY): $(B)/replay/%: $(B)/replay/%-main.o $(B)/unit/libmonitor.a
	$(CC) $(UNIT_CFLAGS) $(REPLAY_WRAP) $(filter %.o,$^) $(B)/unit/libmonitor.a -lutil -lcmocka -o $@

-include $(FUZZ_OBJ:.o=.d) $(wildcard $(B)/fuzz/*.d $(B)/replay/*.d)
