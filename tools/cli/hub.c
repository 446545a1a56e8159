#include "cli/command.h"
#include "cli/screen.h"

#include <stdio.h>

enum outcome hub_health_run(struct invocation *invocation)
{
    struct answer answer =
        client_call(invocation->client, "GET", "/health", slice_from_text(NULL), NULL);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    struct buffer status;
    buffer_init(&status, 4096);
    text_escape(member_text(&answer, answer.root, "status"), false, "", &status);
    (void)printf("%.*s, %lld agents connected\n", (int)status.size,
                 status.size > 0 ? status.data : "",
                 (long long)member_number(&answer, answer.root, "agents_connected"));
    buffer_finish(&status);
    return OUTCOME_OK;
}
