"use strict";
// One question: its clip, what every arm answered, and the loops behind the answers.
(() => {
  const { h, mark, words, format, marked, copied, CHANGES } = Aurelia;

  function medium(one, label) {
    const title = h("figcaption", {}, label, one.seconds ? ` · ${one.seconds} s` : "", " · ", words(one.name, "span"));
    if (!one.src) return h("figure", { class: "medium" }, title, h("p", { class: "problem" }, `Not shown: ${one.problem}.`));
    if (one.kind === "image") return h("figure", { class: "medium" }, h("img", { src: one.src, alt: label }), title);
    const player = h(one.kind === "audio" ? "audio" : "video", { controls: true, preload: "metadata", playsinline: true, src: one.src });
    const problem = h("p", { class: "problem", hidden: true });
    player.addEventListener("error", () => {
      problem.hidden = false;
      problem.textContent = "This browser cannot play the file, or it is not there any more.";
    });
    if (one.problem) { problem.hidden = false; problem.textContent = `Not drawn: ${one.problem}.`; }
    return h(
      "figure",
      { class: "medium" },
      player,
      one.strip || one.peaks.length ? Aurelia.timeline(one, player, label) : null,
      title,
      problem,
    );
  }

  function labels(media) {
    const seen = {};
    return media.map((one) => {
      const kind = one.kind || "medium";
      seen[kind] = (seen[kind] || 0) + 1;
      return `${kind[0].toUpperCase()}${kind.slice(1)} ${seen[kind]}`;
    });
  }

  function votes(arm) {
    if (!arm.votes) return null;
    const { ballots, chosen, temperature } = arm.votes;
    return h(
      "details",
      {},
      h("summary", {}, `${ballots.length} sampled answers at temperature ${temperature}; number ${chosen + 1} stands for the majority`),
      h("ol", {}, ballots.map(([text, value], index) => h("li", { class: index === chosen ? "chosen" : "" }, h("span", { class: "read" }, value === null ? "nothing read" : words(value, "span")), copied(text, "the reply")))),
    );
  }

  const TURNS = { answer: "answer", critique: "criticism of it", request: "asks for a part of the clip", score: "score of the answer before" };

  function turns(arm) {
    if (!arm.turns) return null;
    return h(
      "details",
      {},
      h("summary", {}, `${arm.turns.length} turns on the way to this answer`),
      h("ol", { class: "turns" }, arm.turns.map((one) => h(
        "li",
        { class: one.chosen ? "chosen" : "" },
        h("p", { class: "facts" }, `${one.role}: ${TURNS[one.kind]}`, one.score !== null ? ` · scored ${one.score} of 10` : "", one.chosen ? " · this one counts" : ""),
        words(one.text, "pre"),
        one.note ? h("p", { class: "facts" }, one.kind === "request" ? "given: " : "read as ", words(one.note, "span")) : null,
      ))),
    );
  }

  function prompt(arm, question) {
    const text = arm.preface ? `${arm.preface}\n\n${question}` : question;
    return h("details", {}, h("summary", {}, arm.preface ? "The prompt, with what was put in front" : "The prompt: the question as it is"), copied(text, "the prompt"));
  }

  function answer(label, arm, question, reference) {
    const facts = [
      arm.change ? CHANGES[arm.change] : null,
      arm.read !== null ? ["read as ", words(arm.read, "b")] : arm.unparsed ? "no answer could be read" : null,
      `score ${format.number(arm.score)}`,
      arm.leak ? `leak: ${arm.leak}${arm.leak_rule ? ` (${arm.leak_rule})` : ""}` : null,
      arm.compute ? `${format.count(arm.compute.calls)} call${arm.compute.calls === 1 ? "" : "s"}` : null,
      arm.iterations !== null ? `${arm.iterations} iteration${arm.iterations === 1 ? "" : "s"}, ${arm.stop}` : null,
      arm.input_tokens !== null ? `${format.count(arm.input_tokens)} + ${format.count(arm.output_tokens)} tokens` : null,
      arm.seconds !== null ? `latency ${format.seconds(arm.seconds)}` : null,
    ].filter(Boolean);
    return h(
      "article",
      { class: "answer", "data-arm": label },
      h("h3", {}, mark(arm.right, label), " ", label),
      arm.failed ? h("p", { class: "problem" }, `No answer: the ${arm.failed} failed.`, arm.cause ? words(arm.cause, "pre") : null) : marked(arm.answer, reference, "pre"),
      h("p", { class: "facts" }, facts.map((fact, index) => [index ? " · " : "", fact])),
      arm.dropped.length ? h("p", { class: "problem" }, `Not delivered: ${arm.dropped.join("; ")}.`) : null,
      votes(arm),
      turns(arm),
      prompt(arm, question),
    );
  }

  function step(one, before, text, index) {
    const found = one.answers[index];
    return h(
      "li",
      {},
      marked(text, before && (before.steps[index] ?? "")),
      found ? h("div", { class: "found" }, "→ ", marked(found, before && (before.answers[index] ?? ""))) : null,
    );
  }

  function call(one) {
    const left = one.dropped.length ? ` · not delivered: ${one.dropped.join("; ")}` : "";
    return h(
      "section",
      { class: "call" },
      h("h4", {}, `${one.role}${one.ask ? ", asked again" : ""}`),
      h("p", { class: "facts" }, `read as ${one.read || "–"} · ${one.tokens[0]} + ${one.tokens[1]} tokens${left}`),
      one.prompt ? h("details", {}, h("summary", {}, `Prompt of the ${one.role}${one.ask ? ", asked again" : ""}`), copied(one.prompt, `the prompt of the ${one.role}`)) : null,
      copied(one.text, `the reply of the ${one.role}`),
    );
  }

  function calls(list, unknown) {
    return h(
      "details",
      {},
      h("summary", {}, `${list.length} calls: prompts and replies`),
      unknown ? h("p", { class: "facts" }, unknown) : null,
      list.map(call),
    );
  }

  function iteration(one, index, trace) {
    const best = index === trace.best;
    const before = index ? trace.iterations[index - 1] : null;
    const score = one.score === null ? "no score" : `${one.score} of 10`;
    return h(
      "article",
      { class: best ? "iteration best" : "iteration" },
      h("h3", {}, `Iteration ${index + 1} `, h("span", { class: "score" }, score, one.score !== null && one.score >= trace.threshold ? " ✓ accepted" : ""), best ? " the best: these steps are used" : ""),
      one.steps.length ? h("ol", { class: "steps" }, one.steps.map((text, place) => step(one, before, text, place))) : h("p", { class: "problem" }, "No steps."),
      one.final ? [h("h4", {}, "Its own answer"), marked(one.final, before && before.final, "p")] : null,
      one.caption ? [h("h4", {}, "Caption"), marked(one.caption, before && before.caption, "p")] : null,
      one.feedback ? [h("h4", {}, "Feedback"), words(one.feedback)] : null,
      calls(one.calls, trace.prompts_unknown),
    );
  }

  function loops(detail) {
    return Object.entries(detail.traces).map(([key, trace]) => {
      const arms = Object.keys(detail.arms).filter((label) => detail.arms[label].trace === key);
      return h(
        "section",
        { class: "loop" },
        h("h2", {}, `Loop of ${arms.join(", ")}`),
        h("p", { class: "facts" }, `Ended: ${trace.stop}. A score of ${trace.threshold} or more is accepted.`),
        trace.error ? h("p", { class: "problem" }, words(trace.error, "span")) : null,
        trace.iterations.length > 1 ? h("p", { class: "facts" }, "Underlined: what is not in the iteration before.") : null,
        h("div", { class: "iterations" }, trace.iterations.map((one, index) => iteration(one, index, trace))),
      );
    });
  }

  function bar(place, order) {
    const link = h("button", { type: "button", class: "permalink", click: () => Aurelia.copy(location.href, link) }, "Copy link");
    const go = (to, label, sign) => h("button", { type: "button", disabled: to < 0 || to >= order.length, click: () => Aurelia.openQuestion(order[to]), "aria-label": label }, sign);
    return h(
      "div",
      { class: "bar" },
      h("a", { class: "back", href: Aurelia.questionsAddress() }, "← Questions"),
      h("span", { class: "spring" }),
      link,
      h("span", {}, place < 0 ? "not in the filtered table" : `${place + 1} of ${order.length}`),
      go(place < 0 ? -1 : place - 1, "The question before", "‹"),
      go(place < 0 ? -1 : place + 1, "The question after", "›"),
    );
  }

  Aurelia.questionView = (index, row, detail) => {
    const order = Aurelia.order();
    const names = labels(detail.media);
    const { reference } = Aurelia.data.get("summary");
    const base = detail.arms[reference];
    const facts = [Aurelia.title(row.c), row.g, row.a, detail.needs.length ? `needs ${detail.needs.join(" and ")}` : null, `${detail.task}, document ${detail.doc}`];
    return h(
      "div",
      { class: "view question" },
      bar(order.indexOf(index), order),
      h("h2", { tabindex: "-1", id: "question-title" }, detail.id),
      h("p", { class: "facts" }, facts.filter(Boolean).join(" · ")),
      h(
        "div",
        { class: "pair" },
        h("section", { class: "media", "aria-label": "Clip" }, detail.media.length ? detail.media.map((one, place) => medium(one, names[place])) : h("p", { class: "problem" }, "No clip: the question has none, or no run says where it lies.")),
        h("section", { "aria-label": "Question" }, words(detail.question, "pre"), h("p", { class: "gold" }, "Right answer: ", words(detail.gold_text, "b"))),
      ),
      h("h2", {}, "Answers"),
      base ? h("p", { class: "facts" }, `Underlined: what ${reference} does not say.`) : null,
      h("section", { class: "answers", "aria-label": "Answers" }, Object.entries(detail.arms).map(([label, arm]) => answer(label, arm, detail.question, label === reference || !base ? null : base.answer))),
      loops(detail),
    );
  };
})();
