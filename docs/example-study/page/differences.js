"use strict";
// Which words of a text are not in another one, in order: the longest common subsequence.
(() => {
  const MOST = 400; // words; beyond it nothing is marked

  function kept(before, after) {
    const width = after.length + 1;
    const lengths = new Uint16Array((before.length + 1) * width);
    for (let i = before.length - 1; i >= 0; i--)
      for (let j = after.length - 1; j >= 0; j--)
        lengths[i * width + j] = before[i] === after[j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    const same = new Set();
    for (let i = 0, j = 0; i < before.length && j < after.length;) {
      if (before[i] === after[j]) { same.add(j); i++; j++; }
      else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
      else j++;
    }
    return same;
  }

  // The text, with what is new in it beside `before` marked; as it is without `before`.
  Aurelia.marked = (text, before, kind = "span") => {
    const { h, words } = Aurelia;
    const parts = (text || "").split(/(\s+)/), others = (before || "").split(/\s+/).filter(Boolean);
    const own = parts.filter((_, place) => place % 2 === 0);
    if (before === null || before === undefined || own.length > MOST || others.length > MOST) return words(text, kind);
    const same = kept(others, own);
    const made = [];
    parts.forEach((part, place) => {
      const isNew = place % 2 === 0 && part && !same.has(place / 2);
      const last = made[made.length - 1];
      if (last && last.isNew === isNew) last.text += part;
      else if (last && last.isNew && place % 2 === 1 && parts[place + 1] && !same.has((place + 1) / 2)) last.text += part;
      else made.push({ isNew, text: part });
    });
    return h(kind, { class: "words", dir: "auto" }, made.map((one) => (one.isNew ? h("mark", { title: "not in the one before" }, one.text) : one.text)));
  };
})();
