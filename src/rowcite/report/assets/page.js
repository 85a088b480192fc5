"use strict";
// The table of rows. Values come from the web: they are inserted as text only, and links must be http or https.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const hooks = { cell: null, state: null, drawn: null, started: null }; // set by the review
const PAGE = 100;
const ORDER = data.states.map(([name]) => name); // least certain first
const LABELS = Object.fromEntries(data.states);
const LEVEL = { low: 1, medium: 2, high: 3 };
// Characters that would move, reorder or hide the text around them are shown as escapes.
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\u{e0000}-\u{e007f}]/gu;
const clean = (text) => String(text).replace(HARMFUL, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));

function make(name, props = {}, ...inside) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...inside.filter((part) => part !== null && part !== undefined));
  return node;
}
/** A value from the web: isolated, so that right-to-left text cannot reorder what follows. */
const foreign = (text) => {
  const node = document.createElement("bdi");
  node.textContent = clean(text);
  return node;
};
const shown = (value) => (Array.isArray(value) && value.every((item) => typeof item !== "object")
  ? value.join(", ") : typeof value === "object" ? JSON.stringify(value, null, 1) : String(value));

function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch { return null; }
}

// --- the state of a row ---

const decided = (row, at) => Boolean(row.cells[at].d) && !row.cells[at].a;
const flagged = (cell) => cell.f || cell.a || cell.k || ["rejected", "low"].includes(cell.l);
/** The cells of a row to decide on: those that are flagged; if none is, all of a row that needs review. */
function wanting(row) {
  if (!row.reasons.length) return [];
  const all = [...row.cells.keys()], some = all.filter((at) => flagged(row.cells[at]) || (row.status === "failed" && row.cells[at].l === "unanswered"));
  return some.length ? some : all;
}
const needsReview = (row) => (row.cells.length ? wanting(row).some((at) => !decided(row, at)) : row.reasons.length > 0 && !hooks.cell);
const stateOf = (row, at) => {
  const { d, l } = row.cells[at];
  return d ? (d.verdict === "reject" ? "rejected" : d.verdict === "blank" ? "empty" : "reviewed") : l;
};
/** The state of a cell; of a rejected one the confidence that the API gave, if it gave one. */
const confidenceOf = (row, at) => (row.cells[at].c && !row.cells[at].d ? row.cells[at].c : stateOf(row, at));
const certainty = (row) => (row.cells.length ? Math.min(...row.cells.map((_, at) => ORDER.indexOf(confidenceOf(row, at)))) : 0);

function haystack(row) {
  const cells = row.cells.flatMap((cell) => [cell.v, cell.s, cell.r, cell.y, ...cell.x.map(([doc]) => data.docs[doc].join(" "))]);
  return [row.label, row.status, row.error, ...row.given.map((pair) => pair[1]), ...cells]
    .filter((part) => part !== null && part !== undefined).map(shown).join("\n").toLocaleLowerCase();
}

function reasonsOf(row) {
  const found = row.cells.flatMap((cell, at) => {
    if (decided(row, at)) return [];
    if (cell.a) return [[data.fields[at].name, "the answer has changed since the decision"]];
    if (cell.k) return [[data.fields[at].name, "differs from the table"]];
    if (cell.l === "rejected") return [[data.fields[at].name, cell.r]];
    if (cell.l === "low") return [[data.fields[at].name, "low confidence"]];
    return cell.f ? [[data.fields[at].name, "listed"]] : [];
  });
  if (found.length || !row.reasons.length) return found;
  return needsReview(row) || hooks.state ? [[null, row.error || ""]] : [[null, "decided"]];
}

// --- filters ---

const view = { sort: null, down: false, room: PAGE, open: new Set(), nodes: new Map() };
const texts = new Map();
const text = (row) => { if (!texts.has(row)) texts.set(row, haystack(row)); return texts.get(row); };

