#include "core/blob.h"
#include "core/config.h"
#include "core/handlers.h"

void on_get_heartbeat_interval(struct step *step,
                               const struct message_get_heartbeat_interval *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_GET_HEARTBEAT_INTERVAL_ANSWER };
    answer.as.get_heartbeat_interval_answer =
        (struct message_get_heartbeat_interval_answer){
            .heartbeat_interval_ms = config_heartbeat_ms(step),
            .effective_interval_ms = config_heartbeat_told_ms(step),
        };
    step_answer(step, &answer, 0);
}

void on_put_heartbeat_interval(struct step *step,
                               const struct message_put_heartbeat_interval *message)
{
    struct message answer = { .type = MESSAGE_PUT_HEARTBEAT_INTERVAL_ANSWER };
    step_counter_put(step, COUNTER_HEARTBEAT_MS,
                     (uint64_t)message->heartbeat_interval_ms);
    answer.as.put_heartbeat_interval_answer =
        (struct message_put_heartbeat_interval_answer){
            .heartbeat_interval_ms = config_heartbeat_ms(step),
            .effective_interval_ms = config_heartbeat_told_ms(step),
            .status = SLICE_OF("updated"),
        };
    step_answer(step, &answer, 0);
}

void on_get_default_repo(struct step *step,
                         const struct message_get_default_repo *message)
{
    (void)message;
    struct message answer = { .type = MESSAGE_GET_DEFAULT_REPO_ANSWER };
    struct slice repo = config_default_repo(step);
    answer.as.get_default_repo_answer.default_repo = repo;
    answer.as.get_default_repo_answer.configured = slice_is_present(repo);
    step_answer(step, &answer, 0);
}

void on_put_default_repo(struct step *step,
                         const struct message_put_default_repo *message)
{
    struct message answer = { .type = MESSAGE_PUT_DEFAULT_REPO_ANSWER };
    struct slice repo = message->url.size > 0 ? message->url : (struct slice){ NULL, 0 };
    blob_put(step, CONFIG_DEFAULT_REPO, BLOB_CONFIG, repo);
    answer.as.put_default_repo_answer.status = SLICE_OF("ok");
    answer.as.put_default_repo_answer.default_repo = repo;
    step_answer(step, &answer, 0);
}
