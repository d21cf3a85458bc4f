"use strict";
// Making elements. Text only ever goes in as text, so nothing that a model wrote can be markup.

Aurelia.h = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
};

// Words that a model or a data set wrote: kept as they are, in their own direction.
Aurelia.words = (text, kind = "p") =>
  Aurelia.h(kind, { class: "words", dir: "auto" }, text === null ? "" : text);

Aurelia.format = {
  percent: (x) => (x === null || x === undefined ? "–" : (100 * x).toFixed(1)),
  points: (x) =>
    x === null || x === undefined ? "–" : `${Math.abs(x) < 0.0005 ? "" : x > 0 ? "+" : "−"}${Math.abs(100 * x).toFixed(1)}`,
  bounds: (b, f) => (b ? `[${f(b.low)}, ${f(b.high)}]` : ""),
  p: (x) => (x === null || x === undefined ? "–" : x < 0.001 ? "<0.001" : x.toFixed(3)),
  count: (x) => (x === null || x === undefined ? "–" : x.toLocaleString("en")),
  number: (x, digits = 2) => (x === null || x === undefined ? "–" : x.toFixed(digits)),
  cost: (x) => (x === null || x === undefined ? "–" : `$${x.toFixed(x < 1 ? 4 : 2)}`),
  seconds: (x) => (x === null || x === undefined ? "–" : `${x.toFixed(x < 10 ? 2 : 1)} s`),
  clock: (x) => `${Math.floor(x / 60)}:${(x % 60).toFixed(1).padStart(4, "0")}`,
};

const TITLES = {
  music_avqa: "Music-AVQA", avsd: "AVSD", captioning: "AV-Captioning", compositional: "AV-Compositional",
  geoiq: "AV-GeoIQ", meme: "AV-Meme", dm_match: "DM-Match",
};
// The paper's name of a column; any other name as it is.
Aurelia.title = (name) => TITLES[name] ?? name;

Aurelia.CHANGES = {
  wrong_to_right: "wrong → right",
  right_to_wrong: "right → wrong",
  right: "right in both",
  wrong: "wrong in both",
};

// A mark says right or wrong by sign, word and colour.
Aurelia.mark = (right, title = "") => {
  const [sign, word] =
    right === true ? ["✓", "right"] : right === false ? ["✗", "wrong"] : ["○", "not judged"];
  return Aurelia.h(
    "span",
    { class: `mark ${word.replace(" ", "-")}`, role: "img", "aria-label": title ? `${title}: ${word}` : word, title: title ? `${title}: ${word}` : word },
    sign,
  );
};

// Text in a box, with a button that copies it.
Aurelia.copied = (text, what) => {
  const { h, words } = Aurelia;
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${what}`, click: () => Aurelia.copy(text, button) }, "Copy");
  return h("div", { class: "copied" }, words(text, "pre"), button);
};

Aurelia.copy = async (text, button) => {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a browser that keeps the clipboard from pages on disk
    const area = Aurelia.h("textarea", { class: "aside", "aria-hidden": "true" }, text);
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  const before = button.textContent;
  button.textContent = done ? "Copied" : "Not copied";
  setTimeout(() => { button.textContent = before; }, 1500);
};

// A file for the reader, made here: nothing is asked of a server.
Aurelia.download = (name, type, text) => {
  const link = Aurelia.h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

Aurelia.csv = (rows) => {
  const names = Object.keys(rows[0] || {});
  const cell = (value) => {
    let text = value === null || value === undefined ? "" : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`; // a spreadsheet would calculate it
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => line.map(cell).join(",")).join("\n") + "\n";
};

Aurelia.downloads = (name, rows) => {
  const { h, csv, download } = Aurelia;
  return h(
    "span",
    { class: "downloads" },
    h("button", { type: "button", click: () => download(`${name}.csv`, "text/csv", csv(rows())), "aria-label": `Download ${name} as CSV` }, "CSV"),
    h("button", { type: "button", click: () => download(`${name}.json`, "application/json", JSON.stringify(rows(), null, 1)), "aria-label": `Download ${name} as JSON` }, "JSON"),
  );
};

Aurelia.table = (caption, head, rows) =>
  Aurelia.h(
    "div",
    { class: "wide", role: "region", "aria-label": caption },
    // The roles are said once more: on a phone the style sheet makes cards of the rows.
    Aurelia.h(
      "table",
      { role: "table" },
      Aurelia.h("caption", {}, caption),
      Aurelia.h("thead", { role: "rowgroup" }, Aurelia.h("tr", { role: "row" }, head.map((cell) => Aurelia.h("th", { scope: "col", role: "columnheader" }, cell)))),
      Aurelia.h(
        "tbody",
        { role: "rowgroup" },
        rows.map((row) =>
          Aurelia.h(
            "tr",
            { role: "row" },
            row.map((cell, index) => Aurelia.h(index ? "td" : "th", index ? { role: "cell", "data-of": head[index] } : { scope: "row", role: "rowheader" }, cell)),
          ),
        ),
      ),
    ),
  );