function matches(row, review) {
  const status = byId("status").value;
  if (status === "review" ? !review(row) : status.startsWith("is:") ? row.status !== status.slice(3)
    : status.startsWith("reason:") ? !row.reasons.includes(status.slice(7)) : false) return false;
  const field = byId("field").value, state = byId("confidence").value;
  if (field !== "" || state !== "") {
    const fits = (cell, at) => (field === "" || at === Number(field))
      && (state !== "" ? stateOf(row, at) === state : status === "review" ? wanting(row).includes(at) && (review !== needsReview || !decided(row, at)) : true);
    if (!row.cells.some(fits)) return false;
  }
  const words = byId("search").value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => text(row).includes(word));
}

const SORTS = {
  number: (row) => row.n, name: (row) => row.label.toLocaleLowerCase(), state: (row) => hooks.state?.(row).textContent || row.status,
  reasons: (row) => -reasonsOf(row).length, certainty,
};
function wanted(review = needsReview) {
  const rows = data.rows.filter((row) => matches(row, review));
  if (view.sort) {
    const value = SORTS[view.sort], sign = view.down ? -1 : 1;
    rows.sort((a, b) => { const x = value(a), y = value(b); return x < y ? -sign : x > y ? sign : a.n - b.n; });
  }
  return rows;
}

/** The rows that some lines stand for: those with the same input are one line. */
const rowsIn = (lines) => lines.reduce((sum, row) => sum + 1 + row.duplicates, 0);
function options(select, entries, chosen) {
  for (const [value, label] of entries) select.append(make("option", { value, selected: value === chosen }, clean(label)));
}
function fillFilters() {
  const count = (test) => rowsIn(data.rows.filter(test)), number = (n) => n.toLocaleString("en");
  const counted = (label, n) => (hooks.cell ? label : `${label} (${number(n)})`); // a review changes the counts
  const some = (entries) => entries.filter((entry) => entry[2]).map(([value, label, n]) => [value, counted(label, n)]);
  const reviewing = count(hooks.cell ? (row) => row.key !== null && wanting(row).length : needsReview);
  const every = ["all", counted("All rows on this page", rowsIn(data.rows))];
  const first = reviewing ? [["review", counted("Rows to review", reviewing)], every] : [every];
  options(byId("status"), [...first,
    ...some(data.reasons.filter(([name]) => !data.statuses.includes(name)).map(([name, label]) => [`reason:${name}`, `Rows ${label}`, count((row) => row.reasons.includes(name))])),
    ...some(data.statuses.map((name) => [`is:${name}`, `Status ${name}`, count((row) => row.status === name)])),
  ], reviewing ? "review" : "all");
  options(byId("field"), [["", "Any field"], ...data.fields.map((field, at) => [String(at), field.name])], "");
  const there = new Set(data.rows.flatMap((row) => row.cells.map((cell) => cell.l)));
  if (hooks.cell) there.add("reviewed");
  options(byId("confidence"), [["", "Any"], ...ORDER.filter((name) => there.has(name)).map((name) => [name, LABELS[name]])], "");
}

// --- the table ---

const NARROW = matchMedia("(max-width: 719px)");
const HIDDEN = 2; // columns that the style sheet hides on a phone
const span = () => COLUMNS.length - (NARROW.matches ? HIDDEN : 0);
const COLUMNS = [["name", "Row"], ["number", "No."], ["state", "Status"], ["reasons", "Reason"], ["certainty", "Lowest confidence"]];

function head() {
  return make("thead", {}, make("tr", {}, ...COLUMNS.map(([name, label]) => {
    const button = make("button", { type: "button" }, name === "state" && hooks.state ? "Review" : label);
    button.addEventListener("click", () => {
      view.down = view.sort === name ? !view.down : false;
      view.sort = name;
      draw();
    });
    return make("th", { scope: "col", class: name, "data-sort": name }, button);
  })));
}

