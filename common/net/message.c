#include "net/message.h"

#include <assert.h>

const char *message_name(enum message_kind kind)
{
    static const char *const names[] = {
        [MESSAGE_JOIN] = "join",         [MESSAGE_WELCOME] = "welcome",
        [MESSAGE_REFUSE] = "refuse",     [MESSAGE_LEASE] = "lease",
        [MESSAGE_PARTIAL] = "partial",   [MESSAGE_EVALUATED] = "evaluated",
        [MESSAGE_COMMIT] = "commit",     [MESSAGE_HEARTBEAT] = "heartbeat",
        [MESSAGE_LEAVE] = "leave",       [MESSAGE_STOP] = "stop",
        [MESSAGE_REVOKE] = "revoke",     [MESSAGE_RELEASED] = "released",
        [MESSAGE_AUDITED] = "audited",   [MESSAGE_PULLED] = "pulled",
    };
    assert(kind >= MESSAGE_JOIN && kind <= MESSAGE_PULLED);
    return names[kind];
}

size_t message_slice_tokens(const struct message_slice *s)
{
    size_t words = s->sequences; /* one more than inputs */
    for (uint32_t b = 0; b < s->sequences; b++)
        words += s->lengths[b];
    return words;
}

size_t message_slice_source(const struct message_slice *s)
{
    size_t words = 0;
    for (uint32_t b = 0; s->source_lengths && b < s->sequences; b++)
        words += s->source_lengths[b];
    return words;
}
