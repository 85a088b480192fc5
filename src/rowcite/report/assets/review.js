// Deciding: what is pressed goes to the ledger at once, and shows only when the ledger has it.
const SAY = { accept: "Accept", reject: "Reject", correct: "Correct…", clear: "Undo" };
const KEYS = { a: "accept", r: "reject", c: "correct", u: "clear" };

hooks.cell = (row, at) => {
  const field = data.fields[at], cell = row.cells[at];
  const group = make("div", { class: "decide", role: "group", "aria-label": `Decide on ${clean(field.name)} of ${clean(row.label)}` });
  if (row.key === null) return group;
  const may = cell.l === "open" ? ["correct"] : ["accept", "reject", "correct"];
  for (const verdict of cell.d ? [...may, "clear"] : may) {
    const button = make("button", { type: "button", "data-verdict": verdict, "aria-pressed": verdict === "clear" ? null : String(cell.d?.verdict === verdict) }, SAY[verdict]);
    button.addEventListener("click", () => (verdict === "correct" ? correct(group, row, at) : send(group, row, at, { verdict })));
    group.append(button);
  }
  group.addEventListener("keydown", (event) => {
    const verdict = KEYS[event.key];
    if (!verdict || event.ctrlKey || event.metaKey || event.altKey || event.target.tagName !== "BUTTON" || event.target.closest("form")) return;
    const button = group.querySelector(`[data-verdict=${verdict}]`);
    if (button) { event.preventDefault(); button.click(); }
  });
  return group;
};

function correct(group, row, at) {
  const there = group.querySelector("form");
  if (there) { there.remove(); return; }
  const cell = row.cells[at], field = data.fields[at], now = cell.d?.verdict === "correct" ? cell.d.value : cell.v ?? cell.s;
  const input = entry(field, now), note = make("input", { maxlength: "1000", autocomplete: "off" });
  const cancel = make("button", { type: "button" }, "Cancel");
  const form = make("form", {}, make("label", {}, `Value (${says(field)})`, input), make("label", {}, "Note, if you like", note),
    make("button", { type: "submit", class: "save" }, "Save"), cancel);
  const close = () => { form.remove(); group.querySelector("[data-verdict=correct]").focus(); };
  cancel.addEventListener("click", close);
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    let value = input.value;
    try { value = parsed(field, value); } catch (error) { failed(group, error.message); return; }
    send(group, row, at, { verdict: "correct", value, note: note.value.trim() || null });
  });
  group.append(form);
  input.focus();
}

const says = (field) => ({ array: "one a line", object: "JSON", json: "JSON", date: "YYYY-MM-DD" }[field.kind] || field.kind);

function entry(field, now) {
  if (field.choices.length || field.kind === "boolean") {
    const select = make("select");
    for (const choice of field.kind === "boolean" ? ["true", "false"] : field.choices) select.append(make("option", { value: choice, selected: String(now) === choice }, clean(choice)));
    return select;
  }
  const long = ["array", "object", "json"].includes(field.kind);
  const input = make(long ? "textarea" : "input", { autocomplete: "off", inputmode: ["integer", "number"].includes(field.kind) ? "decimal" : null });
  input.value = now === null || now === undefined ? "" : field.kind === "array" && Array.isArray(now)
    ? now.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join("\n") : shown(now);
  return input;
}

function parsed(field, value) {
  if (!value.trim()) throw new Error("Write a value, or reject the one that was found.");
  if (field.kind === "array") {
    return value.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => (/^[[{]/.test(line) ? JSON.parse(line) : line));
  }
  if (field.kind === "object") return JSON.parse(value);
  return field.kind === "boolean" ? value === "true" : value;
}

async function send(group, row, at, said) {
  failed(group, "");
  let answer;
  try {
    answer = await fetch("decisions", {
      method: "POST", headers: { "content-type": "application/json" }, credentials: "omit",
      body: JSON.stringify({ key: row.key, row: row.n, field: data.fields[at].name, value: null, note: null, ...said }),
    });
  } catch {
    failed(group, "Not saved: the review has ended. Start rowcite review again.");
    return;
  }
  const told = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
  if (!answer.ok) { failed(group, `Not saved: ${told.error}`); return; }
  for (const same of data.rows.filter((other) => other.key === row.key)) {
    same.cells[at].d = told.decision || undefined;
    redraw(same);
  }
  const box = group.closest(".cell"), anew = cellNode(row, at);
  box.replaceWith(anew);
  anew.querySelector(`[data-verdict=${said.verdict === "clear" ? "accept" : said.verdict}]`)?.focus();
  const left = data.rows.filter(open).length;
  byId("count").textContent = `${told.decision ? VERDICTS[said.verdict] : "Undone"}. ${left.toLocaleString("en")} row${left === 1 ? "" : "s"} left that need a person.`;
}

function failed(group, words) {
  group.querySelector(".failed")?.remove();
  if (words) group.append(make("p", { class: "failed", role: "alert" }, clean(words)));
}