function confidenceNode(state) {
  const meter = make("span", { class: "confidence" });
  if (LEVEL[state]) {
    const bars = make("span", { "aria-hidden": "true" });
    for (let at = 1; at <= 3; at++) bars.append(make("i", { class: at <= LEVEL[state] ? "on" : "" }));
    bars.className = "bars";
    meter.append(...bars.childNodes);
  }
  meter.append(make("span", {}, LABELS[state]));
  return meter;
}

function reasonsCell(row) {
  const found = reasonsOf(row), cell = make("td", { class: "reasons" });
  for (const [field, why] of found.slice(0, 3)) {
    cell.append(make("span", { class: "why" }, field === null ? null : make("b", {}, foreign(field)), field === null ? null : " ", foreign(cut(why, 90))));
  }
  if (found.length > 3) cell.append(make("span", { class: "why" }, `and ${found.length - 3} more`));
  return cell;
}
const cut = (value, most) => (value.length > most ? value.slice(0, most - 1) + "\u2026" : value);

function rowNode(row) {
  const toggle = make("button", { type: "button", class: "toggle", "aria-expanded": String(view.open.has(row)) }, make("span", {}, foreign(row.label)));
  toggle.addEventListener("click", () => flip(row));
  return make("tr", { class: "row", id: `row-${row.n}` },
    make("th", { scope: "row", class: "name" }, toggle),
    make("td", { class: "number" }, row.n.toLocaleString("en")),
    hooks.state?.(row) || make("td", { class: `state ${row.status}` }, row.status),
    reasonsCell(row),
    make("td", { class: "certainty" }, row.cells.length ? confidenceNode(ORDER[certainty(row)]) : ""));
}

function flip(row) {
  const { head: line } = view.nodes.get(row);
  const now = !view.open.has(row);
  view.open[now ? "add" : "delete"](row);
  line.querySelector(".toggle").setAttribute("aria-expanded", String(now));
  view.nodes.get(row).detail?.remove();
  view.nodes.get(row).detail = null;
  if (now) line.after(view.nodes.get(row).detail = detail(row));
}

/** Redraw one row, as after a decision; the caller restores the focus. */
function redraw(row) {
  const nodes = view.nodes.get(row);
  if (!nodes) return;
  const line = rowNode(row);
  nodes.head.replaceWith(line);
  nodes.head = line;
}

function draw() {
  const rows = wanted(), body = byId("table").querySelector("tbody");
  for (const th of byId("table").querySelectorAll("th[data-sort]")) {
    if (th.dataset.sort === view.sort) th.setAttribute("aria-sort", view.down ? "descending" : "ascending");
    else th.removeAttribute("aria-sort");
  }
  view.nodes.clear();
  body.replaceChildren(...rows.slice(0, view.room).flatMap((row) => {
    const nodes = { head: rowNode(row), detail: view.open.has(row) ? detail(row) : null };
    view.nodes.set(row, nodes);
    return nodes.detail ? [nodes.head, nodes.detail] : [nodes.head];
  }));
  if (!rows.length) body.append(make("tr", {}, make("td", { colspan: span(), class: "why" }, data.rows.length ? "No row on this page matches." : "No row is on this page.")));
  const left = rows.length - view.room, n = (value) => value.toLocaleString("en");
  const lines = rowsIn(rows) > rows.length ? `, in ${n(rows.length)} line${rows.length === 1 ? "" : "s"}` : "";
  byId("count").textContent = hooks.state ? `${n(rows.length)} of ${n(data.rows.length)} rows shown` : `${n(rowsIn(rows))} of ${n(rowsIn(data.rows))} rows on this page${lines}`;
  byId("more").replaceChildren();
  if (left > 0) {
    const more = make("button", { type: "button" }, `Show ${n(Math.min(left, PAGE))} more of ${n(left)}`);
    more.addEventListener("click", () => {
      const at = view.room;
      view.room += PAGE;
      draw();
      byId("table").querySelectorAll(".toggle")[at]?.focus();
    });
    byId("more").append(more);
  }
  hooks.drawn?.(rows);
  byId("reset").hidden = !(byId("search").value || byId("field").value || byId("confidence").value);
}

