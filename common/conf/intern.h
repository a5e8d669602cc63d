/* intern.h - strings that live as long as the process, each kept once.  Private to conf.
 *
 * Loading the same configuration again and again needs no more memory.  Any thread.
 */
#ifndef CONF_INTERN_H
#define CONF_INTERN_H

const char *intern(const char *text);

#endif
