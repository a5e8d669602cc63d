/* prepare_parts.h - what prepare.c and prepare_pairs.c do in the same way, and for them
 * only.
 */
#ifndef DATA_PREPARE_PARTS_H
#define DATA_PREPARE_PARTS_H

#include "data/prepare.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"

struct spans {
    const struct span *at; /* borrowed */
    size_t n;
};

/* Logged: ERR_RANGE. */
int prepare_check_share(double held_out);
int prepare_check_width(uint32_t width);

/* char learns from the @whole text, bpe from the part that trains. */
int prepare_tokenizer(const struct prepare_options *o, const struct tokenizer_spec *spec,
                      struct spans train, struct spans whole, struct tokenizer **t);

/* Warns of characters without a token, when there are any. */
void prepare_report_unknown(const char *name, uint64_t unknown);

/* tokenizer.json under its temporary name. */
int prepare_save_tokenizer(const char *dir, const struct tokenizer *t);

/* A folder that has a tokenizer.json has files that belong together: the old one goes
 * first, and with it the data of @other, the kind that is not to be there; then the
 * caller gives the new data their names; and the new one comes last. */
int prepare_publish_begin(const char *dir, const char *const other[2]);
int prepare_publish_end(const char *dir);

/* Removes what prepare_save_tokenizer() left, if anything. */
void prepare_drop_tokenizer(const char *dir);

#endif
