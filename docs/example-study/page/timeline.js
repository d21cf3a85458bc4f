"use strict";
// Pictures and sound of a clip over one axis of time. A click, or an arrow key, goes there.
(() => {
  const STEP = 0.25; // seconds of an arrow key
  const TICKS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

  function outline(peaks, player) {
    const canvas = Aurelia.h("canvas", { class: "wave", width: 720, height: 64, role: "img", "aria-label": "Outline of the sound" });
    const pen = canvas.getContext("2d");
    const loudest = Math.max(20, ...peaks); // a quiet sound is drawn larger, silence stays a line

    function draw() {
      const style = getComputedStyle(document.documentElement);
      const { width, height } = canvas;
      pen.clearRect(0, 0, width, height);
      const part = player.duration ? player.currentTime / player.duration : 0;
      const step = width / peaks.length;
      peaks.forEach((peak, index) => {
        const size = Math.max(1, (peak / loudest) * (height - 4));
        pen.fillStyle = style.getPropertyValue(index / peaks.length < part ? "--accent" : "--soft");
        pen.fillRect(index * step, (height - size) / 2, Math.max(1, step - 1), size);
      });
    }
    for (const name of ["timeupdate", "seeked", "loadedmetadata", "ended"]) player.addEventListener(name, draw);
    document.addEventListener("aurelia-theme", draw);
    requestAnimationFrame(draw);
    return canvas;
  }

  function axis(seconds) {
    const step = TICKS.find((one) => seconds / one <= 8) || seconds;
    const marks = [];
    for (let at = 0; at <= seconds + 1e-6; at += step) {
      const mark = Aurelia.h("span", { class: "tick" }, seconds < 60 ? `${+at.toFixed(1)} s` : Aurelia.format.clock(at).replace(/\.0$/, ""));
      mark.style.left = `${(100 * at) / seconds}%`;
      if (at === 0) mark.classList.add("first");
      if (at > seconds * 0.96) mark.classList.add("last");
      marks.push(mark);
    }
    return marks;
  }

  Aurelia.timeline = (one, player, label) => {
    const { h, format } = Aurelia;
    const needle = h("div", { class: "needle" });
    const ticks = h("div", { class: "ticks", "aria-hidden": "true" });
    const bar = h(
      "div",
      { class: "timeline", role: "slider", tabindex: "0", "aria-label": `Position in ${label}`, "aria-valuemin": 0, "aria-valuemax": one.seconds || 0, "aria-valuenow": 0 },
      one.strip ? h("img", { class: "strip", src: one.strip, alt: `${one.frames} pictures of the clip, in order of time` }) : null,
      one.peaks.length ? outline(one.peaks, player) : null,
      ticks,
      needle,
    );
    const length = () => (Number.isFinite(player.duration) && player.duration) || one.seconds || 0;

    function measure() {
      if (!length()) return;
      bar.setAttribute("aria-valuemax", length().toFixed(2));
      ticks.replaceChildren(...axis(length()));
    }
    function follow() {
      const part = length() ? player.currentTime / length() : 0;
      needle.style.left = `${100 * part}%`;
      bar.setAttribute("aria-valuenow", player.currentTime.toFixed(2));
      bar.setAttribute("aria-valuetext", `${format.clock(player.currentTime)} of ${format.clock(length())}`);
    }
    const go = (time) => {
      if (length()) player.currentTime = Math.min(Math.max(0, time), length());
    };
    bar.addEventListener("click", (event) => {
      const box = bar.getBoundingClientRect();
      go(((event.clientX - box.left) / box.width) * length());
    });
    bar.addEventListener("keydown", (event) => {
      const to = { ArrowRight: player.currentTime + STEP, ArrowLeft: player.currentTime - STEP, ArrowUp: player.currentTime + STEP, ArrowDown: player.currentTime - STEP, Home: 0, End: length() }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation(); // the arrows go to other questions elsewhere
      go(to);
    });
    for (const name of ["timeupdate", "seeked", "ended"]) player.addEventListener(name, follow);
    for (const name of ["loadedmetadata", "durationchange"]) player.addEventListener(name, measure);
    measure();
    return bar;
  };
})();
