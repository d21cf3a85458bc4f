"use strict";
// The view "Questions": filters, and a table of which only the rows in sight exist.
(() => {
  const { h, mark, words, CHANGES } = Aurelia;
  const RIGHT = 0, CHANGE = 2, ITERATIONS = 3, SCORE = 4, LEAK = 5, UNPARSED = 6, FAILED = 7, ANSWER = 8;
  const MARGIN = 10; // rows made beyond the edge

  const state = (Aurelia.tableState = {
    search: "", column: "", category: "", arm: "", change: "", leak: "", iterations: "", score: "", state: "",
    sort: "", down: false, chosen: 0, top: 0,
  });
  let rows, arms, usual, columns, categories, haystacks, visible;

  const of = (row) => row.m[state.arm] || [];
  const KEYS = {
    id: (row) => row.i,
    column: (row) => columns.indexOf(row.c),
    category: (row) => categories.indexOf(row.g),
    gold: (row) => row.o,
    right: (row) => arms.filter((arm) => (row.m[arm] || [])[RIGHT] === true).length,
    change: (row) => ["right_to_wrong", "wrong", "right", "wrong_to_right"].indexOf(of(row)[CHANGE]),
    iterations: (row) => of(row)[ITERATIONS],
    score: (row) => of(row)[SCORE],
    leak: (row) => of(row)[LEAK],
  };
  const HEAD = [["id", "question"], ["column", "column"], ["gold", "right answer"], ["right", "arms"], ["change", "change"], ["iterations", "loops"], ["score", "score"], ["leak", "leak"]];
  const SORTS = [...HEAD.slice(0, 2), ["category", "category"], ...HEAD.slice(2)];
  const FILTERS = ["search", "column", "category", "arm", "change", "leak", "iterations", "score", "state", "sort"];

  function setUp() {
    const summary = Aurelia.data.get("summary");
    rows = Aurelia.data.get("rows");
    arms = summary.runs.map((run) => run.label);
    const others = arms.filter((arm) => arm !== summary.reference);
    usual = others.includes("aurelia") ? "aurelia" : others[0] || arms[0];
    state.arm = usual;
    const known = (order, key) => [...order, ...distinct(key).filter((name) => !order.includes(name))];
    columns = known(summary.columns, (row) => row.c).filter((name) => rows.some((row) => row.c === name));
    categories = known(summary.categories, (row) => row.g).filter((name) => rows.some((row) => row.g === name));
  }

  // Filters stand in the address: it can be kept, and sent to somebody.
  function address() {
    const given = new URLSearchParams();
    for (const name of FILTERS) if (state[name] && !(name === "arm" && state.arm === usual)) given.set(name, state[name]);
    if (state.down) given.set("down", "1");
    const text = given.toString();
    return text ? `#questions?${text}` : "#questions";
  }
  Aurelia.questionsAddress = () => { if (!rows) setUp(); return address(); };

  Aurelia.readFilters = (text) => {
    if (!rows) setUp();
    const given = new URLSearchParams(text);
    const before = address();
    for (const name of FILTERS) state[name] = given.get(name) ?? "";
    if (!arms.includes(state.arm)) state.arm = usual;
    if (!KEYS[state.sort]) state.sort = "";
    state.down = given.get("down") === "1";
    if (address() !== before) state.chosen = state.top = 0;
    choose();
  };

  function text(index) {
    haystacks = haystacks || [];
    const row = rows[index];
    return (haystacks[index] ??= [row.i, row.q, row.o, row.c, row.g, ...arms.map((arm) => (row.m[arm] || [])[ANSWER] || "")].join("\n").toLowerCase());
  }

  function fits(row, index, parts) {
    const arm = of(row);
    return (
      (!state.column || row.c === state.column) &&
      (!state.category || row.g === state.category) &&
      (!state.change || arm[CHANGE] === state.change) &&
      (!state.leak || arm[LEAK] === state.leak) &&
      (!state.iterations || arm[ITERATIONS] === Number(state.iterations)) &&
      (!state.score || (arm[SCORE] ?? -1) >= Number(state.score)) &&
      (!state.state || (state.state === "failed" ? Boolean(arm[FAILED]) : arm[UNPARSED] === true)) &&
      parts.every((part) => text(index).includes(part))
    );
  }

  function compare(a, b) {
    const [x, y] = [KEYS[state.sort](rows[a]), KEYS[state.sort](rows[b])];
    const empty = (v) => v === null || v === undefined || v === -1;
    if (empty(x) || empty(y)) return empty(x) - empty(y) || a - b; // what is not known goes last
    const order = typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y;
    return (state.down ? -order : order) || a - b;
  }

  function choose() {
    const parts = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    visible = [];
    rows.forEach((row, index) => fits(row, index, parts) && visible.push(index));
    if (state.sort) visible.sort(compare);
  }

  // The questions in the order of the table, for the way from one to the next.
  Aurelia.order = () => {
    if (!rows) setUp();
    if (!visible) choose();
    return visible;
  };

  function select(name, label, values, shown = (value) => value) {
    return h(
      "label",
      {},
      h("span", {}, label),
      h(
        "select",
        { name, change: (event) => change(name, event.target.value) },
        values.map((value) => h("option", { value, selected: String(value) === String(state[name]) }, shown(value))),
      ),
    );
  }

  const distinct = (key) => [...new Set(rows.map(key))].filter((x) => x !== null && x !== undefined);
  const all = (value) => (value === "" ? "all" : value);

  function filters() {
    const loops = arms.flatMap((arm) => rows.map((row) => (row.m[arm] || [])[ITERATIONS]));
    const counts = [...new Set(loops)].filter(Number.isInteger).sort((a, b) => a - b);
    return h(
      "form",
      { class: "filters", role: "search", submit: (event) => event.preventDefault() },
      h(
        "label",
        { class: "search" },
        h("span", {}, "Search"),
        h("input", { type: "search", name: "search", id: "search", value: state.search, placeholder: "question, right answer, answers ( / )", autocomplete: "off", input: (event) => change("search", event.target.value) }),
      ),
      select("column", "Column", ["", ...columns], (value) => (value ? Aurelia.title(value) : "all")),
      select("category", "Category", ["", ...categories], all),
      select("arm", "Arm", arms),
      select("change", "Change", ["", ...Object.keys(CHANGES)], (value) => CHANGES[value] || "all"),
      select("leak", "Leak", ["", "leak", "clean", "unclear"], all),
      select("iterations", "Loops", ["", ...counts], all),
      select("score", "Score at least", ["", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], all),
      select("state", "Answers", ["", "unparsed", "failed"], all),
      select("sort", "Sort", ["", ...SORTS.map(([key]) => key)], (value) => SORTS.find(([key]) => key === value)?.[1] || "as asked"),
      h("button", { type: "button", id: "reset", click: reset }, "Reset"),
      Aurelia.downloads("questions", () => visible.map((index) => exported(rows[index]))),
      h("output", { id: "count", "aria-live": "polite" }),
    );
  }

  // A question as a line of a file: what the table knows of it, every arm in columns of its own.
  function exported(row) {
    const line = { id: row.i, task: row.t, column: row.c, category: row.g, question: row.q, gold: row.o };
    for (const arm of arms) {
      const m = row.m[arm] || [];
      Object.assign(line, { [`${arm}: right`]: m[RIGHT] ?? null, [`${arm}: score`]: m[1] ?? null, [`${arm}: change`]: m[CHANGE] ?? null, [`${arm}: iterations`]: m[ITERATIONS] ?? null, [`${arm}: evaluator`]: m[SCORE] ?? null, [`${arm}: leak`]: m[LEAK] ?? null, [`${arm}: failed`]: m[FAILED] ?? null, [`${arm}: answer (beginning)`]: m[ANSWER] ?? null });
    }
    return line;
  }

  let view;

  function change(name, value) {
    state[name] = value;
    if (name === "sort") state.down = false;
    state.chosen = state.top = 0;
    choose();
    history.replaceState(null, "", address());
    if (view) { view.scroll.scrollTop = 0; view.head(); view.draw(true); }
  }

  function reset() {
    for (const name of FILTERS) state[name] = "";
    state.arm = usual;
    state.down = false;
    change("search", "");
    Aurelia.show("questions");
  }

  function header(key, name) {
    const sorted = state.sort === key ? (state.down ? "descending" : "ascending") : "none";
    const sign = sorted === "none" ? "" : state.down ? " ▼" : " ▲";
    const sort = () => {
      const down = state.sort === key ? !state.down : false;
      change("sort", key);
      state.down = down;
      change("chosen", 0); // writes the address, too
      const box = document.querySelector("select[name=sort]");
      if (box) box.value = key;
    };
    return h("div", { role: "columnheader", class: `c-${key}`, "aria-sort": sorted }, h("button", { type: "button", click: sort, "data-sort": key }, name, sign));
  }

  function line(place) {
    const index = visible[place], row = rows[index], arm = of(row);
    const cells = [
      h("div", { role: "gridcell", class: "c-id" },
        row.p ? h("span", { class: "thumb" }, h("img", { src: row.p, alt: "", loading: "lazy" })) : h("span", { class: "thumb" }),
        h("span", { class: "text", title: row.q }, h("b", {}, row.i), " ", words(row.q, "span"))),
      h("div", { role: "gridcell", class: "c-column" }, Aurelia.title(row.c)),
      h("div", { role: "gridcell", class: "c-gold", title: row.o }, words(row.o, "span")),
      h("div", { role: "gridcell", class: "c-right" }, arms.map((name) => h("span", { class: "tickbox" }, mark((row.m[name] || [])[RIGHT], name), h("span", { class: "arm", "aria-hidden": "true", title: name }, name)))),
      h("div", { role: "gridcell", class: "c-change" }, CHANGES[arm[CHANGE]] || "–"),
      h("div", { role: "gridcell", class: "c-iterations" }, arm[ITERATIONS] ?? "–"),
      h("div", { role: "gridcell", class: "c-score" }, arm[SCORE] ?? "–"),
      h("div", { role: "gridcell", class: "c-leak" }, arm[LEAK] ?? "–"),
    ];
    const chosen = place === state.chosen;
    return h("div", { role: "row", id: `row-${place}`, class: chosen ? "row chosen" : "row", "aria-rowindex": place + 2, "aria-selected": String(chosen), click: () => open(place) }, cells);
  }

  function open(place) {
    if (place < 0 || place >= visible.length) return;
    state.chosen = place;
    Aurelia.openQuestion(visible[place]);
  }

  Aurelia.questionsView = () => {
    if (!rows) setUp();
    choose();
    const link = h("button", { type: "button", id: "link", click: () => Aurelia.copy(location.href, link) }, "Copy link");
    const sizer = h("div", { class: "sizer", role: "rowgroup" });
    const headRow = h("div", { class: "head", role: "row" });
    const grid = h("div", { class: "grid", id: "grid", role: "grid", tabindex: "0", "aria-label": "Questions", keydown: keys }, headRow, sizer);
    const scroll = grid;
    const room = () => scroll.clientHeight - headRow.offsetHeight;
    let shown = "", height = 44;

    function draw(anew = false) {
      height = parseFloat(getComputedStyle(grid).getPropertyValue("--row")) || 44;
      const first = Math.max(0, Math.floor(scroll.scrollTop / height) - MARGIN);
      const last = Math.min(visible.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / height) + MARGIN);
      if (!anew && shown === `${first}-${last}`) return;
      shown = `${first}-${last}`;
      sizer.style.height = `${visible.length * height}px`;
      const lines = [];
      for (let place = first; place < last; place++) {
        const made = line(place);
        made.style.transform = `translateY(${place * height}px)`;
        lines.push(made);
      }
      sizer.replaceChildren(...lines);
      grid.setAttribute("aria-rowcount", visible.length + 1);
      if (visible.length) grid.setAttribute("aria-activedescendant", `row-${state.chosen}`);
      else grid.removeAttribute("aria-activedescendant");
      const count = document.getElementById("count");
      if (count) count.textContent = `${visible.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} questions`;
    }

    function move(place) {
      state.chosen = Math.max(0, Math.min(visible.length - 1, place));
      const top = state.chosen * height;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      else if (top + height > scroll.scrollTop + room()) scroll.scrollTop = top + height - room();
      draw(true);
    }

    function keys(event) {
      const page = Math.max(1, Math.floor(room() / height) - 1);
      const to = { ArrowDown: state.chosen + 1, ArrowUp: state.chosen - 1, PageDown: state.chosen + page, PageUp: state.chosen - page, Home: 0, End: visible.length - 1 }[event.key];
      if (event.target.tagName === "BUTTON") return;
      if (to !== undefined) { event.preventDefault(); move(to); }
      else if (event.key === "Enter") { event.preventDefault(); open(state.chosen); }
    }

    scroll.addEventListener("scroll", () => { state.top = scroll.scrollTop; draw(); }, { passive: true });
    new ResizeObserver(() => draw(true)).observe(scroll);
    const head = () => headRow.replaceChildren(...HEAD.map(([key, name]) => header(key, name)));
    grid.style.setProperty("--arms", arms.length);
    view = { scroll, draw, head };
    head();
    const form = filters();
    form.querySelector("#reset").after(link);
    const whole = h("div", { class: "view questions" }, h("h2", { class: "aside" }, "Questions"), form, grid);
    whole.shown = () => {
      draw(true);
      scroll.scrollTop = state.top;
      if (state.top === 0 && state.chosen) move(state.chosen);
      draw(true);
    };
    return whole;
  };
})();
