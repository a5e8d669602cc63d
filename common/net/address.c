#include "net/address.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int parse_port(const char *text, uint16_t *port)
{
    uint32_t value = 0;
    size_t n = 0;
    for (; text[n] >= '0' && text[n] <= '9' && n < 5; n++)
        value = value * 10 + (uint32_t)(text[n] - '0');
    if (n == 0 || text[n] != '\0' || value > UINT16_MAX)
        return ERR_INVALID;
    *port = (uint16_t)value;
    return ERR_OK;
}

static bool host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(".-_:%", c)); /* % begins the zone of fe80::1%eth0 */
}

int address_parse(const char *text, struct address *a)
{
    struct address out = {.port = 0};
    const char *host = text, *end, *port = NULL;
    const char *colon = strchr(text, ':');
    if (*text == '[') {
        host = text + 1;
        end = strchr(host, ']');
        if (!end || end == host || (end[1] != '\0' && end[1] != ':'))
            return ERR_INVALID;
        port = end[1] == ':' ? end + 2 : NULL;
    } else if (colon && !strchr(colon + 1, ':')) {
        end = colon;
        port = colon + 1;
    } else {
        end = text + strlen(text);
    }
    if (end - host >= ADDRESS_HOST)
        return ERR_INVALID;
    for (const char *c = host; c < end; c++)
        if (!host_char(*c))
            return ERR_INVALID;
    memcpy(out.host, host, (size_t)(end - host));
    if (port)
        TRY(parse_port(port, &out.port));
    *a = out;
    return ERR_OK;
}
