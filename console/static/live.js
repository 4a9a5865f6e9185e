// Loads the overview again while it is looked at. Asked for by ?live=1, never by itself.
"use strict";

const EVERY_MS = 5000;

function undisturbed() {
  const focused = document.activeElement;
  return !document.hidden && !(focused && /^(INPUT|SELECT|TEXTAREA)$/.test(focused.tagName));
}

setInterval(() => {
  if (undisturbed() && String(getSelection()) === "") location.reload();
}, EVERY_MS);
