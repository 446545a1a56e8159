#!/usr/bin/env node
/*
 * A client as AgentCom v1.1 had it: npm's ws, identify with fields the hub does not know,
 * a ping every so often, tasks taken one at a time, generations echoed, nothing of
 * Drover's additions. The smoke and scale stories of v1.1 are told with it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket from 'ws';
import { story, tell, tick, until } from './support.mjs';

/* The sidecar's side of v1.1, acting at once as its simulators did. */
class Sidecar {
  constructor(hub, agentId, capabilities = []) {
    Object.assign(this, { hub, agentId, capabilities, done: [], errors: [], pongs: 0 });
    this.active = null;
    this.work = async () => ({ status: 'success', output: `done by ${agentId}` });
  }

  async connect() {
    this.token ??= await this.hub.register(this.agentId);
    this.ws = new WebSocket(`ws://127.0.0.1:${this.hub.port}/ws`);
    this.ws.on('message', (data) => this.hear(JSON.parse(data.toString())));
    this.closed = once(this.ws, 'close');
    this.ws.on('error', () => {});
    await once(this.ws, 'open');
    this.identified = new Promise((resolve) => { this.onIdentified = resolve; });
    this.send({
      type: 'identify', agent_id: this.agentId, token: this.token, name: this.agentId,
      status: 'idle', capabilities: this.capabilities, client_type: 'sidecar',
      protocol_version: 1,
    });
    await this.identified;
    this.pinging = setInterval(() => this.send({ type: 'ping' }), 200);
    return this;
  }

  send(message) {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(message));
  }

  hear(message) {
    if (message.type === 'identified') {
      this.onIdentified();
      if (this.active) {
        this.send({
          type: 'task_recovering', task_id: this.active.task_id, protocol_version: 1,
        });
      }
    } else if (message.type === 'task_assign') this.take(message);
    else if (message.type === 'task_continue') this.finish(this.active);
    else if (message.type === 'task_reassign') this.active = null;
    else if (message.type === 'task_ack' && message.status === 'complete') this.acked(message);
    else if (message.type === 'pong') this.pongs += 1;
    else if (message.type === 'error') this.errors.push(message);
  }

  async take(assignment) {
    assert.equal(this.active, null, `${this.agentId} was given a second task`);
    this.active = assignment;
    this.send({ type: 'task_accepted', task_id: assignment.task_id, protocol_version: 1 });
    await this.finish(assignment);
  }

  async finish(assignment) {
    const result = await this.work(assignment);
    if (result === null || this.active !== assignment) return;
    if (result.status === 'success') {
      this.send({
        type: 'task_complete', task_id: assignment.task_id,
        generation: assignment.generation, result, protocol_version: 1,
      });
    } else {
      this.active = null;
      this.send({
        type: 'task_failed', task_id: assignment.task_id,
        generation: assignment.generation, reason: result.reason, protocol_version: 1,
      });
    }
    if (result.status === 'success') this.active = null;
  }

  acked(message) {
    this.done.push(message.task_id);
  }

  vanish() {
    clearInterval(this.pinging);
    this.ws.terminate();
    return this.closed;
  }

  leave() {
    clearInterval(this.pinging);
    this.ws.close(1000);
    return this.closed;
  }
}

async function fleet(hub, count, prefix) {
  return Promise.all(Array.from({ length: count },
    (_, n) => new Sidecar(hub, `${prefix}-${n}`).connect()));
}

function waitOf(task) {
  return task.assigned_at - task.created_at;
}

story('01 basic: 2 agents, 10 tasks, both do some', async (hub) => {
  const agents = await fleet(hub, 2, 'basic');
  const ids = [];
  for (let n = 0; n < 10; n += 1) ids.push(await hub.submit(`task ${n}`));
  const tasks = await hub.allCompleted(ids);
  for (const task of tasks) {
    assert.ok(waitOf(task) < 5000, `${task.id} waited ${waitOf(task)} ms`);
    assert.equal(task.status, 'completed');
    assert.equal(task.result.output, `done by ${task.assigned_to}`);
  }
  for (const agent of agents) {
    assert.ok(tasks.some((task) => task.assigned_to === agent.agentId));
    assert.deepEqual(agent.errors, []);
  }
  await Promise.all(agents.map((agent) => agent.leave()));
});

story('02 failure: the other agent finishes what a killed one had', async (hub) => {
  const [first, second] = await fleet(hub, 2, 'failure');
  first.work = async () => null;
  second.work = async () => null;
  const id = await hub.submit('to be survived');
  await until(async () => (await hub.task(id)).state === 'working', 'it is taken');
  const holder = first.active ? first : second;
  const other = holder === first ? second : first;
  other.work = async () => ({ status: 'success' });
  await holder.vanish();
  const [task] = await hub.allCompleted([id]);
  assert.equal(task.assigned_to, other.agentId);
  assert.equal(task.history.filter((item) => item.event === 'completed').length, 1);
  assert.deepEqual([holder.done, other.done], [[], [id]]);
  await other.leave();
}, '--reconnect-grace-ms', '300');

