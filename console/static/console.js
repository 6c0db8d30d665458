// Behaviour that htmx lacks. Every page works without this file.
"use strict";

document.documentElement.classList.add("scripts");

const openMenus = () => document.querySelectorAll("details.menu[open]");

// Escape, a click outside and the focus on another menu close a menu.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("focusin", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Choosing a filter applies it. The button stays for text, which is typed.
document.addEventListener("change", (event) => {
  if (event.target.matches(".filters select")) {
    event.target.form.requestSubmit(event.target.form.querySelector('button[value="filter"]'));
  }
});

// Ignores a second click while the form is being sent. The server treats both as one request anyway.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-once]")) delete form.dataset.sent;
});

// Shift and click ticks all rows between two clicks.
let lastPick = null;
document.addEventListener("click", (event) => {
  if (!event.target.matches('input[name="picked"]')) return;
  const picks = [...document.querySelectorAll('input[name="picked"]')];
  if (event.shiftKey && lastPick && lastPick.isConnected) {
    const [from, to] = [picks.indexOf(lastPick), picks.indexOf(event.target)].sort((a, b) => a - b);
    for (const pick of picks.slice(from, to + 1)) pick.checked = event.target.checked;
  }
  lastPick = event.target;
});
