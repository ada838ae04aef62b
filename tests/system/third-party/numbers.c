/* SPDX-License-Identifier: ISC */
/* GMP: large integers and rationals, by known values and by identities. */
#include <gmp.h>

#include "vectors.h"

int main(void)
{
    int failures = 0;
    mpz_t a, b, c, d;
    mpq_t sum, term;

    mpz_inits(a, b, c, d, NULL);
    mpz_fac_ui(a, 30);
    gmp_printf("30! = %Zd\n", a);
    failures += check(mpz_cmp_ui(a, 0) > 0 && mpz_divisible_ui_p(a, 29), "29 divides it");
    mpz_fib_ui(b, 1000);
    gmp_printf("fibonacci(1000) = %Zd\n", b);
    mpz_ui_pow_ui(c, 2, 521);
    mpz_sub_ui(c, c, 1);
    failures += check(mpz_probab_prime_p(c, 25) > 0, "2^521 - 1 is prime");
    mpz_ui_pow_ui(c, 2, 523);
    mpz_sub_ui(c, c, 1);
    failures += check(mpz_probab_prime_p(c, 25) == 0, "2^523 - 1 is not");

    /* Sizes at which each of GMP's multiplications takes its turn. */
    for (unsigned bits = 100; bits <= 3000000; bits *= 5) {
        mpz_ui_pow_ui(a, 3, bits);
        mpz_ui_pow_ui(b, 7, bits / 2);
        mpz_mul(c, a, b);
        mpz_tdiv_qr(c, d, c, b);
        failures += mpz_cmp(a, c) != 0 || mpz_sgn(d) != 0;
        printf("%u: %lu mod 2^32\n", bits, mpz_fdiv_ui(a, 4294967291UL));
    }
    failures += check(failures == 0, "products divide again");
    mpz_set_ui(a, 65537);
    mpz_ui_pow_ui(b, 10, 400);
    mpz_add_ui(b, b, 69);
    mpz_powm(c, a, b, b);
    mpz_gcdext(d, c, a, c, b);
    gmp_printf("gcd %Zd\n", d);
    mpz_sqrt(c, b);
    printf("%zu digits in the root\n", mpz_sizeinbase(c, 10));

    mpq_inits(sum, term, NULL);
    for (unsigned i = 1; i <= 40; i++) {
        mpq_set_ui(term, 1, i);
        mpq_add(sum, sum, term);
    }
    gmp_printf("1 + 1/2 + ... + 1/40 = %Qd\n", sum);
    mpq_clears(sum, term, NULL);
    mpz_clears(a, b, c, d, NULL);
    return failures != 0;
}
