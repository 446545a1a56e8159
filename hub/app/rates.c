#include "app/rates.h"

#include "core/core.h"

static enum err overrides_load(struct transaction *transaction, struct rates *rates)
{
    struct slice name = SLICE_OF("");
    struct rate_override override;
    enum err err;
    while ((err = core_rate_override_next(transaction, name, &name, &override)) ==
           ERR_OK) {
        err = rates_override(rates, name, &override);
        if (err != ERR_OK)
            break;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err exempt_load(struct transaction *transaction, struct rates *rates)
{
    struct slice name = SLICE_OF("");
    enum err err;
    while ((err = core_rate_exempt_next(transaction, name, &name)) == ERR_OK) {
        err = rates_exempt(rates, name, true);
        if (err != ERR_OK)
            break;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err rates_load(struct store *store, struct gate *gate)
{
    struct store_reader *reader = store_reader_create(store);
    if (reader == NULL)
        return ERR_MEMORY;
    struct transaction *transaction = store_reader_begin(reader);
    enum err err = overrides_load(transaction, gate->rates);
    if (err == ERR_OK)
        err = exempt_load(transaction, gate->rates);
    store_reader_end(reader);
    store_reader_destroy(reader);
    return err;
}
