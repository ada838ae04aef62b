# Reads what tests/svm/init printed: shows the failed tests, then one line with the totals.

function failure(text) {
    failed++
    print text
}

{
    sub(/\r$/, "")
    last[NR % 20] = $0
}

/^husk-svm: begin / {
    program = substr($0, length("husk-svm: begin ") + 1)
    planned = results = failures = showing = 0
    next
}

/^husk-svm: exit / {
    status = $3
    if (!results && !planned) {
        if (status == 0) passed++
        else if (status == 77) skipped++
        else failure("not ok - " program ": exit status " status)
    } else if (results != planned) {
        failure("not ok - " program ": " results + 0 " of " planned + 0 \
                " tests reported, exit status " status)
    } else if (status != 0 && !failures) {
        failure("not ok - " program ": all tests passed, but exit status " status)
    }
    program = ""
    next
}

/^husk-svm: end$/ { ended = 1 }

program == "" { next }

# A program with several groups of tests prints a plan for each.
/^1\.\.[0-9]+/ { planned += substr($0, 4) }

/^(not )?ok / {
    results++
    showing = 0
    if (/# (SKIP|TODO)/) skipped++
    else if (/^ok/) passed++
    else {
        failures++
        failure($0 "  (" program ")")
        showing = 1
    }
    next
}

# The diagnosis of a failed test follows it.
showing && /^#/ { print }

END {
    if (!ended) {
        failure("not ok - " (program == "" ? "the guest" : program) \
                ": did not end; the log's last lines:")
        for (i = NR + 1; i <= NR + 20; i++)
            if (i % 20 in last) print "  | " last[i % 20]
    }
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit failed > 0
}
