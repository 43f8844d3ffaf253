// Keys for the rating page. Without this file every button still works.
// Keys go by their place (event.code), so that a Thai keyboard layout votes the same as a Latin one.
"use strict";

const CHOICES = { KeyA: "left", Digit1: "left", KeyB: "right", Digit2: "right", KeyT: "tie", Digit3: "tie", KeyX: "both_bad", Digit4: "both_bad" };
const MARKS = { KeyQ: "repeats_left", KeyW: "off_topic_left", KeyP: "repeats_right", KeyO: "off_topic_right" };
const UNSEEN = 300; // ms: a key pressed sooner was meant for the item before

const ballot = document.getElementById("ballot");
const undo = document.getElementById("undo");
const shown = performance.now();
let sent = false;

for (const form of [ballot, undo]) {
  form?.addEventListener("submit", (event) => {
    if (sent) event.preventDefault(); // a double click is one vote; the server sees to it too
    sent = true;
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  const note = document.getElementById("note");
  if (event.target === note) {
    if (event.code === "Escape") note.blur();
    return;
  }
  if (performance.now() - shown < UNSEEN) return;
  if (event.code === "KeyZ" && undo) {
    undo.requestSubmit(undo.querySelector("button"));
  } else if (ballot && event.code in CHOICES) {
    ballot.requestSubmit(ballot.querySelector(`button[value="${CHOICES[event.code]}"]`));
  } else if (ballot && event.code in MARKS) {
    ballot.elements[MARKS[event.code]].click();
  } else if (note && event.code === "KeyN") {
    note.closest("details").open = true;
    note.focus();
  } else {
    return;
  }
  event.preventDefault();
});

// Back from the browser's cache the page may be an item that is rated already: ask again.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
