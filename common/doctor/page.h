/* page.h - what was found as an HTML page, with pictures of the run: one file that needs
 * no other, on light and on dark ground.
 *
 * Loss, learning rate, norm and clipping of each step; of what was examined the residual
 * stream, its gradient and update / weight of each block, of up to PAGE_LINES blocks of a
 * stack, the first and the last among them.  Equal runs are equal bytes.
 */
#ifndef DOCTOR_PAGE_H
#define DOCTOR_PAGE_H

#include "doctor/report.h"

enum { PAGE_LINES = 8 };

void page_html(const struct report *r, FILE *out);

/* The pictures alone, of whatever there is. */
void page_pictures(const struct patient *p, FILE *out);

#endif
