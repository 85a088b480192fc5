// Drives the official TypeScript SDK against the servers named in SERVERS (JSON: name -> base URL), and prints one
// JSON line a check: {"check", "error"}, error null when it holds. test_typescript_sdk.py reads the names from here.

import assert from "node:assert/strict";
import Parallel from "parallel-web";

const servers = JSON.parse(process.env.SERVERS);
const client = (server = "plain", apiKey = "k") =>
  new Parallel({ apiKey, baseURL: servers[server], maxRetries: 0, timeout: 10_000 });
const sdk = client();

const SPEC = {
  output_schema: {
    type: "json",
    json_schema: {
      type: "object",
      properties: { gdp: { type: "string" } },
      required: ["gdp"],
      additionalProperties: false,
    },
  },
};
const RUN = { input: "France", processor: "core" };

async function all(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

async function refused(call, kind, status) {
  const error = await call.then(
    () => assert.fail("it was not refused"),
    (caught) => caught,
  );
  assert.ok(error instanceof kind, `${error}`);
  assert.equal(error.status, status);
  return error;
}

async function group(...inputs) {
  const created = await sdk.taskGroup.create({ metadata: { team: "revops" } });
  const runs = inputs.map((input, n) => ({ input, processor: "core", metadata: { n: String(n) } }));
  const added = await sdk.taskGroup.addRuns(created.taskgroup_id, { inputs: runs, default_task_spec: SPEC });
  return [created.taskgroup_id, added];
}

const states = (events) => events.filter((event) => event.type === "task_run.state");
const ids = (events) => states(events).map((event) => event.run.run_id);

const checks = [];
const check = (name, body) => checks.push([name, body]);

check("create answers with a queued run", async () => {
  const run = await sdk.taskRun.create({ ...RUN, metadata: { k: "v", n: 1.5, b: true } });
  assert.match(run.run_id, /^trun_/);
  assert.deepEqual([run.interaction_id, run.status, run.is_active], [run.run_id, "queued", true]);
  assert.deepEqual(run.metadata, { k: "v", n: 1.5, b: true });
});

check("retrieve answers with the run", async () => {
  const run = await sdk.taskRun.create(RUN);
  await sdk.taskRun.result(run.run_id);
  const shown = await sdk.taskRun.retrieve(run.run_id);
  assert.deepEqual([shown.run_id, shown.status, shown.is_active], [run.run_id, "completed", false]);
});

check("result of a json schema", async () => {
  const run = await sdk.taskRun.create({ ...RUN, task_spec: SPEC });
  const { output } = await sdk.taskRun.result(run.run_id, { timeout: 5 });
  assert.deepEqual([output.type, output.content], ["json", { gdp: "France" }]);
  assert.equal(output.basis[0].citations[0].excerpts[0], "words");
});

check("result of a text schema", async () => {
  const run = await sdk.taskRun.create({ ...RUN, task_spec: { output_schema: "The founding year" } });
  const { output } = await sdk.taskRun.result(run.run_id);
  assert.deepEqual([output.type, output.content, output.basis[0].field], ["text", "answer to France", "output"]);
});

check("result of an auto schema has the schema", async () => {
  const run = await sdk.taskRun.create({ ...RUN, task_spec: { output_schema: { type: "auto" } } });
  const { output } = await sdk.taskRun.result(run.run_id);
  assert.deepEqual(output.output_schema.properties, { gdp: { type: "string" } });
});

check("input comes back as it was given", async () => {
  const given = { ...RUN, input: { country: "France" }, task_spec: SPEC, source_policy: { include_domains: [".gov"] } };
  const run = await sdk.taskRun.create(given);
  assert.deepEqual(await sdk.taskRun.retrieveInput(run.run_id), given);
});

async function checkRunEvents(stream, runId) {
  const events = await all(stream);
  assert.deepEqual(ids(events), [runId, runId]);
  assert.deepEqual([events[0].type, events.at(-1).type], ["task_run.state", "task_run.state"]);
  assert.equal(events.at(-1).run.status, "completed");
  assert.deepEqual(events.at(-1).output.content, { gdp: "France" });
  return new Set(events.map((event) => event.type));
}

check("run events begin with the state and end with the output", async () => {
  const run = await sdk.taskRun.create({ ...RUN, enable_events: true, betas: ["events-sse-2025-07-24"] });
  const older = sdk.get(`/v1beta/tasks/runs/${run.run_id}/events`, { stream: true });
  for (const stream of [sdk.taskRun.events(run.run_id), older]) {
    const kinds = await checkRunEvents(stream, run.run_id);
    for (const kind of ["progress_msg.plan", "progress_msg.search", "progress_msg.result", "progress_stats"])
      assert.ok(kinds.has(`task_run.${kind}`), kind);
  }
});

check("an earlier interaction can be named", async () => {
  const first = await sdk.taskRun.create(RUN);
  await sdk.taskRun.result(first.run_id);
  const again = { ...RUN, input: "And then?", previous_interaction_id: first.interaction_id };
  const second = await sdk.taskRun.create(again);
  assert.equal((await sdk.taskRun.result(second.run_id)).run.status, "completed");
});

check("a failed run says why", async () => {
  const run = await sdk.taskRun.create({ ...RUN, input: "boom" });
  await refused(sdk.taskRun.result(run.run_id), Parallel.NotFoundError, 404);
  assert.ok((await sdk.taskRun.retrieve(run.run_id)).error.ref_id);
});

check("a group has metadata and a status", async () => {
  const [id] = await group("a");
  const shown = await sdk.taskGroup.retrieve(id);
  assert.deepEqual([shown.metadata, shown.status.num_task_runs], [{ team: "revops" }, 1]);
});

check("add runs answers with ids in the order of inputs", async () => {
  const [id, added] = await group("a", "b", "c");
  for (const [n, runId] of added.run_ids.entries()) {
    const run = await sdk.taskGroup.retrieveRun(runId, { taskgroup_id: id });
    assert.deepEqual([run.metadata, run.taskgroup_id], [{ n: String(n) }, id]);
  }
});

check("get runs streams inputs and outputs", async () => {
  const [id, added] = await group("a", "b");
  await all(sdk.taskGroup.events(id));
  const events = await all(sdk.taskGroup.getRuns(id, { include_input: true, include_output: true }));
  assert.deepEqual(ids(events), added.run_ids);
  assert.deepEqual(events.map((event) => event.input.input), ["a", "b"]);
  assert.deepEqual(events.map((event) => event.output.content.gdp), ["a", "b"]);
});

check("get runs filters by status", async () => {
  const [id, added] = await group("a", "boom");
  await all(sdk.taskGroup.events(id));
  assert.deepEqual(ids(await all(sdk.taskGroup.getRuns(id, { status: "failed" }))), [added.run_ids[1]]);
});

check("get runs resumes after every event without loss or repeat", async () => {
  const [id, added] = await group(..."abcde");
  const events = await all(sdk.taskGroup.getRuns(id));
  for (const [seen, event] of events.entries()) {
    const rest = await all(sdk.taskGroup.getRuns(id, { last_event_id: event.event_id }));
    assert.deepEqual(ids(rest), added.run_ids.slice(seen + 1));
  }
});

check("events resume after every event without loss or repeat", async () => {
  const [id, added] = await group(..."abcde");
  const events = await all(sdk.taskGroup.events(id));
  assert.deepEqual(ids(events).sort(), [...added.run_ids].sort());
  for (const [seen, event] of events.entries()) {
    const rest = await all(sdk.taskGroup.events(id, { last_event_id: event.event_id }));
    const names = (list) => list.map((one) => one.event_id);
    assert.deepEqual(names(rest.slice(1)), names(events.slice(seen + 1)));
  }
});

check("the cursors of add runs stand before its runs", async () => {
  const [id] = await group("a", "b");
  await all(sdk.taskGroup.events(id));
  const added = await sdk.taskGroup.addRuns(id, { inputs: [RUN], default_task_spec: SPEC, refresh_status: false });
  const events = await all(sdk.taskGroup.events(id, { last_event_id: added.event_cursor }));
  const runs = await all(sdk.taskGroup.getRuns(id, { last_event_id: added.run_cursor }));
  assert.deepEqual([ids(events), ids(runs)], [added.run_ids, added.run_ids]);
});

check("events with a timeout end though runs are active", async () => {
  const held = client("held");
  const { taskgroup_id } = await held.taskGroup.create({});
  await held.taskGroup.addRuns(taskgroup_id, { inputs: [RUN] });
  const events = await all(held.taskGroup.events(taskgroup_id, { timeout: 0.05 }));
  assert.ok(events.at(-1).status.is_active);
});

check("search answers with results", async () => {
  const found = await sdk.search({ search_queries: ["france gdp"], objective: "the gdp" });
  assert.deepEqual([found.results[0].url, found.results[0].excerpts], ["https://a.example/", ["words"]]);
  assert.ok(found.search_id && found.session_id);
});

check("401 without the right key", () =>
  refused(client("keyed", "wrong").taskRun.retrieve("trun_0"), Parallel.AuthenticationError, 401));

check("402 when credit is used up", () =>
  refused(client("poor").taskRun.create(RUN), Parallel.APIError, 402));

check("403 for an unknown processor", () =>
  refused(sdk.taskRun.create({ ...RUN, processor: "hyper" }), Parallel.PermissionDeniedError, 403));

check("404 for an unknown run", async () => {
  for (const call of ["retrieve", "result", "retrieveInput", "events"])
    await refused(sdk.taskRun[call]("trun_0"), Parallel.NotFoundError, 404);
});

check("404 for an unknown group", async () => {
  for (const call of ["retrieve", "getRuns", "events"])
    await refused(sdk.taskGroup[call]("tgrp_0"), Parallel.NotFoundError, 404);
});

check("408 while the run is active", async () => {
  const held = client("held");
  const run = await held.taskRun.create(RUN);
  const error = await refused(held.taskRun.result(run.run_id, { timeout: 0 }), Parallel.APIError, 408);
  assert.ok(error.error.error.ref_id);
});

check("422 for a run beyond the limits", async () => {
  const call = sdk.taskRun.create({ ...RUN, metadata: { ["k".repeat(17)]: "v" } });
  const error = await refused(call, Parallel.UnprocessableEntityError, 422);
  assert.ok(error.error.error.detail.errors.length);
});

check("422 of a group names the place", async () => {
  const { taskgroup_id } = await sdk.taskGroup.create({});
  const call = sdk.taskGroup.addRuns(taskgroup_id, { inputs: [{ ...RUN, previous_interaction_id: "trun_0" }] });
  const error = await refused(call, Parallel.UnprocessableEntityError, 422);
  assert.deepEqual(error.error.detail[0].loc.slice(0, 3), ["body", "inputs", 0]);
});

check("422 for a search without queries", () =>
  refused(sdk.search({ search_queries: [] }), Parallel.UnprocessableEntityError, 422));

check("429 over the rate limit", async () => {
  const limited = client("limited");
  await limited.taskRun.create(RUN);
  const error = await refused(limited.taskRun.create(RUN), Parallel.RateLimitError, 429);
  assert.ok(Number(error.headers.get("retry-after")) > 0);
});

for (const [name, body] of checks) {
  let error = null;
  try {
    await body();
  } catch (caught) {
    error = String(caught?.stack ?? caught);
  }
  console.log(JSON.stringify({ check: name, error }));
}
