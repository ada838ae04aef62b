/* SPDX-License-Identifier: ISC
 *
 * For build/husk-asan: husk leaves its memory to the kernel when it ends. An error ends it by a
 * signal, which no test takes for a status.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0:abort_on_error=1";
}
