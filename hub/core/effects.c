#include "core/effects.h"

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    struct effect *effect = arena_take(effects->arena, sizeof *effect);
    if (effect == NULL)
        return NULL;
    effect->kind = kind;
    if (effects->last == NULL)
        effects->first = effect;
    else
        effects->last->next = effect;
    effects->last = effect;
    effects->count++;
    return effect;
}
