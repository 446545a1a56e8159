/*
 * event.h - the event log: what happened, in one sequence without gaps.
 *
 *   event   sequence   hash(32), then the record: flags, epoch, time, role, actor,
 *                      address, the event's name, its members
 *   place   2          what stood before the oldest event kept; when to sweep next
 *
 * An event stands in the transaction of the change it tells of, so it is durable no later.
 * Each hash is the digest of the one before, the sequence and the record: what was
 * changed, left out or put in afterwards breaks the chain. Retention takes events from
 * the beginning, in bounded steps, and keeps the last hash it took.
 *
 * A schema in schemas/event/ says what an event's members are; members must not be secret.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/step.h"

/* Tells the log of a change. `event` is a message of DIRECTION_EVENT; it is packed at
 * once, so it may point at anything. Texts too long for one row are cut. Nothing happens
 * when the event's class is not kept (settings->event_classes); EVENT_CLASS_AUDIT always
 * is. */
void event_add(struct step *step, const struct message *event);

/* Each command that takes a privilege leaves exactly one event of EVENT_CLASS_AUDIT: when
 * its handler told of none, this tells of the command itself. Called by core_apply(). */
void event_audit(struct step *step);

#endif
