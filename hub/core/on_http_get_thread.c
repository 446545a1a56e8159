#include "core/handlers.h"
#include "core/letter.h"

enum {
    DEPTH_MAX = 10000,
    THREAD_MAX = 1000,
    BYTES_MAX = 1 << 20,
};

/* The oldest ancestor that is kept. */
static uint64_t root_of(struct step *step, uint64_t number)
{
    struct letter letter;
    uint64_t first = letter_first(step);
    for (int i = 0; i < DEPTH_MAX; i++) {
        if (!letter_head(step, number, &letter)) {
            step_fail(step, ERR_CORRUPT);
            return number;
        }
        if (letter.parent < first)
            return number;
        number = letter.parent;
    }
    return number;
}

/* The next reply to each letter of the tree that has one left. */
struct branch {
    uint64_t parent;
    uint64_t next;
};

struct tree {
    struct branch *branches;
    size_t count;
    struct message_stored_message *views;
    size_t shown;
    size_t bytes;
    bool more;
};

static bool tree_make(struct step *step, struct tree *ret_tree)
{
    *ret_tree = (struct tree){
        .branches = step_take_many(step, THREAD_MAX + 1, sizeof *ret_tree->branches),
        .views = step_take_many(step, THREAD_MAX, sizeof *ret_tree->views),
    };
    return !step_failed(step);
}

/* The branch whose next reply is the oldest of all. */
static struct branch *branch_oldest(struct tree *tree)
{
    struct branch *oldest = &tree->branches[0];
    for (size_t i = 1; i < tree->count; i++) {
        if (tree->branches[i].next < oldest->next)
            oldest = &tree->branches[i];
    }
    return oldest;
}

static void branch_add(struct step *step, struct tree *tree, uint64_t parent)
{
    struct branch branch = { .parent = parent };
    if (letter_indexed(step, LETTER_REPLY, parent, parent + 1, &branch.next))
        tree->branches[tree->count++] = branch;
}

static void branch_go_on(struct step *step, struct tree *tree, struct branch *branch)
{
    if (!letter_indexed(step, LETTER_REPLY, branch->parent, branch->next + 1,
                        &branch->next))
        *branch = tree->branches[--tree->count];
}

/* False: the tree has no room for it. */
static bool tree_show(struct step *step, struct tree *tree, uint64_t number)
{
    struct letter letter;
    if (tree->shown == THREAD_MAX || tree->bytes > BYTES_MAX) {
        tree->more = true;
        return false;
    }
    if (!letter_load(step, number, &letter)) {
        step_fail(step, ERR_CORRUPT);
        return false;
    }
    tree->bytes += letter_bytes(&letter);
    letter_view(step, &letter, &tree->views[tree->shown++]);
    return !step_failed(step);
}

/* A reply is younger than what it answers, so the oldest next reply of all branches is
 * always the next of the whole tree. */
static void tree_walk(struct step *step, struct tree *tree, uint64_t root)
{
    if (!tree_show(step, tree, root))
        return;
    branch_add(step, tree, root);
    while (tree->count > 0) {
        struct branch *branch = branch_oldest(tree);
        uint64_t number = branch->next;
        if (!tree_show(step, tree, number))
            return;
        branch_go_on(step, tree, branch);
        branch_add(step, tree, number);
    }
}

static struct slice id_of(struct step *step, uint64_t number)
{
    struct letter letter;
    if (!letter_head(step, number, &letter)) {
        step_fail(step, ERR_CORRUPT);
        return SLICE_OF("");
    }
    return letter_id(step, &letter);
}

void on_get_thread(struct step *step, const struct message_get_thread *message)
{
    struct message answer = { .type = MESSAGE_GET_THREAD_ANSWER };
    struct tree tree;
    uint64_t number;
    struct slice root = message->message_id;
    if (!tree_make(step, &tree))
        return;
    if (letter_find(step, message->message_id, &number)) {
        number = root_of(step, number);
        root = id_of(step, number);
        tree_walk(step, &tree, number);
    }
    answer.as.get_thread_answer = (struct message_get_thread_answer){
        .root = root,
        .messages = { tree.views, tree.shown },
        .count = (int64_t)tree.shown,
        .more = tree.more,
    };
    step_answer(step, &answer, 0);
}

void on_get_thread_replies(struct step *step,
                           const struct message_get_thread_replies *message)
{
    struct message answer = { .type = MESSAGE_GET_THREAD_REPLIES_ANSWER };
    struct tree tree;
    uint64_t number;
    if (!tree_make(step, &tree))
        return;
    if (letter_find(step, message->message_id, &number)) {
        uint64_t reply = number;
        while (letter_indexed(step, LETTER_REPLY, number, reply + 1, &reply) &&
               tree_show(step, &tree, reply))
            continue;
    }
    answer.as.get_thread_replies_answer = (struct message_get_thread_replies_answer){
        .parent = message->message_id,
        .replies = { tree.views, tree.shown },
        .count = (int64_t)tree.shown,
        .more = tree.more,
    };
    step_answer(step, &answer, 0);
}

void on_get_thread_root(struct step *step, const struct message_get_thread_root *message)
{
    struct message answer = { .type = MESSAGE_GET_THREAD_ROOT_ANSWER };
    uint64_t number;
    struct slice root = message->message_id;
    if (letter_find(step, message->message_id, &number))
        root = id_of(step, root_of(step, number));
    answer.as.get_thread_root_answer.message_id = message->message_id;
    answer.as.get_thread_root_answer.root = root;
    step_answer(step, &answer, 0);
}
