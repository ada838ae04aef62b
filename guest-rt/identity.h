/* SPDX-License-Identifier: ISC
 *
 * Who the program is. It starts as the user who runs husk; what it changes is seen by itself only:
 * to the host, files are that user's whatever happens here.
 */
#ifndef HUSK_IDENTITY_H
#define HUSK_IDENTITY_H

#include "rt.h"

struct identity {
    uint32_t real, effective, saved;
};
const struct identity *user_identity(void);
const struct identity *group_identity(void);

#endif
