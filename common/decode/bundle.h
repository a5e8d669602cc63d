/* bundle.h - which sentences are translated together: those of similar lengths, so that
 * few end while others go on.
 *
 * A function of the lengths alone: what is in a bundle, and so each translation to the
 * last bit, does not depend on threads.
 */
#ifndef DECODE_BUNDLE_H
#define DECODE_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

struct bundles {
    size_t n;
    uint32_t
        *order; /* [N]: numbers of sentences, longest first, of equal ones in order */
    size_t
        *first; /* [n + 1]: bundle i is order[first[i]] to before order[first[i + 1]] */
};

/* Bundles of length [N], each of at most @most sentences and @tokens tokens, but of one
 * sentence at least.  To be freed with bundles_fini(). */
void bundles_make(struct bundles *b, const uint32_t *length, size_t N, size_t most,
                  size_t tokens);
void bundles_fini(struct bundles *b);

#endif
