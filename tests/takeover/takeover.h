/* SPDX-License-Identifier: ISC
 *
 * What build/husk-test and the guest that uses it agree on.
 */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#define TAKEOVER_MARK 0x7a6b30766572ULL /* instead of an enum husk_mark */

#endif
