/*
 * What the stories in JavaScript share: a hub of their own in a folder of its own, waiting
 * without fixed times, and the loop that tells the stories.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const BIN = process.env.DROVER_BIN || join(ROOT, 'build', 'bin');
const PATIENCE_MS = process.env.DROVER_SANITIZE ? 60_000 : 30_000;

export const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

export async function until(question, what) {
  const limit = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > limit) throw new Error(`waited too long until ${what}`);
    await tick();
  }
}

export class Hub {
  constructor(...flags) {
    this.folder = mkdtempSync(join(tmpdir(), 'drover-flow-'));
    this.flags = flags;
  }

  async start() {
    const portFile = join(this.folder, 'port');
    const log = openSync(join(this.folder, 'hub.log'), 'a');
    this.process = spawn(
      join(BIN, 'drover-hub'),
      ['--data', join(this.folder, 'data'), '--listen', '127.0.0.1:0',
        '--port-file', portFile, ...this.flags],
      {
        stdio: ['ignore', log, log],
        env: { ...process.env, DROVER_FORCED_FILE_SYSTEM: 'true' },
      });
    this.exit = once(this.process, 'exit');
    await until(() => {
      assert.equal(this.process.exitCode, null, this.log());
      return existsSync(portFile) && readFileSync(portFile, 'utf8').trim();
    }, 'the hub listens');
    this.port = Number(readFileSync(portFile, 'utf8'));
    await until(() => this.get('/readyz').then((a) => a.status === 200, () => false),
      'the hub is ready');
    await this.enrol();
    return this;
  }

  log() {
    return readFileSync(join(this.folder, 'hub.log'), 'utf8');
  }

  async stop() {
    this.process.kill('SIGTERM');
    const [code] = await this.exit;
    assert.equal(code, 0, this.log());
  }

  discard() {
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async get(path) {
    return fetch(`http://127.0.0.1:${this.port}${path}`,
      { headers: this.token ? { authorization: `Bearer ${this.token}` } : {} });
  }

  async post(path, body) {
    return fetch(`http://127.0.0.1:${this.port}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
      },
      body: JSON.stringify(body),
    });
  }

  /** Its own token is one of a submitter: an agent may not submit as much. */
  async enrol() {
    this.token = readFileSync(join(this.folder, 'data', 'enrolment.secret'), 'utf8').trim();
    this.token = (await (await this.post('/api/enrol', {})).json()).token;
    const answer = await this.post('/admin/tokens', { agent_id: 'submitter', role: 'submitter' });
    assert.equal(answer.status, 201);
    this.token = (await answer.json()).token;
  }

  async register(agentId) {
    const answer = await this.post('/api/onboard/register', { agent_id: agentId });
    assert.equal(answer.status, 201);
    return (await answer.json()).token;
  }

  async submit(description, fields = {}) {
    const answer = await this.post('/api/tasks', { description, ...fields });
    assert.equal(answer.status, 201);
    return (await answer.json()).task_id;
  }

  async task(id) {
    return (await this.get(`/api/tasks/${id}`)).json();
  }

  async allCompleted(ids) {
    await until(async () => {
      const page = await (await this.get('/api/tasks?status=completed&limit=1000')).json();
      const done = new Set(page.tasks.map((task) => task.id));
      return ids.every((id) => done.has(id));
    }, 'all tasks are completed');
    return Promise.all(ids.map((id) => this.task(id)));
  }
}

const cases = [];

/* A story with a hub of its own, started with these flags. */
export function story(name, run, ...flags) {
  cases.push({ name, run, flags });
}

/* Tells every story, or those whose names hold one of the arguments, and ends. */
export async function tell() {
  const wanted = process.argv.slice(2);
  let failed = 0;
  for (const { name, run, flags } of cases) {
    if (wanted.length && !wanted.some((word) => name.includes(word))) continue;
    const started = Date.now();
    const hub = new Hub(...flags);
    try {
      await hub.start();
      await run(hub);
      await hub.stop();
      assert.ok(!/Sanitizer|runtime error:/.test(hub.log()), hub.log());
      console.log(`ok      ${name} (${((Date.now() - started) / 1000).toFixed(2)} s)`);
    } catch (error) {
      failed += 1;
      console.error(error);
      console.error(hub.log().split('\n').slice(-30).join('\n'));
      console.log(`FAILED  ${name}`);
    } finally {
      hub.discard();
    }
  }
  process.exit(failed ? 1 : 0);
}
