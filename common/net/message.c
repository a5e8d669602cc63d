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
