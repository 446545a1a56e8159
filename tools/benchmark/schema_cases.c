#include "benchmark/schema_cases.h"

#include "base/ensure.h"
#include "message/message.h"
#include "message/row.h"
#include "os/file.h"

#include <stdio.h>
#include <string.h>

/* Beside this file; tools/bench runs us from the root of the tree. */
#define PIPELINE_SCHEMA "tools/benchmark/pipeline.schema.json"

#define CASE_BYTES_MAX ((size_t)1024 * 1024)

enum { PIPELINE_ROUNDS = 72 };

/* In JSON with ' for ", so that it can be read. `broken` stands in for `whole`. */
struct sample {
    enum message_type type;
    const char *text;
    const char *whole;
    const char *broken;
};

static const struct sample SAMPLES[] = {
    { MESSAGE_IDENTIFY,
      "{'type':'identify','agent_id':'ada-7','token':"
      "'5d1cf1b9c7a84f0e8d5a2b6c3e9f70815d1cf1b9c7a84f0e8d5a2b6c3e9f7081',"
      "'name':'Ada','status':'connected','capabilities':['git','rust','docker','review'],"
      "'client_type':'sidecar','protocol_version':1,'max_concurrent':2}",
      "'protocol_version':1", "'protocol_version':-1" },
    { MESSAGE_TASK_SUBMIT,
      "{'type':'task_submit','description':'Fix the flaky test in the scheduler: it waits "
      "for a timer that may have fired already. See the log of the last night\\u2019s run "
      "and add a test that fails without the change.','priority':'high','metadata':"
      "{'repository':'fleet/scheduler','branch':'main','labels':['bug','flaky'],"
      "'estimate':{'hours':1.5,'tokens':40000},'files':['src/timer.c','src/turn.c']},"
      "'max_retries':3,'complete_by':1795000000000,'needed_capabilities':['git','c'],"
      "'depends_on':['task-0000018f2c3d4e5f'],'request_id':'r-4711',"
      "'idempotency_key':'nightly/2026-11-21/scheduler'}",
      "'max_retries':3", "'max_retries':0" },
    { MESSAGE_TASK_PROGRESS,
      "{'type':'task_progress','task_id':'task-0000018f2c3d4e5f','generation':3,"
      "'progress':42,'note':'the test fails here as well'}",
      "'progress':42", "'progress':420" },
    { MESSAGE_TASK_COMPLETE,
      "{'type':'task_complete','task_id':'task-0000018f2c3d4e5f','generation':3,"
      "'result':{'status':'success','summary':'The timer is armed before the check; the "
      "test fails without the change and passes with it.','commits':['4651dd1','ef4fbe5'],"
      "'files':[{'path':'src/timer.c','added':12,'removed':3},{'path':'tests/test_timer.c',"
      "'added':41,'removed':0}],'checks':{'unit':true,'flow':true}},'tokens_used':38211}",
      "'generation':3", "'generation':'3'" },
};

static const char PIPELINE_HEAD[] =
    "{'version':'2.1','name':'Everything','created':'2026-11-21T10:00:00Z','contact':"
    "{'name':'Builds','email':'builds@example.com','url':'https://builds.example.com/'},"
    "'on':{'push':{'branches':['main','release/*'],'paths':['src/**','tests/**']},"
    "'merge':{'types':['opened','updated'],'labels':['ready']},'schedule':[{'cron':"
    "'0 3 * * 1','zone':'Europe/Berlin'}],'manual':{'inputs':{'target':{'type':'choice',"
    "'options':['staging','production']},'dry':{'type':'flag','default':true}}}},"
    "'variables':{'CI':true,'LEVEL':{'value':3,'description':'how loud'},'LANG':'C.UTF-8'},"
    "'defaults':{'image':'debian:12','shell':'bash','timeout':'30m','retry':{'max':2,"
    "'when':['runner','network'],'backoff':1.75}},'stages':['build','test','package',"
    "'deploy'],'include':[{'local':'ci/common.json'},{'project':'tools/ci','file':"
    "['a.json','b.json'],'ref':'v2'}],'x-owner':'platform','jobs':{";