story('02b failure: five tasks, none twice', async (hub) => {
  const [first, second] = await fleet(hub, 2, 'failure');
  first.work = async () => null;
  const ids = [];
  for (let n = 0; n < 5; n += 1) ids.push(await hub.submit(`task ${n}`));
  await until(() => first.active, 'the first has one');
  await first.vanish();
  const tasks = await hub.allCompleted(ids);
  assert.deepEqual([...second.done].sort(), [...ids].sort());
  for (const task of tasks) {
    assert.equal(task.history.filter((item) => item.event === 'completed').length, 1);
  }
  await second.leave();
}, '--reconnect-grace-ms', '300');

story('03 scale: 4 agents share 20 tasks of all priorities', async (hub) => {
  const words = [['urgent', 4], ['high', 4], ['normal', 8], ['low', 4]];
  const ids = [];
  // The urgent ones come last: only the queue's order can bring them first.
  for (const [priority, count] of [...words].reverse()) {
    for (let n = 0; n < count; n += 1) ids.push(await hub.submit(priority, { priority }));
  }
  const agents = await fleet(hub, 4, 'scale');
  const tasks = await hub.allCompleted(ids);
  const mean = (number) => {
    const of = tasks.filter((task) => task.priority === number);
    return of.reduce((sum, task) => sum + task.assigned_at, 0) / of.length;
  };
  assert.ok(mean(0) <= mean(3), 'urgent comes before low');
  assert.equal(agents.reduce((sum, agent) => sum + agent.done.length, 0), 20);
  await Promise.all(agents.map((agent) => agent.leave()));
});

story('03 scale: submitted one by one, each agent does its share', async (hub) => {
  const agents = await fleet(hub, 4, 'share');
  for (const agent of agents) {
    agent.work = async () => { await tick(); return { status: 'success' }; };
  }
  const ids = [];
  for (let n = 0; n < 20; n += 1) ids.push(await hub.submit(`task ${n}`));
  await hub.allCompleted(ids);
  await until(() => agents.reduce((sum, agent) => sum + agent.done.length, 0) === 20,
    'all are acknowledged');
  for (const agent of agents) {
    assert.ok(agent.done.length >= 3 && agent.done.length <= 7,
      `${agent.agentId} did ${agent.done.length}`);
  }
  await Promise.all(agents.map((agent) => agent.leave()));
});

story('03b scale: 12 tasks, urgent and low in turn', async (hub) => {
  const ids = [];
  for (let n = 0; n < 12; n += 1) {
    ids.push(await hub.submit(`task ${n}`, { priority: n % 2 ? 'low' : 'urgent' }));
  }
  const agents = await fleet(hub, 4, 'turns');
  const tasks = await hub.allCompleted(ids);
  const last = Math.max(...tasks.filter((t) => t.priority === 0).map((t) => t.assigned_at));
  const first = Math.min(...tasks.filter((t) => t.priority === 3).map((t) => t.assigned_at));
  assert.ok(last <= first, 'no low one before an urgent one');
  await Promise.all(agents.map((agent) => agent.leave()));
});

story('a failure is retried and ends as a dead letter', async (hub) => {
  const [agent] = await fleet(hub, 1, 'fails');
  agent.work = async () => ({ status: 'failed', reason: 'no can do' });
  const id = await hub.submit('poison');
  await until(async () => (await hub.task(id)).status === 'dead_letter', 'it is buried');
  const task = await hub.task(id);
  assert.equal(task.last_error, 'no can do');
  assert.equal(task.retry_count, 3);
  agent.work = async () => ({ status: 'success' });
  assert.equal((await hub.post(`/api/tasks/${id}/retry`, {})).status, 200);
  await hub.allCompleted([id]);
  await agent.leave();
});

story('a sidecar recovers its task after a lost connection', async (hub) => {
  const agent = await new Sidecar(hub, 'recovers').connect();
  agent.work = async () => null;
  const id = await hub.submit('long work');
  await until(() => agent.active, 'it is taken');
  await until(async () => (await hub.task(id)).state === 'working', 'it is accepted');
  await agent.vanish();
  agent.work = async () => ({ status: 'success' });
  await agent.connect();
  const [task] = await hub.allCompleted([id]);
  assert.deepEqual([task.generation, task.retry_count], [1, 0]);
  assert.deepEqual(agent.errors, []);
  await agent.leave();
});

story('pings are answered while nothing else happens', async (hub) => {
  const agent = await new Sidecar(hub, 'pings').connect();
  await until(() => agent.pongs >= 5, 'five pongs have come');
  assert.deepEqual(agent.errors, []);
  await agent.leave();
}, '--idle-timeout-ms', '1000');

story('no extension is agreed on', async (hub) => {
  const ws = new WebSocket(`ws://127.0.0.1:${hub.port}/ws`, { perMessageDeflate: true });
  await once(ws, 'open');
  assert.equal(ws.extensions, '');
  ws.close();
  await once(ws, 'close');
});

await tell();
