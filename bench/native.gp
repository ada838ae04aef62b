# SPDX-License-Identifier: ISC
# What husk costs as a multiple of native cost, each thing a bar from 1: to the left it is cheaper.
column = 3
load "bench/plot.gp"
set title "cost in husk, as a multiple of the native cost"
set xlabel "times native (logarithmic; less is better)"
set logscale x 2
set xrange [STATS_min / 1.6:STATS_max * 1.6]
set format x "%g"
set arrow from 1, -0.6 to 1, lines - 0.4 nohead lc rgb "#444444" front
colour(ratio) = ratio > 1 ? slower : husk
plot data using 3:0:($3 < 1 ? $3 : 1):($3 < 1 ? 1 : $3):($0 - half):($0 + half):(colour($3)):ytic(sprintf("%s: %s", strcol(1), strcol(2))) \
         with boxxyerror lc rgb variable, \
     data using ($3 < 1 ? 1 : $3):0:(sprintf("%.2f", $3)) with labels left offset 0.7, 0 font ",11"
