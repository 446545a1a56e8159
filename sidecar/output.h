/*
 * output.h - standard output of a command, line by line: what is a result, what is
 * progress, and what is just text.
 *
 * A line that is a JSON object with "status" ("success" or "failed") is the command's
 * result, the last one counts. One with an integer "progress" from 0 to 100 (and perhaps
 * a "note") and no such status is progress. One with "blocked", true or the reason as a
 * text, says that it cannot go on, and with false that it can again. All else is text.
 */
#ifndef SIDECAR_OUTPUT_H
#define SIDECAR_OUTPUT_H

#include "json/json.h"
#include "sidecar/capture.h"

enum { NOTE_BYTES_MAX = 2000 };

struct output {
    struct capture text;
    struct buffer line;   /* the line being read; at most bytes_max */
    struct buffer result; /* the last result, original bytes; empty: none */
    struct buffer note;
    struct buffer blocked_reason;
    struct json *tape;
    int64_t progress;
    bool progress_fresh; /* set by a new progress line, cleared by the reader */
    bool blocked;
    bool blocked_fresh; /* likewise */
    bool line_is_long;  /* the line is over its bound already, and text */
};

enum err output_init(struct output *output, size_t bytes_max);
void output_finish(struct output *output);

void output_append(struct output *output, struct slice bytes);

/* Takes what stands behind the last line break for a line. */
void output_end(struct output *output);

#endif
