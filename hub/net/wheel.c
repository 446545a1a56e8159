#include "net/wheel.h"

#include <stddef.h>

void wheel_init(struct wheel *wheel, int64_t now_ms)
{
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        wheel->slots[i] = (struct wheel_node){ &wheel->slots[i], &wheel->slots[i], 0 };
    wheel->turned = now_ms / WHEEL_GRAIN_MS;
}

void wheel_put(struct wheel *wheel, struct wheel_node *node, int64_t due_ms)
{
    wheel_remove(node);
    int64_t grain = due_ms / WHEEL_GRAIN_MS;
    if (grain < wheel->turned)
        grain = wheel->turned;
    if (grain >= wheel->turned + WHEEL_SLOTS)
        grain = wheel->turned + WHEEL_SLOTS - 1;

    struct wheel_node *slot = &wheel->slots[grain % WHEEL_SLOTS];
    node->due_ms = due_ms;
    node->previous = slot->previous;
    node->next = slot;
    slot->previous->next = node;
    slot->previous = node;
}

void wheel_remove(struct wheel_node *node)
{
    if (node->previous == NULL)
        return;
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->previous = NULL;
    node->next = NULL;
}

struct wheel_node *wheel_take(struct wheel *wheel, int64_t now_ms)
{
    int64_t now = now_ms / WHEEL_GRAIN_MS;
    /* After a long sleep of the machine one turn sees every slot. */
    if (now - wheel->turned > WHEEL_SLOTS)
        wheel->turned = now - WHEEL_SLOTS;
    while (wheel->turned < now) {
        struct wheel_node *slot = &wheel->slots[wheel->turned % WHEEL_SLOTS];
        if (slot->next != slot) {
            struct wheel_node *node = slot->next;
            wheel_remove(node);
            return node;
        }
        wheel->turned++;
    }
    return NULL;
}
