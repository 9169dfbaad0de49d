// Filter and search of the statements, and links that lead to one. What is chosen stands in the address after `#`:
// `#verdict=contradicted&q=cosine`, and `open=claim-...` for an open statement; or the plain name of a place.
"use strict";
(() => {
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const rows = [...document.querySelectorAll(".statement")];
  const choices = ["report", "study", "verdict", "evidence"];

  const texts = new Map();  // of the rows, in small letters
  const text = (row) => texts.get(row) ?? texts.set(row, `${row.id} ${row.textContent.toLowerCase()}`).get(row);

  const chosen = () => {
    const params = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) params.set(name, value.trim());
    return params;
  };

  function apply() {
    const params = chosen();
    const words = (params.get("q") ?? "").toLowerCase().split(/\s+/);
    const fits = (row) =>
      choices.every((name) => !params.has(name) || row.dataset[name] === params.get(name)) &&
      words.every((word) => (!word || text(row).includes(word)));
    let count = 0;
    for (const row of rows) count += (row.hidden = !fits(row)) ? 0 : 1;
    for (const group of document.querySelectorAll(".group"))
      group.hidden = !group.querySelector(".statement:not([hidden])");
    shown.textContent = `${count} of ${rows.length} statements`;
  }

  // Not a new entry in the history for each letter.
  const remember = (place) => history.replaceState(null, "", `#${place}`);

  function fill(params) {
    for (const field of form.elements) if (field.name) field.value = params.get(field.name) ?? "";
    apply();
  }

  // Show an element, whatever hides it.
  function reveal(target) {
    const row = target.closest(".statement");
    if (row?.hidden) fill(new URLSearchParams());
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    target.scrollIntoView();
  }

  function follow() {
    const place = location.hash.slice(1);
    if (!place.includes("=")) {
      const target = document.getElementById(decodeURIComponent(place));
      if (target) reveal(target);
      return;
    }
    const params = new URLSearchParams(place);
    fill(params);
    const open = document.getElementById(params.get("open") ?? "");
    if (open) reveal(open);
    else document.getElementById("statements").scrollIntoView();
  }

  for (const kind of ["input", "change"])  // programs that choose for people may send only the second
    form.addEventListener(kind, () => { apply(); remember(chosen()); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { apply(); remember("statements"); }));
  for (const row of rows) {
    row.querySelector("summary").addEventListener("click", () => {
      const params = chosen();
      if (row.open) return remember(params.size ? params : "statements");
      if (params.size) params.set("open", row.id);
      remember(params.size ? params : row.id);
    });
  }
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    form.elements.q.focus();
  });
  addEventListener("hashchange", follow);
  for (const menu of document.querySelectorAll(".menu")) menu.addEventListener("click", (event) => {
    if (event.target.tagName === "A") menu.open = false;
  });

  // On paper everything is open; afterwards it is as it was.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of opened) each.open = false; });

  apply();
  follow();
})();
