"use strict";
// The page's one global. Data files hand their JSON over here.
const Aurelia = { data: new Map(), waiting: new Map() };

Aurelia.receive = (name, text) => {
  Aurelia.data.set(name, JSON.parse(text));
  const told = Aurelia.waiting.get(name);
  if (told) {
    Aurelia.waiting.delete(name);
    told.resolve();
  }
};

// Load one part of the data. A page opened from disk may not fetch, but may load scripts.
Aurelia.load = (name) => {
  if (Aurelia.data.has(name)) return Promise.resolve(Aurelia.data.get(name));
  const known = Aurelia.waiting.get(name);
  if (known) return known.promise;
  const told = {};
  told.promise = new Promise((resolve, reject) => {
    told.resolve = () => resolve(Aurelia.data.get(name));
    told.reject = reject;
  });
  Aurelia.waiting.set(name, told);
  const script = document.createElement("script");
  script.src = `page/data/${name}.js`;
  script.onerror = () => {
    Aurelia.waiting.delete(name);
    told.reject(new Error(`page/data/${name}.js cannot be loaded`));
  };
  script.onload = () => script.remove();
  document.head.append(script);
  return told.promise;
};
