#include "core/event_class.h"

static const struct slice CLASSES[EVENT_CLASS_COUNT] = {
    [EVENT_CLASS_NONE] = SLICE(""),       [EVENT_CLASS_TASK] = SLICE("task"),
    [EVENT_CLASS_AGENT] = SLICE("agent"), [EVENT_CLASS_MESSAGE] = SLICE("message"),
    [EVENT_CLASS_AUDIT] = SLICE("audit"), [EVENT_CLASS_HUB] = SLICE("hub"),
};

struct slice event_class_name(enum event_class class)
{
    return CLASSES[class];
}

bool event_class_parse(struct slice word, enum event_class *ret_class)
{
    for (int i = EVENT_CLASS_NONE + 1; i < EVENT_CLASS_COUNT; i++) {
        if (slice_equal(CLASSES[i], word)) {
            *ret_class = (enum event_class)i;
            return true;
        }
    }
    return false;
}
