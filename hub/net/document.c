#include "net/document.h"

enum { STATUS_OK = 200 };

/* Weak or strong: a text made once has no other form. */
static bool tag_is(struct slice tag, struct slice digest)
{
    if (slice_starts_with(tag, SLICE_OF("W/")))
        tag = slice_skip(tag, 2);
    return tag.size == digest.size + 2 && tag.data[0] == '"' &&
           tag.data[tag.size - 1] == '"' &&
           slice_equal(slice_make(tag.data + 1, digest.size), digest);
}

bool tags_have(struct slice tags, struct slice digest)
{
    while (tags.size > 0) {
        size_t end = slice_find(tags, ',');
        struct slice tag = slice_trim(slice_make(tags.data, end));
        if (slice_equal_text(tag, "*") || tag_is(tag, digest))
            return true;
        tags = slice_skip(tags, end + 1);
    }
    return false;
}

bool document_answer(const struct exchange *exchange, struct answer_facts *ret_facts)
{
    struct slice text = MESSAGE_ROWS[exchange->type].document;
    if (!slice_is_present(text))
        return false;
    *ret_facts = (struct answer_facts){ .status = STATUS_OK, .etag = DOCUMENTS_DIGEST };
    if (tags_have(exchange->tags_known, DOCUMENTS_DIGEST))
        ret_facts->status = ANSWER_NOT_MODIFIED;
    else
        ret_facts->body = text;
    return true;
}
