"use strict";
// Copy buttons on command lines; the list reloads when a ticket arrives.
for (const code of document.querySelectorAll(".runbook pre > code")) {
  const pre = code.parentElement, words = code.closest(".runbook").dataset;
  pre.tabIndex = 0;
  if (![...code.classList].some((name) => name === "language-bash" || name === "language-powershell")) continue;
  const block = document.createElement("div");
  block.className = "block";
  pre.replaceWith(block);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = words.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent.trimEnd());
    button.textContent = words.copied;
    setTimeout(() => { button.textContent = words.copy; }, 1500);
  });
  block.append(pre, button);
}
const count = document.getElementById("count");
if (count) {
  setInterval(async () => {
    const answer = await fetch("/api/tickets").catch(() => null);
    if (!answer || !answer.ok) return;
    const { tickets } = await answer.json();
    if (tickets.length !== Number(count.dataset.count)) location.reload();
  }, 3000);
}
