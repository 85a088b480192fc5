
// --- decisions: saved in the ledger at once, and shown when the ledger has them ---

const LETTERS = { a: "accept", r: "reject", c: "correct", b: "blank", u: "clear" };
const given = (cell) => cell.k || cell.l === "given";

/** The actions on a cell: each a verdict and its name. */
function actions(cell) {
  const found = [];
  if (hasValue(cell)) found.push(["accept", "Accept"], ["reject", "Reject"], ["correct", "Correct…"]);
  else found.push(["correct", "Enter value…"]);
  if (cell.l !== "unanswered" && !given(cell)) found.splice(hasValue(cell) ? 3 : 0, 0, ["blank", "Leave blank"]);
  if (cell.d) found.push(["clear", "Undo"]);
  return found;
}

/** The verdict of a letter on a cell: where nothing was found, accepting it leaves the cell blank. */
function verdictOf(letter, cell) {
  const wanted = LETTERS[letter.toLowerCase()], there = actions(cell).map(([verdict]) => verdict);
  if (wanted === "accept" && !there.includes("accept") && there.includes("blank")) return "blank";
  return there.includes(wanted) ? wanted : null;
}

/** Save a decision; throws an Error with a message for the reviewer if the ledger does not have it. */
async function save(row, at, decision) {
  let response;
  try {
    response = await fetch("decisions", {
      method: "POST", headers: { "content-type": "application/json" }, credentials: "omit",
      body: JSON.stringify({ key: row.key, row: row.n, field: data.fields[at].name, value: null, note: null, ...decision }),
    });
  } catch {
    throw new Error("Not saved: the review has stopped. Start `rowcite review` again.");
  }
  const saved = await response.json().catch(() => ({ error: `the server returned status ${response.status}` }));
  if (!response.ok) throw Object.assign(new Error(`Not saved: ${saved.error}`), { invalid: response.status === 422 });
  for (const same of data.rows.filter((other) => other.key === row.key)) {
    const cell = same.cells[at];
    cell.d = saved.decision || undefined;
    cell.z = saved.others;
    cell.a = undefined;
    redraw(same);
  }
  showProgress();
}

function showProgress() {
  const rows = data.rows.filter((row) => row.key !== null && wanting(row).length);
  const done = rows.filter((row) => !needsReview(row)).length, n = (value) => value.toLocaleString("en");
  byId("bar").max = Math.max(rows.length, 1);
  byId("bar").value = done;
  byId("bar").hidden = !rows.length;
  byId("progress").textContent = rows.length ? `${n(done)} of ${n(rows.length)} rows decided` : "No row needs review";
}

const announce = (words) => { byId("announcement").textContent = words; };
function failed(group, message) {
  group.querySelector(".failed")?.remove();
  if (message) group.append(make("p", { class: "failed", role: "alert" }, clean(message)));
}

/** The other reviewers' decisions, which the server sends for decided cells only; and what compared processors answered. */
function aside(cell) {
  const found = (cell.h || []).map(([name, value, confidence, urls]) => make("li", {}, make("b", {}, foreign(name)), " ",
    value === null ? "no accepted value" : foreign(shown(value)), make("span", { class: "host" }, value === null ? "" : ` ${confidence}`), ...urls.slice(0, 3).map(link)));
  const others = (cell.z || []).map((made) => {
    const value = made.verdict === "correct" ? [": ", foreign(shown(made.value))] : [];
    return make("p", { class: "other" }, `${verdictOn(cell, made.verdict)} by `, foreign(made.who), ...value);
  });
  return [found.length ? make("ul", { class: "sides", "aria-label": "Answers that differ" }, ...found) : null, ...others].filter(Boolean);
}
function link(address) {
  const url = safeUrl(address);
  return make("span", { class: "host" }, " ", url ? make("a", { href: url.href, rel: "noopener noreferrer", target: "_blank" }, foreign(url.hostname)) : foreign(address));
}

// --- the form of a correction ---

const formatOf = (field) => ({ array: "one per line", object: "JSON", json: "JSON", date: "YYYY-MM-DD" }[field.kind] || field.kind);

function entry(field, now) {
  if (field.choices.length || field.kind === "boolean") {
    const select = make("select", {}, make("option", { value: "" }, "Choose…"));
    for (const choice of field.kind === "boolean" ? ["true", "false"] : field.choices) select.append(make("option", { value: choice }, clean(choice)));
    return select;
  }
  const long = ["array", "object", "json"].includes(field.kind);
  const input = make(long ? "textarea" : "input", { autocomplete: "off", inputmode: ["integer", "number"].includes(field.kind) ? "decimal" : null });
  input.value = now === null || now === undefined ? "" : field.kind === "array" && Array.isArray(now)
    ? now.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join("\n") : shown(now);
  return input;
}