// --- a row, opened ---

function detail(row) {
  const inside = make("td", { colspan: span() });
  const about = make("dl", { class: "about" });
  const pair = (name, value) => about.append(make("dt", {}, foreign(name)), make("dd", {}, foreign(value)));
  row.given.forEach(([name, value]) => pair(name, value));
  if (row.duplicates) pair("duplicates", `${row.duplicates.toLocaleString("en")} more row${row.duplicates === 1 ? "" : "s"} with the same input`);
  if (row.processor) pair("answered by", row.processor);
  inside.append(about);
  if (row.error && !row.cells.some((cell) => cell.r)) inside.append(make("p", { class: "rejection" }, foreign(row.error)));
  row.cells.forEach((cell, at) => inside.append(cellNode(row, at)));
  if (row.run) inside.append(runNode(row));
  return make("tr", { class: "detail", id: `detail-${row.n}` }, inside);
}

/** The run ids of a row, folded away: they are long, and needed only to look a run up. */
const runNode = (row) => make("details", { class: "runs" }, make("summary", {}, row.run.includes(",") ? "Run ids" : "Run id"), foreign(row.run));

function evidence(row, at) {
  const cell = row.cells[at], nodes = [];
  const add = (name, props, ...inside) => nodes.push(make(name, props, ...inside));
  if (cell.d?.verdict === "correct" && (cell.v ?? cell.s) !== undefined) add("p", { class: "reason" }, "Found: ", foreign(shown(cell.v ?? cell.s)));
  if (cell.k && !cell.d) add("p", { class: "rejection" }, cell.k === "kept" ? "Kept in the table: " : "Replaced in the table: ", foreign(cell.g));
  if (cell.r && !cell.d) add("p", { class: "rejection" }, "Rejected: ", foreign(cell.r));
  if (cell.a) add("p", { class: "rejection" }, ...changed(cell));
  if (cell.y) add("p", { class: "reason" }, foreign(cell.y));
  if (cell.e) add("ul", { "aria-label": "Elements" }, ...cell.e.map(element));
  if (cell.x.length) add("ol", { "aria-label": "Sources" }, ...cell.x.map(source));
  if (cell.m) add("p", { class: "reason" }, `and ${cell.m} more sources`);
  if (decided(row, at)) nodes.push(decision(cell));
  return nodes;
}

/** A decision on an earlier answer: what was decided, and both answers. */
function changed(cell) {
  const quoted = (value) => (value === null || value === undefined ? "nothing" : make("q", {}, foreign(shown(value))));
  const kept = cell.a.verdict === "correct", now = cell.r || cell.k ? cell.s : cell.v;
  return [`${verdictOn(cell, cell.a.verdict)} by `, foreign(cell.a.who), kept ? ", and the answer has changed since. It was " : ", and set aside because the answer has changed. It was ",
    quoted(cell.a.answer), ", and is now ", quoted(now), kept ? ". The correction stays until you decide again." : "."];
}

function cellNode(row, at) {
  const cell = row.cells[at], field = data.fields[at], flag = flagged(cell) && !decided(row, at);
  const main = make("div", {}, ...valueNodes(row, at));
  main.append(...evidence(row, at));
  if (hooks.cell) main.append(hooks.cell(row, at));
  const processor = cell.p && cell.p !== row.processor ? make("div", {}, foreign(cell.p)) : null;
  const side = make("div", {}, make("h3", {}, foreign(field.name)), make("div", { class: "side" }, ...stateNodes(row, at), processor));
  return make("div", { class: flag ? "cell flag" : "cell" }, side, main);
}

/** The state of a cell, and the confidence of a rejected value, or of one beside the table's own. */
function stateNodes(row, at) {
  const { c, d } = row.cells[at];
  return [c && !d ? confidenceNode(c) : null, make("div", {}, confidenceNode(stateOf(row, at)))].filter(Boolean);
}

