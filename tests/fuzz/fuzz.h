/* fuzz.h - a decoder, and bytes that nobody packed.
 *
 * A target is one file that defines LLVMFuzzerTestOneInput() and states with CHECK() what
 * is true of every input: that a decoder does not crash is the least of it.  libFuzzer
 * runs it (preset fuzz), or replay.c does, with gcc, from a seed (all other presets).
 *
 * Where a checksum stands before the decoder a target also has fuzz_repair(): three of
 * four mutations get right checksums (repair.c), or none would pass the door.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* The tool's own mutation, in place: the new length, at most @room. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t room);
/* The target's, where it has one. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t room, unsigned seed);

/* Of a target: makes the checksums and lengths right that are in @data, and returns the
 * new length. */
size_t fuzz_repair(uint8_t *data, size_t bytes, size_t room);

#define CHECK(fact) ((fact) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #fact))
_Noreturn void fuzz_failed(const char *file, int line, const char *fact);

/* The bytes as a file, which only its owner may read: its path, until the next call. */
const char *fuzz_file(const void *data, size_t bytes);

/* A folder of this process, and files in it. */
const char *fuzz_folder(void);
void fuzz_put(const char *name, const void *data, size_t bytes);
char *fuzz_get(const char *name, size_t *bytes); /* to be freed with free() */

/* A copy that ends with a zero byte; to be freed with free(). */
char *fuzz_text(const uint8_t *data, size_t bytes);

/* Bytes on the heap; always 0 without the address sanitizer. */
size_t fuzz_heap(void);

extern int fuzz_terminal; /* stderr as it was: the log goes to /dev/null */

#endif
