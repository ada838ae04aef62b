# SPDX-License-Identifier: ISC
# The steps of a start, one after the other: where its time goes.
column = 2
load "bench/plot.gp"
set title "husk run hello, step by step"
set xlabel "microseconds"
set xrange [0:STATS_sum * 1.12]
end = 0
plot data using (end = end + $2):0:(end - $2):(end):($0 - half):($0 + half):ytic(1) \
         with boxxyerror lc rgb husk, \
     end = 0, data using (end = end + $2):0:(sprintf("%.0f", $2)) with labels left offset 0.7, 0 font ",11"
