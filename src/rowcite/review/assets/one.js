
// --- one row at a time ---
// The rows and their order stay as they were when the view was opened, so that a decision moves nothing.

const one = { on: false, rows: [], at: [0, 0], finished: false, undo: [], waiting: [] };
const field = () => byId("field").value;

/** The rows that the filters choose, decided or not, each with its cells to decide on. */
function queue() {
  const review = byId("status").value === "review";
  const chosen = review ? wanted((row) => wanting(row).length > 0) : wanted();
  return chosen.filter((row) => row.key !== null).map((row) => {
    const all = review ? wanting(row) : [...row.cells.keys()];
    return { row, cells: field() === "" ? all : all.filter((at) => at === Number(field())) };
  }).filter((item) => item.cells.length);
}
const here = () => [one.rows[one.at[0]]?.row, one.at[1]];
const openCell = ({ row, cells }, from = 0) => cells.find((at) => at >= from && !decided(row, at));

/** The first open cell from a place on, around the end; null if every cell is decided. */
function nextOpen([index, at]) {
  const rows = one.rows.length, rest = rows ? openCell(one.rows[index], at) : undefined;
  if (rest !== undefined) return [index, rest];
  for (let step = 1; step <= rows; step++) {
    const next = (index + step) % rows, open = openCell(one.rows[next]);
    if (open !== undefined) return [next, open];
  }
  return null;
}

function step(by) {
  const [index, at] = one.at, { cells } = one.rows[index];
  const near = by > 0 ? cells.find((cell) => cell > at) : cells.findLast((cell) => cell < at);
  if (near !== undefined) return [index, near];
  const other = one.rows[index + by];
  return other ? [index + by, by > 0 ? other.cells[0] : other.cells.at(-1)] : null;
}
const stepRow = (by) => { const other = one.rows[one.at[0] + by]; return other ? [one.at[0] + by, openCell(other) ?? other.cells[0]] : null; };

function go(place, words = "") {
  if (!place) { byId("announcement").className = "announcement"; announce(words || "There is no further row."); return; }
  one.at = place;
  one.finished = false;
  drawOne();
  const [row, at] = here();
  byId("announcement").className = words ? "announcement" : "announcement quiet"; // a move is seen; it is announced to those who do not see it
  announce(`${words ? `${words} ` : ""}Row ${one.at[0] + 1} of ${one.rows.length}: ${clean(data.fields[at].name)} of ${clean(row.label)}.`);
  byId("current")?.focus({ preventScroll: true });
  reveal();
}
/** Scroll so that the current cell is seen, between the head of the row and the buttons. */
function reveal() {
  byId("one").querySelector(".place")?.scrollIntoView({ block: "nearest" });
  byId("current")?.scrollIntoView({ block: "nearest" });
}

function finish(words) {
  one.finished = true;
  drawOne();
  announce(`${words} Every row is decided.`);
  byId("finished").focus();
}

// --- keys and decisions ---

/** Do one thing after another: a key that is pressed while a decision is being saved is not lost, and waits. */
async function perform(action) {
  one.waiting.push(action);
  if (one.waiting.length > 1) return;
  while (one.waiting.length) {
    const done = await one.waiting[0]();
    if (done) one.waiting.shift();
    else one.waiting = [];
  }
}

async function decideHere(verdict, more = {}) {
  const [row, at] = here(), cell = row.cells[at], group = byId("current").querySelector(".decide");
  const before = decided(row, at) ? cell.d : null, name = clean(data.fields[at].name);
  try { failed(group, ""); await save(row, at, { verdict, ...more }); } catch (error) { failed(group, error.message); return false; }
  if (verdict === "clear") { go(one.at, `Undone: ${name}.`); return true; }
  one.undo.push({ row, at, before });
  const next = nextOpen(one.at), words = `${verdictOn(cell, verdict)}: ${name} of ${clean(row.label)}.`;
  if (next) go(next, words);
  else finish(words);
  return true;
}

async function undoLast() {
  const last = one.undo.at(-1);
  if (!last) {
    if (one.finished || !decided(...here())) { announce("There is nothing to undo."); return true; }
    return decideHere("clear");
  }
  const index = one.rows.findIndex((item) => item.row === last.row), { verdict = "clear", value = null, note = null } = last.before || {};
  try { await save(last.row, last.at, { verdict, value, note }); } catch (error) { announce(error.message); return false; }
  one.undo.pop();
  go(index < 0 ? one.at : [index, last.at], `Undone: ${clean(data.fields[last.at].name)} of ${clean(last.row.label)}.`);
  return true;
}

