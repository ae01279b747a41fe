"use strict";
// Copy buttons, a choice of shell that this browser remembers, and the newest backup in its place.
// Without it everything is on the page all the same, or one link away.
const { copy, copied } = document.body.dataset;
const said = document.getElementById("said");

for (const code of document.querySelectorAll("figure.command pre > code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent.replace(/\n$/, ""));
    button.textContent = said.textContent = copied;
    setTimeout(() => { button.textContent = copy; said.textContent = ""; }, 2000);
  });
  code.closest("figure").append(button);
}

const shells = document.querySelector(".shells");
const KEY = "backup-runbooks-shell";
const remembered = (() => { try { return localStorage.getItem(KEY); } catch { return null; } })();
const choose = (shell) => { document.documentElement.dataset.shell = shell; };
for (const radio of shells.querySelectorAll("input")) {
  if (radio.value === remembered) { radio.checked = true; choose(remembered); }
  radio.addEventListener("change", () => {
    choose(radio.value);
    try { localStorage.setItem(KEY, radio.value); } catch { /* a browser that keeps nothing */ }
  });
}
shells.hidden = document.querySelector("figure.choice") === null;

// The link to the newest backup shows it here; while the backup runs and the page is looked at, it is read again every 30 seconds.
const link = document.getElementById("show-job");
const EVERY = 30000;
let timer;
const showJob = async () => {
  clearTimeout(timer);
  const job = document.getElementById("job");
  const answer = document.hidden ? null : await fetch(link.href).catch(() => null);
  if (answer && answer.ok) {
    const other = new DOMParser().parseFromString(await answer.text(), "text/html");
    const shown = other.getElementById("job") || other.querySelector("main p");
    job.replaceChildren(...(shown.id ? shown.childNodes : [shown]));
    job.toggleAttribute("data-running", shown.hasAttribute("data-running"));
  }
  if (job.hasAttribute("data-running")) timer = setTimeout(showJob, EVERY);
};
if (link) {
  link.addEventListener("click", (event) => { event.preventDefault(); showJob(); });
  if (document.getElementById("job").hasAttribute("data-running")) showJob();
}
