// What every page may do beyond its forms and links; without this script everything still works.
"use strict";

// The page behind an address as a document, or null when it cannot be had now.
async function fetched(address) {
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname === "/log-in") {
      location.reload();
      return null;
    }
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null;
  }
}

// Put what has changed in place of what stands there; the focus stays where it was.
function replaced(old, fresh) {
  if (old.innerHTML === fresh.innerHTML) return false;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const links = focused ? [...old.querySelectorAll("a, button, input, select, summary")] : [];
  const place = links.indexOf(focused);
  const target = focused && focused.getAttribute("href");
  old.replaceChildren(...fresh.childNodes);
  if (focused) {
    const now = [...old.querySelectorAll("a, button, input, select, summary")];
    const same = target && now.find((each) => each.getAttribute("href") === target);
    (same || now[Math.min(place, now.length - 1)] || document.getElementById("main")).focus({ preventScroll: true });
  }
  return true;
}

// [data-fresh]: such a part is looked at again every so many seconds, while somebody can see it.
// With data-until-gone the whole page is loaded anew as soon as the part is no longer on it; with data-still the part
// itself stays as it is, since somebody may be listening to it.
for (const part of document.querySelectorAll("[data-fresh]")) {
  const timer = setInterval(async () => {
    const listening = [...document.querySelectorAll("audio")].some((audio) => !audio.paused);
    if (document.hidden || listening || part.querySelector("details[open]")) return;
    const page = await fetched(location.href);
    const fresh = page && page.getElementById(part.id);
    if (!page) return;
    if (part.hasAttribute("data-until-gone") && !(fresh && fresh.hasAttribute("data-until-gone"))) {
      clearInterval(timer);
      location.reload();
    } else if (fresh && !part.hasAttribute("data-still")) {
      replaced(part, fresh);
    }
  }, 1000 * Number(part.dataset.fresh));
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.copied;
  });
}

// A form that takes its time says so, and is not sent twice.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button:not([type=button])");
    setTimeout(() => {
      button.disabled = true;
      if (form.dataset.busy) button.textContent = form.dataset.busy;
    });
  });
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// Filters take effect as they are chosen.
for (const form of document.querySelectorAll("form.filters")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) field.disabled = field.name !== "" && field.value === "";
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "period") for (const name of ["since", "until"]) form.elements[name].value = "";
    if (event.target.tagName === "SELECT") form.requestSubmit();
  });
}
