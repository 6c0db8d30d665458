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
  if (event.target.matches(".filters select, .filters input[list]")) {
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

// The box in the head ticks every row of the page; it shows whether all or some are ticked.
const pickPage = () => document.getElementById("pick-page");
const picks = () => [...document.querySelectorAll('input[name="picked"]')];
function showPicks() {
  const box = pickPage();
  if (!box) return;
  const count = picks().filter((pick) => pick.checked).length;
  box.disabled = picks().length === 0;
  box.checked = count > 0 && count === picks().length;
  box.indeterminate = count > 0 && !box.checked;
}
document.addEventListener("change", (event) => {
  if (event.target === pickPage()) {
    for (const pick of picks()) pick.checked = event.target.checked;
    picks()[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  }
  showPicks();
});
document.addEventListener("htmx:afterSettle", showPicks);
window.addEventListener("pageshow", showPicks);

// Heads of columns stay below the bar of actions, however many lines that has.
const toolbar = document.querySelector(".toolbar");
if (toolbar) {
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--toolbar", `${toolbar.offsetHeight}px`);
  }).observe(toolbar);
}

// Enter in a menu's search takes its first hit.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches('.find input[name="find"]')) return;
  event.preventDefault();
  event.target.closest(".panel").querySelector("#targets button")?.focus();
});

// Copies an id; browsers offer the clipboard on secure addresses only.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    const field = document.createElement("input");
    field.value = button.dataset.copy;
    button.after(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
});

// The arrow keys turn the pages of the list that a conversation was opened from.
document.addEventListener("keydown", (event) => {
  const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const link = rel && document.querySelector(`a[rel="${rel}"]`);
  const isPlain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (link && isPlain && !event.target.matches("input, textarea, select, summary")) link.click();
});
