/* SPDX-License-Identifier: ISC */
/* Who may come in and how often, of one service while it is made. */
#ifndef ADMISSION_H
#define ADMISSION_H

struct builder;
struct service_admission;

/* Fills the admission of the builder's service, whose listeners and instances are known by now. */
void admission_load(const struct builder *builder);

void admission_fini(struct service_admission *admission);

#endif
