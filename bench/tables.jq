# SPDX-License-Identifier: ISC
# From a JSON file of results.h to a table of Markdown: jq -r --arg table NAME -f tables.jq FILE. NAME
# is "machine", or the benches whose rows it shows, with commas: "cpu", "file,changes,disk". For plots:
# "plot:start", "plot:phases" and "plot:native" are lines of a name, numbers and tabs.

def rounded: if . >= 100 then round elif . >= 10 then (. * 10 | round / 10) else (. * 100 | round / 100) end;
def grouped: tostring | if test("^[0-9]{4,}$") then [while(length > 0; .[:-3]) | .[-3:]] | reverse | join(",") else . end;

# A number with the unit that makes it short.
def shown($unit):
    if $unit == "ns" and . >= 1e6 then "\(. / 1e6 | rounded) ms"
    elif $unit == "ns" and . >= 1000 then "\(. / 1000 | rounded) µs"
    elif $unit == "us" and . >= 10000 then "\(. / 1000 | rounded) ms"
    elif $unit == "us" then "\(rounded) µs"
    elif $unit == "MiB/s" and . >= 1024 then "\(. / 1024 | rounded) GiB/s"
    elif $unit == "kinst" then "\(rounded | grouped)"
    else "\(rounded | grouped) \($unit)" end;
# An instruction for a nanosecond, where that is what the clock counts.
def shown($unit; $clock):
    if $clock == "instructions" and $unit == "ns" then "\(rounded | grouped)"
    elif $clock == "instructions" and $unit == "us" then "\(. * 1000 | rounded | grouped)"
    elif $clock == "instructions" and $unit == "kinst" then "\(. * 1000 | round | grouped)"
    else shown($unit) end;

def times:
    if . == null then "" elif . > 0.9 and . < 1.1 then "\(. * 1000 | round / 1000)" elif . < 10 then "\(. * 100 | round / 100)" else "\(rounded)" end;
def goal: if .goal then (.goal | sub("<="; "≤ ") | sub(">="; "≥ ")) + (if .missed then ", missed" else "" end) else "" end;
def line: "| " + join(" | ") + " |";
def rule: "| --- |" + (" ---: |" * (. - 1));
# Half of what lies between the quartiles, in percent of the median.
def spread:
    if .p25 == null or .median == 0 then ""
    else ((.p75 - .p25) / 2 / .median * 100 | round) as $half | if $half == 0 then "" else " ±\($half)%" end end;
def command: .row | split(": ")[0];
def what: .row | split(": ")[1:] | join(": ");
def unique_stable: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);

def value($clock):
    if . == null then "" else .unit as $unit | (.median | shown($unit; $clock)) + spread end;

# Whole processes: one row for each command.
def processes($clock):
    (if $clock == "instructions" then "instructions" else "median" end) as $head
    | (["", $head, "ratio", "goal"] | line), (4 | rule),
    (.[] | if .why then [.row, .why, "", ""]
        else [.row, value($clock), (.ratio | times), goal] end | line);

# What programs print: one row for each thing, the commands side by side; then those without numbers.
def printed($clock):
    . as $rows
    | (map(select(.why | not) | command) | unique_stable) as $commands
    | (2 * ($commands | length) + 1) as $width
    | ([""] + $commands[:1] + ($commands[1:] | map(., "ratio")) + ["goal"] | line),
      ($width | rule),
      (map(select(.why | not) | what) | unique_stable | .[] as $what
       | [$what] + ($commands | to_entries | map(
            .key as $i | .value as $name
            | ($rows | map(select(command == $name and what == $what)) | .[0]) as $row
            | if $i == 0 then [$row | value($clock)]
              else [($row | value($clock)), ($row.ratio | times)] end) | add)
         + [$rows | map(select(.goal and what == $what) | goal) | join("; ")]
       | line),
      ($rows[] | select(.why) | [.row, .why] + [range($width - 2) | ""] | line);

def machine:
    .machine
    | "From [\($file)](\($file)): \(if .kvm == "kvm_amd" and (.cpu | test("TCG")) then "Emulated AMD SVM (QEMU)" else .kvm | sub("_"; "-") end)"
      + (if .clock == "instructions" then ", counted in instructions" else "" end) + ", Linux \(.kernel), \(.cpu), \(.cpus) CPUs, \(.date[:10])\(if .note then ". " + .note else "" end).";

def rate: .unit | test("/s$");
def cost: if .ratio == null or .ratio == 0 then null elif rate then 1 / .ratio else .ratio end;

.machine.clock as $clock
| if $table == "machine" then machine
  elif $table == "plot:start" then
    .rows[] | select((.bench == "cold" or (.bench == "boot" and (.row | test("microvm")))) and (.why | not))
    | [.row, .median / (if $clock == "instructions" then 1 else 1000 end), .ratio // 1] | @tsv
  elif $table == "plot:phases" then
    .rows[] | select(.bench == "phases" and (.why | not) and .median > 0 and (what | startswith("until") | not))
    | [what, .median] | @tsv
  elif $table == "plot:native" then
    .rows[] | select((.bench | IN("touch", "syscall", "threads", "file", "changes", "net"))
        and command == "husk" and .ratio and (.unit != "KiB") and (.why | not))
    | [.bench, what, cost] | @tsv
  else
    # Sandboxes that cannot run in an initramfs say nothing of husk.
    [.rows[] | select(.bench | IN($table | split(",")[]))
        | select((.why | not) or $clock != "instructions")]
    | if length == 0 then "Not measured in this run."
      elif all(.why or what == "") then processes($clock) else printed($clock) end
  end
