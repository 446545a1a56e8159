#include "core/verify.h"

#include "core/event_log.h"

#include <string.h>

static void event_row(struct verify *verify, struct slice key, struct slice value)
{
    struct event event;
    if (!verify_key(verify, key, 1))
        return;
    uint64_t sequence = key_number(&verify->step, key, 0);
    verify_holds(verify, sequence == verify->event_last + 1,
                 "a number is missing in the event log");
    verify->event_last = sequence;
    if (!event_unpack(&verify->step, sequence, value, &event))
        return;
    verify_holds(verify, event.epoch >= verify->event_epoch,
                 "an event is of an epoch that was over");
    verify->event_epoch = event.epoch;
}

void verify_events(struct verify *verify)
{
    struct event_base base;
    struct core_place place;
    event_base_load(&verify->step, &base);
    verify->event_last = base.sequence;
    verify->event_epoch = base.epoch;
    verify->event_deadlines = base.sweep_due_ms != 0;
    uint64_t events = verify_walk(verify, TABLE_EVENT, event_row);
    enum err err = core_place_read(verify->step.transaction, &place);
    if (err != ERR_OK)
        step_fail(&verify->step, err);
    else if (verify->text == NULL)
        verify_holds(verify,
                     verify->event_epoch <= place.epoch &&
                         verify->event_last >= place.event_last &&
                         (events > 0 || base.sequence == 0),
                     "the end of the event log is missing");
}

/* The chain as far as it is whole. */
struct chain {
    struct core_chain found;
    uint8_t hash[DIGEST_BYTES];
    event_digest *digest;
};

static void chain_break(struct chain *chain, uint64_t sequence, const char *text)
{
    chain->found.broken_at = sequence;
    chain->found.text = text;
}

static void chain_link(struct chain *chain, uint64_t sequence, struct slice value)
{
    uint8_t stored[DIGEST_BYTES];
    uint8_t wanted[DIGEST_BYTES];
    struct slice record;
    uint64_t expected = chain->found.last + 1;
    if (sequence != expected) {
        chain_break(chain, expected, "the event is missing");
        return;
    }
    if (!event_row_split(value, stored, &record)) {
        chain_break(chain, sequence, "the row is misshapen");
        return;
    }
    event_hash(chain->digest, chain->hash, sequence, record, wanted);
    if (memcmp(stored, wanted, DIGEST_BYTES) != 0) {
        chain_break(chain, sequence,
                    "the hash is not that of the event and those before");
        return;
    }
    memcpy(chain->hash, stored, DIGEST_BYTES);
    chain->found.last = sequence;
    chain->found.count++;
}

enum err core_chain_verify(struct transaction *transaction, event_digest *digest,
                           struct core_chain *ret_chain)
{
    struct step step = { .transaction = transaction };
    struct core_place place;
    struct chain chain = { .digest = digest };
    struct event_base base;
    struct number_key start;
    struct slice key;
    struct slice value;
    event_base_load(&step, &base);
    chain.found.first = base.sequence + 1;
    chain.found.last = base.sequence;
    memcpy(chain.hash, base.hash, DIGEST_BYTES);
    while (chain.found.broken_at == 0 &&
           step_first_from(&step, TABLE_EVENT, key_one(&start, chain.found.last + 1),
                           &key, &value)) {
        uint64_t sequence = key_number(&step, key, 0);
        if (!step_failed(&step))
            chain_link(&chain, sequence, value);
    }
    memcpy(chain.found.hash, chain.hash, DIGEST_BYTES);
    if (step.err == ERR_CORRUPT && chain.found.broken_at == 0) {
        chain_break(&chain, chain.found.last + 1, "its row is damaged");
        *ret_chain = chain.found;
        return ERR_OK;
    }
    if (step_failed(&step))
        return step.err;
    enum err err = core_place_read(transaction, &place);
    if (err != ERR_OK)
        return err;
    if (chain.found.broken_at == 0 && chain.found.last < place.event_last)
        chain_break(&chain, chain.found.last + 1, "the event is missing");
    *ret_chain = chain.found;
    return ERR_OK;
}
