// What page breaks cut, read from the structure that a tagged PDF tells of itself: rows and pictures on more than one page.

/** Elements of the structure by their numbers in the file: kind, whether drawn, what they hold, pages of their own content. */
function structure(pdf) {
  const text = pdf.toString("latin1");
  const sheets = [...text.matchAll(/(\d+) 0 obj\n<<\/Type \/Page\n/g)].map((match) => match[1]);
  const sheet = (number) => sheets.indexOf(number) + 1;
  const elements = new Map();
  for (const [, number, body] of text.matchAll(/(\d+) 0 obj\n<<\/Type \/StructElem\n([\s\S]*?)>>\nendobj/g)) {
    const pages = new Set();
    const held = (body.match(/\/K (\[[\s\S]*?\](?=\n|$)|[^\n]*)/)?.[1] ?? "").replace(/<<\/Type \/MCR\n\/Pg (\d+) 0 R[\s\S]*?>>/g, (_, page) => {
      pages.add(sheet(page));
      return "";
    });
    const kids = [...held.matchAll(/(\d+) 0 R/g)].map((match) => match[1]);
    if (/\d/.test(held.replace(/\d+ 0 R/g, ""))) pages.add(sheet(body.match(/\/Pg (\d+) 0 R/)?.[1]));
    elements.set(number, { kind: body.match(/\/S \/(\w+)/)?.[1], isDrawn: body.includes("/Alt "), kids, pages });
  }
  return elements;
}

/** The pages of every row and of every picture, each in the order of the document. */
export function places(pdf) {
  const elements = structure(pdf);
  const found = { rows: [], pictures: [] };
  const walk = (number) => {
    const element = elements.get(number);
    if (!element) return [];
    // A figure around a chart and its numbers may go over pages; what is drawn has a text beside it.
    const list = element.kind === "TR" ? found.rows : element.kind === "Figure" && element.isDrawn ? found.pictures : [];
    const at = list.push([]) - 1;
    list[at] = [...new Set([...element.pages, ...element.kids.flatMap(walk)])].sort((a, b) => a - b);
    return list[at];
  };
  const held = new Set([...elements.values()].flatMap((element) => element.kids));
  [...elements.keys()].filter((number) => !held.has(number)).forEach(walk);
  return found;
}