function parsed(field, value) {
  if (!value.trim()) throw new Error("Enter a value, or leave the cell blank.");
  if (field.kind === "array") {
    return value.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => (/^[[{]/.test(line) ? JSON.parse(line) : line));
  }
  if (field.kind === "object") return JSON.parse(value);
  return field.kind === "boolean" ? value === "true" : value;
}

/** Open or close the form. `send` saves a decision and returns a promise; `close` gets the focus back. */
function correct(group, row, at, send, close) {
  const opened = group.querySelector("form");
  if (opened) { opened.remove(); close(); return; }
  const cell = row.cells[at], field = data.fields[at], before = cell.d || cell.a;
  const input = entry(field, before?.verdict === "correct" ? before.value : cell.v ?? cell.s);
  const note = make("input", { maxlength: "1000", autocomplete: "off" }), cancel = make("button", { type: "button" }, "Cancel");
  const form = make("form", {}, make("label", {}, `Value (${formatOf(field)})`, input), make("label", {}, "Note (optional)", note),
    make("button", { type: "submit", class: "save" }, "Save"), cancel);
  const leave = () => { form.remove(); failed(group, ""); close(); };
  cancel.addEventListener("click", leave);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    let value = input.value;
    try { value = parsed(field, value); } catch (error) { failed(group, error.message); input.focus(); return; }
    send({ verdict: "correct", value, note: note.value.trim() || null });
  });
  group.append(form);
  input.focus();
  input.select?.();
}

// --- the list ---

/** Where a row is in the review; its own status is a filter. A row that was not sent cannot be decided on. */
hooks.state = (row) => {
  if (row.key === null) return make("td", { class: `state ${row.status}` }, row.status);
  const some = wanting(row), open = some.some((at) => !decided(row, at));
  return make("td", { class: `state ${open ? "rejected" : ""}` }, open ? "to review" : some.length || row.cells.some((_, at) => decided(row, at)) ? "decided" : "–");
};

hooks.cell = (row, at) => {
  const field = data.fields[at], cell = row.cells[at];
  const group = make("div", { class: "decide", role: "group", "aria-label": `Decision on ${clean(field.name)} of ${clean(row.label)}` });
  if (row.key === null) return group;
  for (const [verdict, name] of actions(cell)) {
    const button = make("button", { type: "button", "data-verdict": verdict, "aria-pressed": verdict === "clear" ? null : String(decided(row, at) && cell.d.verdict === verdict) }, name);
    button.addEventListener("click", () => choose(group, row, at, verdict));
    group.append(button);
  }
  group.addEventListener("keydown", (event) => {
    if (!byId("keys-on").checked || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.tagName !== "BUTTON" || event.target.closest("form")) return;
    const verdict = LETTERS[event.key.toLowerCase()] ? verdictOf(event.key, cell) : null;
    if (verdict) { event.preventDefault(); choose(group, row, at, verdict); }
  });
  return make("div", {}, ...aside(cell), group);
};

function choose(group, row, at, verdict) {
  const send = (decision) => sendFromList(group, row, at, decision);
  if (verdict !== "correct") { send({ verdict }); return; }
  correct(group, row, at, send, () => group.querySelector("[data-verdict=correct]").focus());
}

async function sendFromList(group, row, at, decision) {
  failed(group, "");
  try { await save(row, at, decision); } catch (error) { failed(group, error.message); return; }
  const redrawn = cellNode(row, at);
  group.closest(".cell").replaceWith(redrawn);
  const verdict = decision.verdict === "clear" ? actions(row.cells[at])[0][0] : decision.verdict;
  redrawn.querySelector(`[data-verdict=${verdict}]`)?.focus();
  announce(`${decision.verdict === "clear" ? "Undone" : verdictOn(row.cells[at], decision.verdict)}: ${clean(data.fields[at].name)} of ${clean(row.label)}. ${byId("progress").textContent}.`);
}

// --- all values of a field at once ---

const all = { cells: [], done: [] };

/** Offer to accept the open values of the field that is chosen, in the rows that are shown. */
hooks.drawn = (rows) => {
  const at = byId("field").value === "" ? null : Number(byId("field").value);
  all.cells = at === null || byId("status").value !== "review" ? [] : rows.filter((row) => row.key !== null && !decided(row, at) && hasValue(row.cells[at])).map((row) => [row, at]);
  byId("all").hidden = !all.cells.length;
  byId("all").textContent = `Accept all ${all.cells.length.toLocaleString("en")} values of ${at === null ? "" : clean(data.fields[at].name)}…`;
};

function askAcceptAll() {
  byId("sure-title").textContent = byId("all").textContent.replace("…", "?");
  byId("sure").returnValue = "";
  byId("sure").showModal();
  byId("sure-no").focus(); // not by autofocus, which the browser also tries when the page loads
}

/** Save one decision after the other; a value that its column cannot hold is left open. */
async function eachCell(cells, verdict) {
  const done = [], problems = [];
  for (const [row, at] of cells) {
    try { await save(row, at, { verdict }); done.push([row, at]); } catch (error) { problems.push(error); if (!error.invalid) break; }
    announce(`${done.length.toLocaleString("en")} of ${cells.length.toLocaleString("en")} saved.`);
  }
  draw();
  const words = verdict === "clear" ? "Undone" : VERDICTS[verdict];
  announce(`${words}: ${done.length.toLocaleString("en")} values. ${problems.length ? `${(cells.length - done.length).toLocaleString("en")} left open. ${clean(problems.at(-1).message)}` : ""}`);
  return done;
}

async function acceptAll() {
  all.done = await eachCell(all.cells, "accept");
  byId("undo").textContent = `Undo all ${all.done.length.toLocaleString("en")}`;
  byId("undo").hidden = !all.done.length;
  byId("undo").focus();
}
async function undoAll() {
  await eachCell(all.done, "clear");
  all.done = [];
  byId("undo").hidden = true;
  byId("rows").focus();
}
