"use strict";
// The outline of a sound, with the place that is being played; a click goes there.
Aurelia.wave = (peaks, player) => {
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

  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    if (player.duration) player.currentTime = ((event.clientX - box.left) / box.width) * player.duration;
  });
  for (const name of ["timeupdate", "seeked", "loadedmetadata", "ended"]) player.addEventListener(name, draw);
  document.addEventListener("aurelia-theme", draw);
  requestAnimationFrame(draw);
  return canvas;
};
