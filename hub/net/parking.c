#include "net/parking.h"

#include "os/counter.h"

bool parking_push(struct net *net, struct envelope *envelope)
{
    return net->parked_first == NULL && door_push(net->door, envelope);
}

void parking_enter(struct net *net, struct link *link, struct envelope *envelope)
{
    link->parked = envelope;
    link->parked_next = NULL;
    link->parked_previous = net->parked_last;
    link->is_parked = true;
    if (net->parked_last != NULL)
        net->parked_last->parked_next = link;
    else
        net->parked_first = link;
    net->parked_last = link;
    counter_add(COUNTER_LINKS_PARKED, 1);
}

static void take_out(struct net *net, struct link *link)
{
    if (link->parked_previous != NULL)
        link->parked_previous->parked_next = link->parked_next;
    else
        net->parked_first = link->parked_next;
    if (link->parked_next != NULL)
        link->parked_next->parked_previous = link->parked_previous;
    else
        net->parked_last = link->parked_previous;
    link->is_parked = false;
}

void parking_leave(struct net *net, struct link *link)
{
    if (!link->is_parked)
        return;
    take_out(net, link);
    envelope_destroy(link->parked);
    link->parked = NULL;
}

/* False when there is no room, or no memory to say that a link is gone. */
static bool push_for(struct net *net, struct link *link)
{
    if (link->parked == NULL)
        link->parked = session_closed(net->gate, (struct origin){ .link = link->id });
    if (link->parked == NULL || !door_push(net->door, link->parked))
        return false;
    link->parked = NULL;
    return true;
}

void parking_resume(struct net *net)
{
    while (net->parked_first != NULL && push_for(net, net->parked_first)) {
        struct link *link = net->parked_first;
        take_out(net, link);
        if (link->wsi == NULL)
            link_destroy(link);
        else
            link_read_on(link);
    }
}