/* One of each kind of job; every %u is the job's number. */
static const char *const JOBS[] = {
    "'build-%u':{'name':'Build %u','stage':'build','image':{'name':'gcc:%u','pull':"
    "'missing','user':'builder'},'tags':['linux','large'],'rules':[{'if':'$BRANCH == main',"
    "'changes':['src/%u/**'],'when':'on_success'},{'when':'manual'}],'variables':{'CC':"
    "'gcc','JOBS':%u,'CFLAGS':'-O2 -g -Wall','VERBOSE':false,'TARGET':{'value':'x86',"
    "'options':['x86','arm']}},'strategy':{'matrix':{'compiler':['gcc','clang'],'level':"
    "[0,2,3],'exclude':[{'compiler':'clang','level':3}]},'fail_fast':false,'max_parallel'"
    ":6},'before':['uname -a','apt-get install -y ninja'],'steps':[{'uses':"
    "'checkout/source@v4.1','with':{'depth':1,'submodules':true}},{'id':'configure',"
    "'name':'Configure','run':['cmake -S . -B out -G Ninja','cmake --build out --target "
    "part-%u'],'shell':'bash','timeout':'10m'},{'run':'ninja -C out','directory':"
    "'build/%u','variables':{'NINJA_STATUS':'[%%f/%%t] '}},'ccache -s'],'cache':{'key':"
    "{'files':['CMakeLists.txt'],'prefix':'build-%u'},'paths':['.ccache','out/deps'],"
    "'policy':'pull-push'},'artifacts':{'name':'binaries-%u','paths':['out/bin/%u'],"
    "'expire_in':'24h','when':'on_success'},'resources':{'cpu':3.5,'memory':'8Gi','disk':"
    "'40Gi'},'timeout':1800}",
    "'test-%u':{'stage':'test','image':'debian:12','needs':['build-%u',{'job':'lint-%u',"
    "'artifacts':false,'optional':true}],'services':['redis:7',{'image':'postgres:16',"
    "'alias':'db-%u.internal','ports':[5432,'5433:5432/tcp'],'variables':"
    "{'POSTGRES_PASSWORD':'x'},'health':{'command':'pg_isready','interval':'2s','retries'"
    ":10}}],'steps':[{'name':'Unit tests','run':'ctest -R part-%u --output-on-failure',"
    "'continue_on_error':false},{'uses':'report/upload@2','if':'always()','with':{'files':"
    "['a.xml','b.xml'],'shard':%u}}],'artifacts':{'reports':{'junit':['out/junit-%u.xml'],"
    "'coverage':{'format':'cobertura','path':'out/coverage.xml'}},'expire_in':604},"
    "'coverage':'lines: ([0-9]+)%%','retry':1,'allow_failure':{'exit_codes':[77,%u]}}",
    "'package-%u':{'stage':'package','needs':['test-%u'],'image':{'name':'packager:3',"
    "'entrypoint':['/bin/sh','-c'],'credentials':{'username':'ci','secret':"
    "'${{ secrets.REGISTRY_TOKEN }}'}},'steps':['make package','sha256sum out/%u.deb',"
    "{'run':['gpg --detach-sign out/%u.deb'],'variables':{'GNUPGHOME':'/tmp/gpg'}}],"
    "'cache':[{'paths':'debs'},{'key':'keys-%u','paths':['keyring'],'policy':'pull'}],"
    "'artifacts':{'paths':['out/%u.deb'],'exclude':['out/tmp']},'x-notes':{'size':%u}}",
    "'deploy-%u':{'stage':'deploy','needs':['package-%u'],'rules':[{'if':'$TAG','when':"
    "'delayed','start_in':'5m','variables':{'SLOT':%u}},{'when':'never'}],'environment':"
    "{'name':'staging/%u','url':'https://s%u.example.com/','action':'start','tier':"
    "'staging','stop_in':'24h'},'steps':[{'id':'roll','run':'deployer roll --slot %u'},"
    "{'uses':'notify/chat@v1.2.3','with':{'channel':'deploys','text':'slot %u is out'}}],"
    "'timeout':'45m','retry':{'max':1,'when':['timeout']}}",
};

