// Rows for the small models of tests/golden: the five columns that they take, two attributes and a label, always the same.

export const COLUMNS = ["income", "children", "debt", "owner", "age"];

/** `count` rows of the columns, a sex, a region of twelve and a label of so many `classes`. */
export function people(count, classes) {
  let state = 7;
  const next = (of) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * of);
  };
  return Array.from({ length: count }, () => {
    const [income, children, debt, owner, age] = [next(36) / 8 - 2.25, next(5), next(64) / 8, next(2), next(33) / 8 - 2];
    const label = Math.min(classes - 1, Math.max(0, Math.round(income + owner + next(3) / 2)));
    return { numbers: [income, children, debt, owner, age], sex: next(3), region: next(12), label };
  });
}

/** Rows as lines of JSON, which can say every name. */
export const ndjson = (columns, rows) => rows.map((row) => `${JSON.stringify(Object.fromEntries(columns.map((name, at) => [name, row[at]])))}\n`).join("");