function act(verdict) {
  if (verdict === "clear") { perform(undoLast); return; }
  if (one.finished) return;
  if (verdict !== "correct") { perform(() => decideHere(verdict)); return; }
  const [row, at] = here(), group = byId("current").querySelector(".decide");
  correct(group, row, at, (decision) => perform(() => decideHere("correct", decision)), () => byId("current").focus());
}

const MOVES = {
  j: () => go(step(1)), arrowright: () => go(step(1)), k: () => go(step(-1)), arrowleft: () => go(step(-1)),
  n: () => go(stepRow(1)), p: () => go(stepRow(-1)),
};
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open || byId("sure").open || !(event.target instanceof Element)) return;
  if (event.target.closest("input, select, textarea, form")) return;
  const key = event.key.toLowerCase();
  if (key === "?") { event.preventDefault(); byId("help").showModal(); return; }
  if (!byId("keys-on").checked) return;
  if (key === "v") { setView(!one.on); return; }
  if (!one.on || !one.rows.length) return;
  if (MOVES[key]) { event.preventDefault(); perform(async () => { MOVES[key](); return true; }); return; }
  if (!LETTERS[key] || event.repeat) return;
  event.preventDefault();
  perform(async () => {
    const verdict = key === "u" ? "clear" : one.finished ? null : verdictOf(key, here()[0].cells[here()[1]]);
    if (verdict === null) { announce(`${event.key.toUpperCase()} does nothing here.`); return true; }
    if (verdict === "clear") return undoLast();
    if (verdict === "correct") { act("correct"); return true; }
    return decideHere(verdict);
  });
}

// --- drawing ---

function drawOne() {
  const box = byId("one");
  byId("undo").textContent = "Undo the last decision";
  byId("undo").hidden = !one.on || !one.undo.length;
  if (!one.rows.length) { box.replaceChildren(make("p", { class: "empty" }, "No row that is shown needs a decision. Choose other rows in the list.")); return; }
  if (one.finished) { box.replaceChildren(finished()); return; }
  const [row, at] = here();
  history.replaceState(null, "", `#one-${row.n}-${at}`);
  const about = row.given.flatMap(([name, value]) => [make("dt", {}, foreign(name)), make("dd", {}, foreign(value))]);
  const more = row.duplicates ? `, and ${row.duplicates.toLocaleString("en")} more with the same input` : "";
  box.replaceChildren(
    make("div", { class: "place" }, make("p", { class: "position" }, `Row ${(one.at[0] + 1).toLocaleString("en")} of ${one.rows.length.toLocaleString("en")}`),
      make("div", {}, mover("Previous row", -1), mover("Next row", 1))),
    make("h3", { class: "label" }, foreign(row.label)),
    make("p", { class: "why" }, `Row ${row.n.toLocaleString("en")} of the table${more}`),
    make("dl", { class: "about" }, ...about),
    row.error && !row.cells.some((cell) => cell.r) ? make("p", { class: "rejection" }, foreign(row.error)) : "",
    ...row.cells.map((_, cell) => (cell === at ? currentNode(row, cell) : briefNode(row, cell))),
    ...(row.run ? [runNode(row)] : []),
  );
}

function mover(name, by) {
  const button = make("button", { type: "button", disabled: !stepRow(by), "aria-keyshortcuts": by > 0 ? "n" : "p" }, name);
  button.addEventListener("click", () => perform(async () => { go(stepRow(by)); return true; }));
  return button;
}

function currentNode(row, at) {
  const cell = row.cells[at], name = data.fields[at].name, title = make("h4", { id: "current-name" }, foreign(name));
  const group = make("div", { class: "decide", role: "group", "aria-label": `Decision on ${clean(name)}` });
  for (const [verdict, words] of actions(cell)) {
    const letter = Object.keys(LETTERS).find((key) => LETTERS[key] === verdict);
    const button = make("button", { type: "button", "data-verdict": verdict, "aria-keyshortcuts": letter, "aria-pressed": verdict === "clear" ? null : String(decided(row, at) && cell.d.verdict === verdict) },
      words, make("kbd", { "aria-hidden": "true" }, letter.toUpperCase()));
    button.addEventListener("click", () => (verdict === "clear" ? perform(() => decideHere("clear")) : act(verdict)));
    group.append(button);
  }
  const used = decided(row, at) && ["reject", "blank"].includes(cell.d.verdict) && hasValue(cell) ? "unused" : "";
  return make("section", { id: "current", class: "current", tabindex: "-1", "aria-labelledby": "current-name" },
    make("div", { class: "side" }, title, ...stateNodes(row, at)),
    make("div", { class: used }, ...valueNodes(row, at)), ...evidence(row, at), ...aside(cell), group);
}