enum {
    JOB_KINDS = sizeof JOBS / sizeof JOBS[0],
    SAMPLE_COUNT = sizeof SAMPLES / sizeof SAMPLES[0]
};

static void quoted_append(struct buffer *target, const char *text)
{
    for (; *text != '\0'; text++)
        buffer_append_byte(target, *text == '\'' ? '"' : *text);
}

static void job_append(struct buffer *target, const char *text, unsigned number)
{
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%u", number);
    for (; *text != '\0'; text++) {
        if (*text == '%' && text[1] == 'u')
            buffer_append_text(target, digits);
        else
            buffer_append_byte(target, *text == '\'' ? '"' : *text);
        if (*text == '%')
            text++;
    }
}

static void pipeline_append(struct buffer *target)
{
    quoted_append(target, PIPELINE_HEAD);
    for (unsigned i = 0; i < PIPELINE_ROUNDS * JOB_KINDS; i++) {
        if (i > 0)
            buffer_append_byte(target, ',');
        job_append(target, JOBS[i % JOB_KINDS], i / JOB_KINDS + 1);
    }
    buffer_append_text(target, "}}");
}

/* Copies `text` with the last `whole` in it replaced. */
static void broken_append(struct buffer *target, struct slice text, const char *whole,
                          const char *broken)
{
    struct buffer wanted;
    buffer_init(&wanted, CASE_BYTES_MAX);
    quoted_append(&wanted, whole);
    struct slice sought = buffer_slice(&wanted);
    size_t at = text.size - sought.size;
    while (at > 0 && memcmp(text.data + at, sought.data, sought.size) != 0)
        at--;
    ENSURE(at > 0);
    buffer_append(target, text.data, at);
    quoted_append(target, broken);
    buffer_append_slice(target, slice_skip(text, at + sought.size));
    buffer_finish(&wanted);
}

static struct schema_case *case_add(struct schema_cases *cases, const char *name)
{
    ENSURE(cases->count < SCHEMA_CASES_MAX);
    struct schema_case *added = &cases->items[cases->count++];
    added->name = name;
    buffer_init(&added->schema, CASE_BYTES_MAX);
    buffer_init(&added->instance, CASE_BYTES_MAX);
    buffer_init(&added->broken, CASE_BYTES_MAX);
    return added;
}

enum err schema_cases_init(struct schema_cases *cases)
{
    static char names[SAMPLE_COUNT][32];
    cases->count = 0;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct message_row *row = &MESSAGE_ROWS[SAMPLES[i].type];
        (void)snprintf(names[i], sizeof names[i], "%.*s", (int)row->name.size,
                       row->name.data);
        struct schema_case *added = case_add(cases, names[i]);
        buffer_append_slice(&added->schema, row->schema);
        quoted_append(&added->instance, SAMPLES[i].text);
        broken_append(&added->broken, buffer_slice(&added->instance), SAMPLES[i].whole,
                      SAMPLES[i].broken);
    }
    struct schema_case *pipeline = case_add(cases, "pipeline");
    enum err err = file_read(PIPELINE_SCHEMA, CASE_BYTES_MAX, &pipeline->schema);
    if (err != ERR_OK)
        (void)fprintf(stderr, "%s cannot be read: run tools/bench\n", PIPELINE_SCHEMA);
    pipeline_append(&pipeline->instance);
    broken_append(&pipeline->broken, buffer_slice(&pipeline->instance),
                  "'tier':'staging'", "'tier':'stage'");
    for (size_t i = 0; i < cases->count && err == ERR_OK; i++)
        if (buffer_failed(&cases->items[i].schema) ||
            buffer_failed(&cases->items[i].instance) ||
            buffer_failed(&cases->items[i].broken))
            err = ERR_MEMORY;
    return err;
}

void schema_cases_finish(struct schema_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        buffer_finish(&cases->items[i].schema);
        buffer_finish(&cases->items[i].instance);
        buffer_finish(&cases->items[i].broken);
    }
}
