// Sorts and filters tables, and copies links to sections. Everything can be read without it: what it needs to be
// used, it makes. Its words are attributes of the element that holds it.
"use strict";
{
  const words = document.currentScript.dataset;
  const make = (name, props) => Object.assign(document.createElement(name), props);

  const EXPONENT = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  /** What a cell is sorted by: its number, or null where a number should be and is not; else its text. */
  const keyOf = (cell, numeric) => {
    const text = (cell.querySelector("bdi, .mark") ?? cell).textContent.trim();
    if (!numeric) return text;
    const plain = text.replaceAll("−", "-").replaceAll(",", "").replace("∞", "Infinity")
      .replace(/\s×\s10(⁻?)([⁰¹²³⁴-⁹]+)/, (_, sign, digits) => `e${sign && "-"}${[...digits].map((d) => EXPONENT.indexOf(d)).join("")}`);
    const found = plain.match(/-?(\d+(\.\d+)?(e-?\d+)?|Infinity)/);
    return found && Number(found[0]);
  };

  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, [], { numeric: true }));

  /** The rows in the order of a column; what has no value comes last either way. */
  const sorted = (rows, at, numeric, sign) => {
    const keyed = rows.map((row) => [keyOf(row.cells[at], numeric), row]);
    keyed.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
    return keyed.map(([, row]) => row);
  };

  /** Heads become buttons: ascending, descending, as it was. */
  const makeSortable = (table, rows) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, at) => {
      if (!head.textContent.trim()) return;
      const button = make("button", { type: "button" });
      button.append(...head.childNodes);
      head.append(button);
      button.onclick = () => {
        const next = { null: "ascending", ascending: "descending" }[head.getAttribute("aria-sort")];
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (next) head.setAttribute("aria-sort", next);
        const numeric = head.classList.contains("n");
        table.tBodies[0].append(...(next ? sorted(rows, at, numeric, next === "ascending" ? 1 : -1) : rows));
      };
    });
  };

  /** A field above a long table that hides the rows without its text. */
  const makeFilterable = (table, rows) => {
    const field = make("input", { type: "search", placeholder: words.filter });
    field.setAttribute("aria-label", `${words.filter}: ${table.caption.textContent}`);
    const count = make("output");
    field.oninput = () => {
      const wanted = field.value.trim().toLocaleLowerCase();
      rows.forEach((row) => (row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted)));
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = wanted && words.shown.replace("{shown}", shown).replace("{all}", rows.length);
    };
    const box = make("div", { className: "filter" });
    box.append(field, count);
    (table.closest(".scroll") ?? table).before(box);
  };

  for (const table of document.querySelectorAll("main table")) {
    const rows = [...table.tBodies[0].rows];
    if (rows.length > 2) makeSortable(table, rows);
    if (rows.length > 11) makeFilterable(table, rows);
  }

  for (const heading of document.querySelectorAll("h2[id]")) {
    const button = make("button", { type: "button", className: "copy", textContent: "#", title: words.copy });
    button.setAttribute("aria-label", `${words.copy}: ${heading.textContent}`);
    const done = make("output", { className: "copied" });
    button.onclick = async () => {
      location.hash = heading.id;
      // Where the clipboard is out of reach, the address bar holds the link.
      const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
      done.textContent = copied ? words.copied : "";
      setTimeout(() => (done.textContent = ""), 3000);
    };
    heading.after(button, done);
  }
}
