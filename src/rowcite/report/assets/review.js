// The review: a decision goes to the ledger at once, and is shown when the ledger has it.
const BUTTONS = { accept: "Accept", reject: "Reject", correct: "Correct…", clear: "Undo" };
const BUTTONS_WITHOUT_VALUE = { accept: "Leave blank", correct: "Enter value…", clear: "Undo" };
const KEYS = { a: "accept", r: "reject", c: "correct", u: "clear" };

hooks.cell = (row, at) => {
  const field = data.fields[at], cell = row.cells[at];
  const group = make("div", { class: "decide", role: "group", "aria-label": `Decision on ${clean(field.name)} of ${clean(row.label)}` });
  if (row.key === null) return group;
  const labels = hasValue(cell) ? BUTTONS : BUTTONS_WITHOUT_VALUE;
  const verdicts = Object.keys(labels).filter((verdict) => (verdict === "clear" ? cell.d : verdict !== "accept" || cell.l !== "unanswered"));
  for (const verdict of verdicts) {
    const button = make("button", { type: "button", "data-verdict": verdict, "aria-pressed": verdict === "clear" ? null : String(cell.d?.verdict === verdict) }, labels[verdict]);
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
  const opened = group.querySelector("form");
  if (opened) { opened.remove(); return; }
  const cell = row.cells[at], field = data.fields[at], now = cell.d?.verdict === "correct" ? cell.d.value : cell.v ?? cell.s;
  const input = entry(field, now), note = make("input", { maxlength: "1000", autocomplete: "off" });
  const cancel = make("button", { type: "button" }, "Cancel");
  const form = make("form", {}, make("label", {}, `Value (${formatOf(field)})`, input), make("label", {}, "Note (optional)", note),
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

const formatOf = (field) => ({ array: "one per line", object: "JSON", json: "JSON", date: "YYYY-MM-DD" }[field.kind] || field.kind);

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
  if (!value.trim()) throw new Error("Enter a value, or reject the found one.");
  if (field.kind === "array") {
    return value.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => (/^[[{]/.test(line) ? JSON.parse(line) : line));
  }
  if (field.kind === "object") return JSON.parse(value);
  return field.kind === "boolean" ? value === "true" : value;
}

async function send(group, row, at, decision) {
  failed(group, "");
  let response;
  try {
    response = await fetch("decisions", {
      method: "POST", headers: { "content-type": "application/json" }, credentials: "omit",
      body: JSON.stringify({ key: row.key, row: row.n, field: data.fields[at].name, value: null, note: null, ...decision }),
    });
  } catch {
    failed(group, "Not saved: the review has stopped. Start `rowcite review` again.");
    return;
  }
  const saved = await response.json().catch(() => ({ error: `the server returned status ${response.status}` }));
  if (!response.ok) { failed(group, `Not saved: ${saved.error}`); return; }
  for (const same of data.rows.filter((other) => other.key === row.key)) {
    same.cells[at].d = saved.decision || undefined;
    redraw(same);
  }
  const redrawn = cellNode(row, at);
  group.closest(".cell").replaceWith(redrawn);
  redrawn.querySelector(`[data-verdict=${decision.verdict === "clear" ? "accept" : decision.verdict}]`)?.focus();
  const left = data.rows.filter(needsReview).length;
  byId("count").textContent = `${saved.decision ? VERDICTS[decision.verdict] : "Undone"}. ${left.toLocaleString("en")} row${left === 1 ? "" : "s"} left to review.`;
}

function failed(group, message) {
  group.querySelector(".failed")?.remove();
  if (message) group.append(make("p", { class: "failed", role: "alert" }, clean(message)));
}
