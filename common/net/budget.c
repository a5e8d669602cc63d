#include "net/budget.h"

#include "base/mem.h"

struct budget_block {
    _Alignas(16) struct budget_block *next;
};

void budget_reset(struct budget *b, size_t bytes)
{
    while (b->blocks) {
        struct budget_block *block = b->blocks;
        b->blocks = block->next;
        mem_free(block);
    }
    *b = (struct budget){.left = bytes};
}

void *budget_alloc(struct budget *b, size_t bytes)
{
    const size_t most =
        b->left > sizeof(struct budget_block) ? b->left - sizeof(struct budget_block) : 0;
    if (bytes > most) {
        b->exceeded = true;
        return NULL;
    }
    struct budget_block *block = mem_alloc(sizeof *block + bytes);
    block->next = b->blocks;
    b->blocks = block;
    b->left -= sizeof *block + bytes;
    return block + 1;
}
