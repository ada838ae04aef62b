# SPDX-License-Identifier: ISC
# Time from the start of a process to its end, and its ratio to the floor.
column = 2
load "bench/plot.gp"
set title "hello, from the start of its process to its end"
set xlabel "milliseconds, logarithmic (in brackets: times the floor)"
set logscale x
low = 10 ** floor(log10(STATS_min))
set xrange [low:STATS_max * 2.4]
set xtics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
colour(name) = strstrt(name, "husk") ? husk : plain
plot data using 2:0:(low):2:($0 - half):($0 + half):(colour(strcol(1))):ytic(1) \
         with boxxyerror lc rgb variable, \
     data using 2:0:(sprintf("%.2f ms  (%.2f)", $2, $3)) with labels left offset 0.7, 0 font ",11"
