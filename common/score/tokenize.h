/* tokenize.h - the tokenization of mteval-v13a, with which WMT reports BLEU (NIST, script
 * mteval-v13a.pl; Post 2018, arXiv:1804.08771, on why everybody should use the same):
 *
 *      "It's 1,000.5 - or &quot;so&quot;."      It's 1,000.5 - or " so " .
 *
 * ASCII punctuation but ' - , . stands alone; comma and full stop too, but between two
 * digits; a hyphen behind a digit.  "<skipped>" goes, a hyphen at the end of a line goes
 * with the line's end, &quot; &amp; &lt; &gt; become what they mean.  All of this is done
 * in the order of the script, which matters: "&amp;lt;" becomes "<".
 *
 * Any bytes.  Pure function, any thread.
 */
#ifndef SCORE_TOKENIZE_H
#define SCORE_TOKENIZE_H

#include "text/tokenizer.h"

/* Text whose words between white space are the tokens; to be freed with mem_free(). */
char *tokenize_13a(struct span text, size_t *bytes);

#endif
