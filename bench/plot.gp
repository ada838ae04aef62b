# SPDX-License-Identifier: ISC
# What all plots share: bars from the left, one for each line of `data`, the first on top. `column`
# is the number that they show.
if (!exists("terminal_name")) terminal_name = "svg"
set datafile separator "\t"
stats data using column nooutput
lines = STATS_records
if (terminal_name eq "svg") {
    set terminal svg size 820, 24 * lines + 100 noenhanced font "sans-serif,13" background "#ffffff"
} else {
    set terminal pngcairo size 820, 24 * lines + 100 noenhanced font "sans-serif,10"
}
set output picture
set encoding utf8
unset key
set yrange [lines - 0.4:-0.6]
set ytics nomirror scale 0 textcolor rgb "#222222"
set xtics nomirror textcolor rgb "#444444"
set border 1 lc rgb "#888888"
set grid xtics lc rgb "#dddddd" lt 1
set style fill solid noborder
set title font ",15" offset 0, -0.3
half = 0.36
plain = 0x7f93a8
husk = 0x1f6fb4
slower = 0xd08a3c
