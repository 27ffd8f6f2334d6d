"use strict";
// Reading needs none of this: it adds sorting, copying, and the place in the contents.
const NUMBER = /^\[?(-?\d[\d.]*(?:e[+-]?\d+)?)(?=$|[\s\],%])/;
const plain = (cell) => cell.textContent.replace(/\s+/g, " ").trim().replaceAll("−", "-");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function sort(table, head) {
  const body = table.tBodies[0], rows = [...body.rows];
  const texts = new Map(rows.map((row) => [row, plain(row.cells[head.cellIndex])]));
  const numeric = [...texts.values()].every((text) => !text || NUMBER.test(text));
  const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const number = (row) => Number(texts.get(row).match(NUMBER)[1]);
  rows.sort((a, b) => {
    if (!texts.get(a) || !texts.get(b)) return !texts.get(a) - !texts.get(b); // blank cells stay last
    if (numeric) return sign * (number(a) - number(b));
    return sign * texts.get(a).localeCompare(texts.get(b), "en", { numeric: true });
  });
  body.append(...rows);
  all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
}

function csv(table) {
  const quote = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [...table.rows].map((row) => [...row.cells].map((cell) => quote(plain(cell))).join(",") + "\n").join("");
}

async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no permission, or a page that is not served securely
    const area = document.createElement("textarea");
    area.value = text;
    button.after(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const before = (button.dataset.label ??= button.textContent);
  button.textContent = done ? "copied" : "not allowed";
  document.getElementById("status").textContent = done ? `${before}: done` : `${before}: the browser refused`;
  setTimeout(() => (button.textContent = before), 1600);
}

for (const table of all("table.sortable")) {
  for (const head of all("thead th", table)) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
}
for (const button of all("button[data-copy]")) {
  const block = button.closest(".block");
  const text = { csv: () => csv(block.querySelector("table")), tex: () => block.querySelector("template").content.textContent };
  button.hidden = false;
  button.addEventListener("click", () => copy(text[button.dataset.copy](), button));
}

const links = new Map(all("nav a").map((link) => [link.hash.slice(1), link]));
const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((entry) => links.has(entry.target.id))) {
      if (entry.isIntersecting) links.get(entry.target.id).setAttribute("aria-current", "true");
      else links.get(entry.target.id).removeAttribute("aria-current");
    }
  },
  { rootMargin: "-40% 0px -60% 0px" },
);
all("main section[id]").forEach((section) => seen.observe(section));
addEventListener("beforeprint", () => all("details").forEach((details) => (details.open = true)));
