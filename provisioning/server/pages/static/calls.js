// The newest calls, as they arrive.
"use strict";

const calls = document.getElementById("calls");
const told = document.getElementById("said");
const button = document.getElementById("news");
let stream = null;

function listen() {
  if (stream || document.hidden || !calls.dataset.live) return;
  stream = new EventSource(calls.dataset.live);
  stream.addEventListener("changed", changed);
}

function deaf() {
  if (stream) stream.close();
  stream = null;
}

async function changed() {
  deaf();
  if (calls.getBoundingClientRect().top < 0) {
    button.hidden = false; // whoever reads further down is not disturbed
    return;
  }
  await show();
}

async function show() {
  button.hidden = true;
  const page = await fetched(location.href);
  const fresh = page && page.getElementById("calls");
  if (fresh) {
    const before = new Map([...calls.querySelectorAll("tbody tr")].map((row) => [row.id, row.innerHTML]));
    if (fresh.dataset.live) calls.dataset.live = fresh.dataset.live;
    document.getElementById("today").textContent = page.getElementById("today").textContent;
    replaced(calls, fresh);
    const rows = [...calls.querySelectorAll("tbody tr")].filter((row) => before.get(row.id) !== row.innerHTML);
    for (const row of rows) row.classList.add("fresh");
    if (rows.length) told.textContent = told.dataset.said.replace("{count}", rows.length);
  }
  setTimeout(listen, fresh ? 200 : 5000);
}

button.addEventListener("click", () => {
  scrollTo({ top: 0 });
  show();
});
document.addEventListener("visibilitychange", () => (document.hidden ? deaf() : listen()));
addEventListener("pagehide", deaf);
listen();
