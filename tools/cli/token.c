#include "cli/command.h"
#include "cli/screen.h"
#include "json/writer.h"

#include <stdio.h>

enum { COLUMNS = 4 };

enum outcome token_create_run(struct invocation *invocation)
{
    struct buffer body;
    struct json_writer writer;
    const char *role = given_value(invocation, "--role");
    buffer_init(&body, 65536);
    json_writer_init(&writer, &body);
    json_object_begin(&writer);
    json_key_text(&writer, "agent_id");
    json_string_text(&writer, invocation->arguments[0]);
    if (role != NULL) {
        json_key_text(&writer, "role");
        json_string_text(&writer, role);
    }
    json_object_end(&writer);
    struct answer answer = client_call(invocation->client, "POST", "/admin/tokens",
                                       buffer_slice(&body), NULL);
    buffer_finish(&body);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    struct buffer token;
    buffer_init(&token, 4096);
    text_escape(member_text(&answer, answer.root, "token"), false, "", &token);
    (void)printf("%.*s\n", (int)token.size, token.size > 0 ? token.data : "");
    buffer_finish(&token);
    return OUTCOME_OK;
}

enum outcome token_list_run(struct invocation *invocation)
{
    static const char *const HEADS[COLUMNS] = { "AGENT", "ROLE", "TOKEN", "CREATED" };
    struct answer answer = client_call(invocation->client, "GET", "/admin/tokens",
                                       slice_from_text(NULL), NULL);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    struct table table;
    table_init(&table, COLUMNS);
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell_text(&table, HEADS[i]);
    const struct json_node *tokens = member_of(&answer, answer.root, "tokens");
    if (tokens != NULL && tokens->kind == JSON_ARRAY) {
        for (const struct json_node *token = json_child(answer.tape, tokens);
             token != NULL; token = json_after(answer.tape, tokens, token)) {
            table_cell(&table, member_text(&answer, token, "agent_id"));
            table_cell(&table, member_text(&answer, token, "role"));
            table_cell(&table, member_text(&answer, token, "token_prefix"));
            table_cell_time(&table, member_number(&answer, token, "created_at"));
        }
    }
    bool shown = table_show(&table, "");
    table_finish(&table);
    return shown ? OUTCOME_OK : complain(OUTCOME_FAILED, "the list cannot be shown");
}

enum outcome token_revoke_run(struct invocation *invocation)
{
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append_text(&path, "/admin/tokens/");
    url_append(&path, slice_from_text(invocation->arguments[0]));
    buffer_append_byte(&path, '\0');
    if (buffer_failed(&path)) {
        buffer_finish(&path);
        return complain(OUTCOME_USAGE, "that is no agent");
    }
    struct answer answer =
        client_call(invocation->client, "DELETE", path.data, slice_from_text(NULL), NULL);
    buffer_finish(&path);
    if (answer.outcome != OUTCOME_OK)
        return answer_tell(invocation, &answer);
    if (invocation->json)
        return answer_print(&answer);
    (void)printf("%s revoked\n", invocation->arguments[0]);
    return OUTCOME_OK;
}