/** Another cell of the row on one line; it becomes the current one when it is chosen. */
function briefNode(row, at) {
  const cell = row.cells[at], mine = one.rows[one.at[0]].cells.includes(at);
  const state = decided(row, at) ? verdictOn(cell, cell.d.verdict) : mine ? "to decide" : LABELS[cell.l];
  const value = decided(row, at) && cell.d.verdict === "correct" ? cell.d.value : cell.v ?? cell.s;
  const button = make("button", { type: "button", class: "brief" }, make("b", {}, foreign(data.fields[at].name)),
    make("span", { class: "short" }, value === undefined ? "–" : foreign(shown(value).slice(0, 300))), make("span", { class: mine && !decided(row, at) ? "open" : "" }, state));
  button.addEventListener("click", () => perform(async () => { go([one.at[0], at]); return true; }));
  return button;
}

function finished() {
  const again = make("button", { type: "button" }, "Show the list");
  again.addEventListener("click", () => setView(false));
  const rows = one.rows.length;
  return make("div", { class: "finished", id: "finished", tabindex: "-1" }, make("h3", {}, rows === 1 ? "The row is decided" : `All ${rows.toLocaleString("en")} rows are decided`),
    make("p", {}, "Apply the decisions to the table:"), make("p", {}, make("code", {}, foreign(data.write))), make("p", {}, make("span", { class: "why" }, "U undoes the last decision.")), again);
}

// --- the two views ---

function setView(on, place = null) {
  one.on = on;
  byId("view-one").setAttribute("aria-pressed", String(on));
  byId("view-list").setAttribute("aria-pressed", String(!on));
  byId("one").hidden = !on;
  byId("list").hidden = on;
  announce("");
  all.done = [];
  byId("undo").hidden = true;
  if (!on) { history.replaceState(null, "", location.pathname); draw(); byId("rows").focus(); return; }
  one.rows = queue();
  const from = place || (one.rows.length ? nextOpen([0, 0]) : null);
  if (from) go(from);
  else if (one.rows.length) finish("");
  else drawOne();
}

/** The place in the address, so that a reload shows the same cell. */
function placeIn(hash) {
  const [, number, at] = /^#one-(\d+)-(\d+)$/.exec(hash) || [];
  if (!number) return null;
  one.rows = queue();
  let index = one.rows.findIndex((item) => item.row.n === Number(number));
  if (index < 0) { byId("status").value = "all"; one.rows = queue(); index = one.rows.findIndex((item) => item.row.n === Number(number)); }
  return index < 0 || !data.fields[at] ? null : [index, Number(at)];
}

/** Show the row of an address such as #row-12 in the list, as the links of the agreement have it. */
function showInList(hash) {
  const row = data.rows.find((item) => `#row-${item.n}` === hash);
  if (!row) return;
  if (one.on) setView(false);
  byId("search").value = byId("field").value = byId("confidence").value = "";
  byId("status").value = "all";
  view.room = Infinity;
  view.open.add(row);
  draw();
  byId(`row-${row.n}`).scrollIntoView();
  byId(`row-${row.n}`).querySelector(".toggle").focus();
}

hooks.started = () => {
  const linked = location.hash;
  showProgress();
  byId("view-one").addEventListener("click", () => setView(true));
  byId("view-list").addEventListener("click", () => setView(false));
  byId("undo").addEventListener("click", () => (one.on ? perform(undoLast) : undoAll()));
  byId("all").addEventListener("click", askAcceptAll);
  byId("sure").addEventListener("close", () => { if (byId("sure").returnValue === "yes") acceptAll(); });
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", () => showInList(location.hash));
  if (linked.startsWith("#one-")) setView(true, placeIn(linked));
};
