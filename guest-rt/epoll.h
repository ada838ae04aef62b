/* SPDX-License-Identifier: ISC */
#ifndef HUSK_RT_EPOLL_H
#define HUSK_RT_EPOLL_H

#include "files.h"

/* The description is going: no epoll instance watches it any longer. */
void epoll_forget(struct file *file);

#endif
