"use strict";
// Views by the address's hash, keys, and the theme.
(() => {
  const { h } = Aurelia;
  const main = document.getElementById("main");
  const summary = Aurelia.data.get("summary");
  const rows = Aurelia.data.get("rows");

  const route = (index) => `#q/${encodeURIComponent(rows[index].t)}/${encodeURIComponent(rows[index].i)}`;
  Aurelia.openQuestion = (index) => { location.hash = route(index); };

  let places;
  function placed(hash) {
    places = places || new Map(rows.map((_, index) => [route(index), index]));
    return places.get(hash);
  }

  function put(view, name) {
    main.replaceChildren(view);
    document.querySelector("nav a[data-view=questions]").href = Aurelia.questionsAddress();
    for (const link of document.querySelectorAll("nav a")) {
      if (link.dataset.view === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (view.shown) view.shown();
    else window.scrollTo(0, 0);
    paint();
    reach();
  }

  // A box that scrolls can be reached by keyboard; one that does not is no stop on the way.
  function reach() {
    for (const box of main.querySelectorAll("pre, .wide")) {
      if (box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }
  main.addEventListener("toggle", reach, true);
  window.addEventListener("resize", reach);

  Aurelia.show = (name) => {
    if (name === "questions") put(Aurelia.questionsView(), "questions");
    else if (name === "repeat") put(Aurelia.repeatView(summary), "repeat");
    else put(Aurelia.summaryView(summary), "summary");
  };

  async function showQuestion(index) {
    const name = `details-${String(Math.floor(index / summary.part)).padStart(4, "0")}`;
    const hash = location.hash;
    try {
      const details = await Aurelia.load(name);
      if (location.hash !== hash) return; // the reader has gone on
      const place = Aurelia.order().indexOf(index);
      if (place >= 0) Object.assign(Aurelia.tableState, { chosen: place, top: 0 });
      put(Aurelia.questionView(index, rows[index], details[index % summary.part]), "questions");
      document.getElementById("question-title").focus({ preventScroll: true });
    } catch (error) {
      put(h("p", { class: "problem" }, `${error.message}. Keep the folder "page" beside this file.`), "questions");
    }
  }

  function follow() {
    const hash = location.hash;
    if (hash === "#main") return void main.focus();
    const index = hash.startsWith("#q/") ? placed(hash) : undefined;
    if (index !== undefined) showQuestion(index);
    else if (hash.startsWith("#q/")) put(h("p", { class: "problem" }, "This comparison has no such question."), "questions");
    else {
      const [name, filters] = hash.slice(1).split(/\?(.*)/s);
      if (name === "questions") Aurelia.readFilters(filters ?? "");
      Aurelia.show(name);
      if (name === "questions") document.getElementById("grid").focus({ preventScroll: true });
    }
  }

  function play() {
    const player = main.querySelector("video, audio");
    if (!player) return;
    if (player.paused) player.play().catch(() => {}); // the player itself shows why not
    else player.pause();
  }

  function search() {
    if (!document.getElementById("search")) {
      history.pushState(null, "", Aurelia.questionsAddress());
      Aurelia.show("questions");
    }
    document.getElementById("search").focus();
  }

  function press(event) {
    const typing = event.target.closest("input, select, textarea, video, audio, dialog");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const question = location.hash.startsWith("#q/");
    if (event.key === "Escape") {
      if (event.target.closest("dialog")) return;
      if (question) location.hash = Aurelia.questionsAddress();
      else if (typing) document.getElementById("grid")?.focus();
      return;
    }
    if (typing) return;
    const beside = { ArrowLeft: "before", p: "before", ArrowRight: "after", n: "after" }[event.key];
    if (event.key === "/") { event.preventDefault(); search(); }
    else if (event.key === "?") document.getElementById("keys").showModal();
    else if (question && beside) main.querySelector(`[aria-label="The question ${beside}"]`)?.click();
    else if (question && event.key === "k") play();
  }

  // Themes: the system's own, light, dark. Some browsers keep nothing for pages from disk.
  const THEMES = ["auto", "light", "dark"];
  const system = matchMedia("(prefers-color-scheme: dark)");
  let theme = "auto";
  try { theme = THEMES.includes(localStorage.getItem("aurelia-theme")) ? localStorage.getItem("aurelia-theme") : "auto"; } catch { theme = "auto"; }

  function paint() {
    const dark = theme === "dark" || (theme === "auto" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.getElementById("theme").textContent = `Theme: ${theme}`;
    for (const image of document.querySelectorAll("img[data-plot]")) {
      const source = `plots/${image.dataset.plot}${dark ? "-dark" : ""}.svg`;
      if (image.getAttribute("src") !== source) image.setAttribute("src", source);
    }
    document.dispatchEvent(new Event("aurelia-theme"));
  }

  document.getElementById("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    try { localStorage.setItem("aurelia-theme", theme); } catch { /* it holds until the page is closed */ }
    paint();
  });
  system.addEventListener("change", paint);
  window.addEventListener("hashchange", follow);
  document.addEventListener("keydown", press);
  document.title = `${summary.title} · AURELIA`;
  document.getElementById("title").textContent = summary.title;
  follow();
})();
