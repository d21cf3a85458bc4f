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
};

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

Aurelia.table = (caption, head, rows) =>
  Aurelia.h(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    Aurelia.h(
      "table",
      {},
      Aurelia.h("caption", {}, caption),
      Aurelia.h("thead", {}, Aurelia.h("tr", {}, head.map((cell) => Aurelia.h("th", { scope: "col" }, cell)))),
      Aurelia.h(
        "tbody",
        {},
        rows.map((row) =>
          Aurelia.h(
            "tr",
            {},
            row.map((cell, index) => Aurelia.h(index ? "td" : "th", index ? {} : { scope: "row" }, cell)),
          ),
        ),
      ),
    ),
  );
