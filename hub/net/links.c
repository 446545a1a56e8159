#include "net/links.h"

#include "base/ensure.h"
#include "os/counter.h"
#include "os/entropy.h"

#include <stdlib.h>

enum err links_init(struct net *net)
{
    size_t slots = 1;
    while (slots < net->options.connections_max)
        slots *= 2;

    struct siphash_key seed;
    entropy_fill(&seed, sizeof seed);
    net->slots = calloc(slots, sizeof(struct link *));
    net->addresses = map_create(seed, net->options.connections_max);
    net->slot_mask = slots - 1;
    return net->slots == NULL || net->addresses == NULL ? ERR_MEMORY : ERR_OK;
}

void links_finish(struct net *net)
{
    map_destroy(net->addresses);
    free(net->slots);
}

bool address_is_loopback(struct slice address)
{
    return slice_starts_with(address, SLICE_OF("127.")) ||
           slice_equal_text(address, "::1");
}

static uintptr_t count_of(const struct net *net, struct slice address)
{
    return (uintptr_t)map_get(net->addresses, address);
}

bool links_admit(const struct net *net, struct slice address)
{
    if (net->link_count >= net->options.connections_max)
        return false;
    return address_is_loopback(address) ||
           count_of(net, address) < net->options.connections_per_address_max;
}

enum err links_add(struct net *net, struct link *link)
{
    struct slice address = slice_from_text(link->address);
    link->exempt = address_is_loopback(address);
    if (!link->exempt) {
        void *count = (void *)(count_of(net, address) + 1);
        enum err err = map_put(net->addresses, address, count, NULL);
        if (err != ERR_OK)
            return err;
    }
    link->id = net->link_next++;
    struct link **slot = &net->slots[link->id & net->slot_mask];
    link->same_slot = *slot;
    *slot = link;

    link->next = net->first;
    if (net->first != NULL)
        net->first->previous = link;
    net->first = link;
    net->link_count++;
    counter_add(COUNTER_LINKS_OPENED, 1);
    counter_set(COUNTER_LINKS_OPEN, net->link_count);
    return ERR_OK;
}

void links_subscribe(struct net *net, struct link *link, bool on)
{
    if (link->subscribed == on)
        return;
    link->subscribed = on;
    if (on) {
        link->subscribed_next = net->subscribed_first;
        if (net->subscribed_first != NULL)
            net->subscribed_first->subscribed_previous = link;
        net->subscribed_first = link;
        return;
    }
    if (link->subscribed_previous != NULL)
        link->subscribed_previous->subscribed_next = link->subscribed_next;
    else
        net->subscribed_first = link->subscribed_next;
    if (link->subscribed_next != NULL)
        link->subscribed_next->subscribed_previous = link->subscribed_previous;
    link->subscribed_previous = NULL;
    link->subscribed_next = NULL;
    link->missed = false;
}

void links_forget(struct net *net, struct link *link)
{
    struct link **at = &net->slots[link->id & net->slot_mask];
    while (*at != link) {
        ENSURE(*at != NULL);
        at = &(*at)->same_slot;
    }
    *at = link->same_slot;
    links_subscribe(net, link, false);

    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        net->first = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;

    if (!link->exempt) {
        struct slice address = slice_from_text(link->address);
        uintptr_t count = count_of(net, address);
        if (count <= 1)
            map_remove(net->addresses, address);
        else
            /* The key stands there already: no memory is needed. */
            ENSURE(map_put(net->addresses, address, (void *)(count - 1), NULL) == ERR_OK);
    }
}

void links_remove(struct net *net, struct link *link)
{
    (void)link;
    ENSURE(net->link_count > 0);
    net->link_count--;
    counter_add(COUNTER_LINKS_CLOSED, 1);
    counter_set(COUNTER_LINKS_OPEN, net->link_count);
}

struct link *links_find(const struct net *net, uint64_t id)
{
    struct link *link = net->slots[id & net->slot_mask];
    while (link != NULL && link->id != id)
        link = link->same_slot;
    return link;
}