const hasValue = (cell) => (cell.v ?? cell.s) !== undefined;
const VERDICTS = { accept: "Accepted", reject: "Rejected", correct: "Corrected", blank: "Left blank" };
const VERDICTS_WITHOUT_VALUE = { ...VERDICTS, accept: "Left blank", reject: "Left blank", correct: "Value entered" };
/** What a decision did, in words. */
const verdictOn = (cell, verdict) => (hasValue(cell) ? VERDICTS : VERDICTS_WITHOUT_VALUE)[verdict];
function decision(cell) {
  const { verdict, who, at, note } = cell.d;
  const when = new Date(at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return make("p", { class: "decided" }, `${verdictOn(cell, verdict)} by `, foreign(who), `, ${when}`, note ? ": " : null, note ? foreign(note) : null);
}

function valueNodes(row, at) {
  const cell = row.cells[at], corrected = cell.d && cell.d.verdict === "correct";
  const value = corrected ? cell.d.value : cell.r || cell.k ? cell.s : cell.v;
  if (corrected) return [make("div", { class: "value" }, foreign(shown(value)))];
  if (cell.l === "unanswered") return [make("div", { class: "value nothing" }, row.status === "failed" ? "No answer: the run failed" : "No answer yet")];
  if (value === null || value === undefined) return [make("div", { class: "value nothing" }, "Nothing found")];
  return [make("div", { class: shown(value).length > 200 ? "value long" : "value", tabindex: shown(value).length > 800 ? "0" : null }, foreign(shown(value)), cell.t ? make("span", { class: "why" }, " (cut)") : null)];
}

function element([value, state, rejection, docs]) {
  const hosts = [...new Set(docs.map((doc) => safeUrl(data.docs[doc][0])?.hostname).filter(Boolean))].join(", ");
  const why = rejection ? make("span", { class: "rejection" }, " Rejected: ", foreign(rejection)) : null;
  return make("li", {}, foreign(shown(value)), make("span", { class: "host" }, ` ${LABELS[state]}${hosts ? " · " : ""}`, foreign(hosts)), why);
}

function source([doc, excerpts]) {
  const [address, title] = data.docs[doc], url = safeUrl(address);
  const name = url
    ? make("a", { href: url.href, rel: "noopener noreferrer", target: "_blank" }, foreign(title || url.hostname))
    : make("span", {}, foreign(title ? `${title} (${address})` : address));
  const host = url && title ? make("span", { class: "host" }, " ", foreign(url.hostname)) : null;
  return make("li", {}, name, host, ...excerpts.map((words) => make("blockquote", {}, foreign(words))));
}

// --- start ---

function start() {
  byId("table").append(make("table", { class: "rows", "aria-labelledby": "rows" }, head(), make("tbody")));
  fillFilters();
  byId("filters").hidden = false;
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  const redrawAll = () => { view.room = PAGE; draw(); };
  for (const id of ["status", "field", "confidence"]) byId(id).addEventListener("change", redrawAll);
  let timer = 0;
  byId("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(redrawAll, 120); });
  byId("reset").addEventListener("click", () => {
    for (const id of ["search", "field", "confidence"]) byId(id).value = "";
    redrawAll();
    byId("search").focus();
  });
  byId("table").addEventListener("keydown", (event) => {
    if (!event.target.classList.contains("toggle")) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...byId("table").querySelectorAll(".toggle")];
    all[all.indexOf(event.target) + step]?.focus();
  });
  NARROW.addEventListener("change", draw);
  addEventListener("beforeprint", () => { view.room = Infinity; draw(); });
  draw();
  const linked = data.rows.find((row) => `#row-${row.n}` === location.hash);
  if (linked) {
    byId("status").value = "all";
    view.room = Infinity;
    view.open.add(linked);
    draw();
    byId(`row-${linked.n}`).scrollIntoView();
  }
  hooks.started?.();
}
