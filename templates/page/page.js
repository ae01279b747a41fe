"use strict";
// Copy buttons, and a choice of shell that this browser remembers. Without it everything is on the page all the same.
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
