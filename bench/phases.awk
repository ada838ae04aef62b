# SPDX-License-Identifier: ISC
# Each step of --stats with the time since the one before, as `run -v` reads it.
/"step"/ {
    gsub(/[{}":,]/, " ")
    name = $2
    if (seen[name]++)
        name = name "#" seen[name]
    printf "%s %.1f us\n", name, $4 - before
    before = $4
}
