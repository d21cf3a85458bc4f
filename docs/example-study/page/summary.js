"use strict";
// The views "Summary" and "How to repeat".
(() => {
  const { h, format, table, words } = Aurelia;
  const found = (list, arm, kind, name) =>
    list.find((one) => one.arm === arm && one.kind === kind && (name === undefined || one.name === name));
  // The interval in brackets, or why there is none.
  const between = (one, form) => (one.interval ? format.bounds(one.interval, form) : one.missing);

  // Colour says that a difference is significant, after the correction where there is one.
  const tone = (contrast) => {
    const p = contrast.p_holm ?? contrast.p;
    if (p === null || p === undefined || p >= 0.05 || contrast.gain === 0) return "";
    return contrast.gain > 0 ? "up" : "down";
  };
  const small = (text) => h("span", { class: /^\[|^p |^$/.test(text) ? "bounds" : "bounds missing" }, text);
  const scored = (figure) => (figure ? [format.percent(figure.score), " ", small(between(figure, format.percent))] : "–");
  const gained = (contrast) => (contrast ? [h("span", { class: tone(contrast) }, format.points(contrast.gain)), " ", small(between(contrast, format.points))] : "–");

  // What follows, and the tests that it follows from.
  function verdicts(s) {
    return s.verdicts.map((one) =>
      h(
        "section",
        { class: "verdict", "aria-label": `What follows for ${one.arm}` },
        h("p", { class: "sentence" }, one.sentence),
        table(
          `${one.arm} against every control, over all items: 95% intervals, p as it is, and p after Holm's correction for several tests`,
          ["against", "n", "videos", "its score, %", "gain, points", "wins / losses", "p", "p, Holm", "could have shown"],
          one.contrasts.map((c) => [
            c.reference, c.n, c.clusters, format.percent(c.reference_score), gained(c),
            `${c.wins} / ${c.losses}`, format.p(c.p), format.p(c.p_holm), c.detectable === null ? "–" : format.points(c.detectable),
          ]),
        ),
      ),
    );
  }

  function cards(s) {
    return h(
      "ul",
      { class: "cards", "aria-label": "Arms" },
      s.runs.map((run) => {
        const figure = found(s.figures, run.label, "all");
        const contrast = found(s.contrasts, run.label, "all");
        return h(
          "li",
          {},
          h("h3", {}, run.label),
          h("p", { class: "big" }, figure ? `${format.percent(figure.score)}%` : "–"),
          h("p", { class: "bounds" }, figure ? `${between(figure, format.percent)} n=${figure.n}` : "no item"),
          contrast
            ? h("p", {}, h("span", { class: tone(contrast) }, `${format.points(contrast.gain)} points `), small(`${between(contrast, format.points)} p ${format.p(contrast.p)}`))
            : h("p", {}, run.label === s.reference ? "the reference" : ""),
        );
      }),
    );
  }

  function overall(s) {
    const head = ["arm", "n", "score, %", `gain over ${s.reference}, points`, "relative gain, %", "wins / losses", "wrong → right", "right → wrong", "p", "could have shown"];
    const rows = s.runs.map((run) => {
      const f = found(s.figures, run.label, "all");
      const c = found(s.contrasts, run.label, "all");
      return [
        run.label, f ? f.n : "–", scored(f), gained(c), c ? format.points(c.relative_gain) : "–",
        c ? `${c.wins} / ${c.losses}` : "–", c ? format.count(c.wrong_to_right) : "–", c ? format.count(c.right_to_wrong) : "–",
        c ? format.p(c.p) : "–", c && c.detectable !== null ? format.points(c.detectable) : "–",
      ];
    });
    return table("All items; 95% intervals in brackets", head, rows);
  }

  // What each arm took of a machine, beside what it gained.
  function compute(s) {
    const known = s.runs.map((run) => [run, found(s.figures, run.label, "all")]).filter(([, f]) => f && f.compute && f.n);
    if (!known.length) return null;
    const head = ["arm", "score, %", `gain over ${s.reference}, points`, "calls", "tokens read", "tokens written", "frames", "sound, s", "forward passes"];
    const rows = known.map(([run, f]) => {
      const each = (value) => (value === null ? "–" : format.number(value / f.n, 1));
      const c = f.compute;
      return [run.label, scored(f), gained(found(s.contrasts, run.label, "all")), each(c.calls), each(c.input_tokens), each(c.output_tokens), each(c.frames + c.images), each(c.sound_seconds), each(c.passes)];
    });
    return table("Score against compute: a question on average, target and agents, whenever their calls were made", head, rows);
  }

  function spent(s) {
    const head = ["arm", "unparsed, %", "failed", "evidence dropped", "iterations", "tokens", "cost", "latency per question"];
    const rows = s.runs.map((run) => {
      const f = found(s.figures, run.label, "all");
      if (!f) return [run.label, ...head.slice(1).map(() => "–")];
      const tokens = f.input_tokens !== null && f.output_tokens !== null ? f.input_tokens + f.output_tokens : null;
      return [
        run.label, format.percent(f.unparsed), format.count(f.failed), format.count(f.dropped),
        format.number(f.mean_iterations), format.count(tokens), format.cost(f.cost), format.seconds(f.seconds),
      ];
    });
    return table("What went wrong, and what it took", head, rows);
  }

  // A line for each column or category, an arm in each cell: gain, interval, p.
  function byScope(s, kind, names, caption) {
    if (!names.length) return null;
    const others = s.runs.filter((run) => run.label !== s.reference);
    const corrected = kind === "column";
    const head = [kind, "n", `${s.reference}, %`, ...others.map((run) => `${run.label}: gain, points`)];
    const line = (title, scope, name) => {
      const base = found(s.figures, s.reference, scope, name);
      if (!base) return null;
      return [
        title, base.n, stacked(scored(base)),
        ...others.map((run) => {
          const c = found(s.contrasts, run.label, scope, name);
          return c ? stacked(gained(c), small(`p ${format.p(c.p)}${c.p_holm === null ? "" : `, Holm ${format.p(c.p_holm)}`}`)) : "–";
        }),
      ];
    };
    const rows = names.map((name) => line(Aurelia.title(name), kind, name));
    if (corrected) rows.push(line("mean over columns", "mean_over_columns"), line("all items", "all"));
    return table(caption, head, rows.filter(Boolean));
  }
  const stacked = (...parts) => h("span", { class: "stacked" }, ...parts);

  function plots(s) {
    if (!s.plots.length) return null;
    const figures = s.plots.map((plot) =>
      h(
        "figure",
        { class: "plot" },
        h("img", { "data-plot": plot.name, alt: `${plot.title}. ${plot.note} The tables on this page hold the figures.`, loading: "lazy" }),
        h("figcaption", {}, `${plot.title}. ${plot.note}`),
      ),
    );
    return h("section", {}, h("h2", {}, "Plots"), h("div", { class: "plots" }, figures));
  }

  function audits(s) {
    const a = s.audits;
    const lines = [];
    for (const one of a.leaks) {
      lines.push(`${one.arm}: the steps give the gold answer away in ${one.leaking} of ${one.leaking + one.clean} questions where a rule can tell (${format.percent(one.rate)}% ${format.bounds(one.interval, format.percent)}; ${one.unclear} unclear).`);
      if (one.clean_contrast) lines.push(`${one.arm}, over the questions without a leak: gain ${format.points(one.clean_contrast.gain)} points ${between(one.clean_contrast, format.points)}, n=${one.clean_contrast.n}.`);
    }
    for (const one of a.saturation) lines.push(`${one.arm}: the evaluator accepted ${format.percent(one.accepted_first)}% at the first try ${format.bounds(one.interval, format.percent)}, n=${one.n}.`);
    for (const one of a.discrimination) lines.push(`${one.arm}: the evaluator's score against correctness, AUC ${format.number(one.auc)} ${format.bounds(one.interval, (x) => format.number(x))} (${one.right} right, ${one.wrong} wrong; 0.5 says that the score knows nothing).`);
    for (const one of a.modality) lines.push(`${one.reduced} beside ${one.full} (needs: ${one.needs}): the score falls by ${format.points(one.drop)} points ${format.bounds(one.interval, format.points)}, n=${one.n}.`);
    if (!lines.length && !a.position.length) return null;
    const positions = a.position.map((one) => [one.arm, one.options, one.n, pairs(one.chosen), pairs(one.gold), one.unread, format.p(one.p)]);
    return h(
      "section",
      {},
      h("h2", {}, "Audits"),
      h("ul", {}, lines.map((line) => h("li", {}, line.replace(/ +([,.])/g, "$1")))),
      positions.length ? table("Positions of chosen options", ["arm", "options", "n", "chosen", "right", "not read", "p"], positions) : null,
    );
  }
  const pairs = (counts) => Object.entries(counts).map(([key, n]) => `${key} ${n}`).join(", ");

  function reported(s) {
    if (!s.reported.length) return null;
    const cell = (x) => (x === null ? "–" : x.toFixed(1));
    return table(
      "Reported by the paper, percent; not measured here, never a target",
      ["column", "model", "zero-shot, first", "zero-shot, second", "with AURELIA", "printed gain"],
      s.reported.map((r) => [Aurelia.title(r.column), r.model, cell(r.zero_shot_first), cell(r.zero_shot_second), cell(r.with_aurelia), `${cell(r.printed_gain)}${r.misprint ? " (misprint)" : ""}`]),
    );
  }

  function boards(s) {
    return s.boards.map((b) =>
      table(
        `${b.title}, ${b.dated}: ${b.metric}. ${b.source}. What differs: ${b.differs.join("; ")}`,
        ["rank", "model", "score", "note"],
        b.rows.map((r) => [r.rank, r.arm ? `${r.model} (measured here)` : r.model, r.score.toFixed(1), r.note]),
      ),
    );
  }

  Aurelia.summaryView = (s) =>
    h(
      "div",
      { class: "view" },
      verdicts(s),
      h("p", {}, `${s.n} questions, ${s.runs.length} arms, compared with ${s.reference}. Made ${s.created} by aurelia ${s.version}; intervals take answers that share a ${s.method.cluster} as dependent.`),
      s.notes.length ? h("ul", { class: "notes" }, s.notes.map((note) => h("li", {}, note))) : null,
      h("h2", { class: "aside" }, "Arms"),
      cards(s),
      overall(s),
      compute(s),
      spent(s),
      byScope(s, "column", s.columns, "Per column"),
      plots(s),
      byScope(s, "category", s.categories, "Per category"),
      audits(s),
      reported(s),
      boards(s),
      h("p", { class: "files" }, "Every number, unrounded: figures ", Aurelia.downloads("figures", () => s.figures.map(flat)), " gains ", Aurelia.downloads("gains", () => s.contrasts.map(flat))),
    );

  const flat = ({ interval, ...rest }) => ({ ...rest, low: interval ? interval.low : null, high: interval ? interval.high : null });

  Aurelia.repeatView = (s) => {
    const known = s.provenance;
    const commands = known ? Object.entries(known.arms) : [];
    return h(
      "div",
      { class: "view" },
      h("h2", {}, "How to repeat"),
      known ? h("p", {}, "The whole study, from the folder of this page: ", h("code", {}, known.repeat)) : null,
      commands.map(([name, arm]) => [h("h3", {}, name), Aurelia.copied(arm.command, `the command of ${name}`)]),
      h("h3", {}, "Versions, settings, prompt and data digests, seeds, models, decoding"),
      words(JSON.stringify(known || { method: s.method }, null, 1), "pre"),
      h("h3", {}, "Arms as compared"),
      s.runs.map((run) => h("details", {}, h("summary", {}, run.label), words(JSON.stringify(run, null, 1), "pre"))),
    );
  };
})();
