//! What `[privacy]` keeps back: small cells from readers, row ids and columns from the store.

use crate::attack::{self, Attack, KINDS};
use crate::project::{Project, people};
use probity::audit::{Audit, GroupCount, Metric};
use probity::privacy::{Entry, Published, Why, published};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const LIMIT: u64 = 5;

/// Recorded decisions of two sexes in four towns; Zeta is small.
const RECORDED: &str = r#"
[pipeline]
name = "recorded"
[data]
path = "people.csv"
label = "y"
score = "p"
[fairness]
attributes = ["sex", "town", ["sex", "town"]]
bootstrap = 50
[privacy]
suppress_below = 5
[store]
results = "var/results"
catalogue = "sqlite:var/catalogue.db"
"#;

/// True and false positives, true and false negatives of a cell.
type Counts = [u64; KINDS];
/// By the levels of [`COLUMNS`], as many as there are.
type Cells = BTreeMap<Vec<String>, Counts>;

const COLUMNS: [&str; 3] = ["sex", "town", "band"];

fn cells(counts: &[(&str, &str, Counts)]) -> Cells {
    counts.iter().map(|(sex, town, counts)| (vec![(*sex).into(), (*town).into()], *counts)).collect()
}

/// One small town, one small cell in a large town, one group with a small number of true positives.
fn towns() -> Cells {
    cells(&[
        ("Female", "Alpha", [30, 10, 30, 10]),
        ("Male", "Alpha", [40, 12, 50, 13]),
        ("Female", "Beta", [20, 9, 41, 8]),
        ("Male", "Beta", [22, 11, 32, 9]),
        ("Female", "Gamma", [1, 0, 1, 1]),
        ("Male", "Gamma", [17, 8, 25, 7]),
        ("Female", "Zeta", [1, 0, 1, 0]),
        ("Male", "Zeta", [0, 1, 0, 0]),
        ("Female", "Delta", [3, 9, 30, 9]),
        ("Male", "Delta", [12, 9, 14, 8]),
    ])
}

fn csv(cells: &Cells) -> String {
    let mut text = "sex,town,p,y\n".to_owned();
    for (levels, counts) in cells {
        for (n, (score, label)) in counts.iter().zip([("0.9", 1), ("0.8", 0), ("0.2", 0), ("0.1", 1)]) {
            (0..*n).for_each(|_| text += &format!("{},{score},{label}\n", levels.join(",")));
        }
    }
    text
}

fn recorded(cells: &Cells) -> Project {
    let project = Project::empty();
    project.write("people.csv", csv(cells)).write("audit.toml", RECORDED).ran(0);
    project
}

fn unknown(cells: &Cells) -> Attack {
    let n_columns = cells.keys().next().unwrap().len();
    Attack::new(&COLUMNS[..n_columns], cells.keys().cloned().collect())
}

fn stored(project: &Project) -> Audit {
    serde_json::from_slice(&std::fs::read(project.stored(&["run.json"])).unwrap()).unwrap()
}

/// The group of an attribute ("sex,town") that a cell belongs to.
fn group_of(attribute: &str, cell: &[String]) -> String {
    let level = |name: &str| cell[COLUMNS.iter().position(|column| *column == name).unwrap()].as_str();
    attribute.split(',').filter(|name| !name.is_empty()).map(level).collect::<Vec<_>>().join(",")
}

fn counts_of(cells: &Cells, attribute: &str, group: &str) -> Counts {
    let mut sum = [0; KINDS];
    for (_, counts) in cells.iter().filter(|(cell, _)| group_of(attribute, cell) == group) {
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    sum
}

/// Every count that the log withholds must be open: at least two values fit what is known.
fn nothing_is_pinned(cells: &Cells, attack: &mut Attack, log: &[Entry]) {
    for entry in log.iter().filter(|entry| !entry.group.is_empty() && entry.what == "everything") {
        let rows = attack.sum(&entry.attribute, &entry.group, attack::ALL);
        let (low, high) = match entry.why {
            Why::Primary => (1.0, LIMIT as f64 - 1.0),
            // Empty, or not small.
            Why::Complementary if counts_of(cells, &entry.attribute, &entry.group) == [0; KINDS] => (0.0, 1e6),
            Why::Complementary => (LIMIT as f64, 1e6),
        };
        attack.between(rows, low, high);
    }
    for entry in log.iter().filter(|entry| !entry.group.is_empty()) {
        let counts = counts_of(cells, &entry.attribute, &entry.group);
        let units = (0..KINDS).map(|at| std::array::from_fn(|i| if i == at { 1.0 } else { 0.0 }));
        let small = units.zip(counts).filter(|(_, n)| (1..LIMIT).contains(n)).map(|(unit, _)| unit);
        let rows = (entry.what == "everything").then_some(attack::ALL);
        for kinds in small.chain(rows) {
            let (low, high) = attack.range(&attack.sum(&entry.attribute, &entry.group, kinds));
            assert!(low < high, "{entry:?}: {kinds:?} of {counts:?} is known to be {low}");
        }
    }
}

/// What the counts and rates of a suppressed audit tell.
fn learn(attack: &mut Attack, audit: &Audit) {
    for count in &audit.group_counts {
        let sum = |kinds| attack.sum(&count.attribute, &count.group_value, kinds);
        let units = [count.tp, count.fp, count.tn, count.fn_].into_iter().enumerate();
        let mut facts = vec![(sum(attack::ALL), count.n as f64)];
        facts.extend(units.filter_map(|(at, n)| Some((sum(std::array::from_fn(|i| f64::from(i == at))), n?))));
        facts.into_iter().for_each(|(sum, n)| attack.between(sum, n, n));
    }
    for metric in audit.metrics.iter().filter(|metric| !metric.group_value.starts_with('(')) {
        let sum = |kinds| attack.sum(&metric.attribute, &metric.group_value, kinds);
        let about_one = metric.attribute.is_empty() || !metric.group_value.is_empty();
        if let (true, Some(n)) = (about_one, metric.n_predicted_positive) {
            attack.between(sum(attack::SELECTED), n as f64, n as f64);
        }
        let sum = |kinds| attack.sum(&metric.attribute, &metric.group_value, kinds);
        if let (true, Some(n)) = (about_one, metric.n_positive) {
            attack.between(sum(attack::POSITIVE), n as f64, n as f64);
        }
        let sum = |kinds| attack.sum(&metric.attribute, &metric.group_value, kinds);
        if let (true, Some((part, whole)), Some(value)) = (about_one, share(&metric.metric), metric.value) {
            attack.share(sum(part), sum(whole), value, 1e-9);
        }
    }
}

fn share(metric: &str) -> Option<([f64; KINDS], [f64; KINDS])> {
    Some(match metric {
        "selection_rate" | "favourable_rate" | "Selection rate" | "Favourable rate" => (attack::SELECTED, attack::ALL),
        "base_rate" | "Base rate" => (attack::POSITIVE, attack::ALL),
        "accuracy" | "Accuracy" => (attack::CORRECT, attack::ALL),
        "precision" | "Precision" => (attack::TRUE_POSITIVES, attack::SELECTED),
        "recall" | "Recall" | "true_positive_rate" | "True positive rate" => (attack::TRUE_POSITIVES, attack::POSITIVE),
        "false_positive_rate" | "False positive rate" => (attack::FALSE_POSITIVES, attack::NEGATIVE),
        _ => return None,
    })
}

// Small cells

#[test]
fn no_withheld_count_follows_from_the_published_numbers() {
    let cells = towns();
    let published = published(&stored(&recorded(&cells)));
    assert!(published.log.iter().any(|entry| entry.why == Why::Complementary), "{:?}", published.log);
    let mut attack = unknown(&cells);
    learn(&mut attack, &published.audit);
    nothing_is_pinned(&cells, &mut attack, &published.log);
}

#[test]
fn the_attack_succeeds_where_only_small_cells_are_withheld() {
    let cells = towns();
    let mut audit = stored(&recorded(&cells));
    let small = |c: &GroupCount| c.n < LIMIT;
    let hidden: Vec<(String, String)> =
        audit.group_counts.iter().filter(|c| small(c)).map(|c| (c.attribute.clone(), c.group_value.clone())).collect();
    audit.group_counts.retain(|count| !small(count));
    audit.metrics.retain(|m| m.n >= LIMIT);
    let mut attack = unknown(&cells);
    learn(&mut attack, &audit);
    let pinned = hidden.iter().filter(|(attribute, group)| {
        let (low, high) = attack.range(&attack.sum(attribute, group, attack::ALL));
        low == high
    });
    assert!(pinned.count() > 0, "a total minus what is shown gives a small cell away");
}

#[test]
fn no_withheld_count_follows_from_the_page() {
    let cells = towns();
    let project = recorded(&cells);
    let page = std::fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    let log = published(&stored(&project)).log;
    let mut attack = unknown(&cells);
    let mut n_numbers = 0;
    for table in tables(&page) {
        n_numbers += read_table(&mut attack, &table);
    }
    assert!(n_numbers > 40, "{n_numbers} numbers were read off the page");
    nothing_is_pinned(&cells, &mut attack, &log);
    // Titles in charts are labels: no count hides in a tooltip.
    let titles =
        page.split("<title").skip(2).map(|rest| rest.split("</title>").next().unwrap().split_once('>').unwrap().1);
    titles.for_each(|title| assert!(!title.contains(|c: char| c.is_ascii_digit()), "{title}"));
    // Of a group of which everything is withheld, only the log speaks: no row, bar, dot, tooltip or sentence.
    let (before, rest) = page.split_once("Suppression log").unwrap();
    let after = rest.split_once("</table>").unwrap().1;
    assert!(!before.contains("Zeta") && !after.contains("Zeta"), "the page speaks of Zeta");
}

/// Head, columns and rows of every table of a page, as text.
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    caption: String,
}

fn tables(page: &str) -> Vec<Table> {
    let parts = page.split("<table>").skip(1).map(|rest| rest.split("</table>").next().unwrap());
    let cells = |row: &str, tag: &str| -> Vec<String> {
        let (opening, closing) = (format!("<{tag}"), format!("</{}>", tag.trim()));
        let pieces = row.split(&opening).skip(1);
        pieces.map(|piece| text(piece.split_once('>').unwrap().1.split(&closing).next().unwrap())).collect()
    };
    let table = |table: &str| {
        let (head, body) = table.split_once("<tbody>").unwrap();
        let caption = text(head.split("<caption>").nth(1).unwrap().split("</caption>").next().unwrap());
        let row = |row: &str| [cells(row, "th"), cells(row, "td")].concat();
        let rows = body.split("<tr>").skip(1).map(row).collect();
        Table { columns: cells(head.split("</caption>").nth(1).unwrap(), "th "), rows, caption }
    };
    parts.map(table).collect()
}

/// The first line of a cell: what stands before a remark or an interval.
fn text(html: &str) -> String {
    let first = html.split("<small").next().unwrap();
    let mut text = String::new();
    let mut inside = false;
    for c in first.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace('\u{a0}', " ").trim().to_owned()
}

/// Learns counts and shares of a table by group; how many.
fn read_table(attack: &mut Attack, table: &Table) -> usize {
    if table.columns.first().map(String::as_str) != Some("Group") {
        return 0;
    }
    let mut n_numbers = 0;
    for row in &table.rows {
        let group = row[0].replace(" × ", ",");
        let attribute = match group.as_str() {
            "Female" | "Male" => "sex",
            group if group.contains(',') => "sex,town",
            _ => "town",
        };
        for (column, cell) in table.columns.iter().zip(row).skip(1) {
            let number = cell.trim_end_matches(" %").replace(',', "");
            let Ok(value) = number.parse::<f64>() else { continue };
            let decimals = number.split_once('.').map_or(0, |(_, digits)| digits.len() as i32);
            let sum = |kinds| attack.sum(attribute, &group, kinds);
            if column == "n" {
                let rows = sum(attack::ALL);
                attack.between(rows, value, value);
            } else if let (Some((part, whole)), true) = (share(column), cell.ends_with('%')) {
                let error = 0.5 * 0.1f64.powi(decimals) / 100.0 + 1e-9;
                let (part, whole) = (sum(part), sum(whole));
                attack.share(part, whole, value / 100.0, error);
            } else {
                continue;
            }
            n_numbers += 1;
        }
    }
    assert!(!table.caption.is_empty());
    n_numbers
}

/// Numbers below a limit, the same in every run of the tests.
fn numbers() -> impl FnMut(u64) -> u64 {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

/// Every combination of this many levels of each column, some with few rows.
fn random_cells(n_levels: &[u64], next: &mut impl FnMut(u64) -> u64) -> Cells {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for (column, n) in COLUMNS.iter().zip(n_levels) {
        let with = |cell: &Vec<String>, level: u64| [cell.clone(), vec![format!("{column}{level}")]].concat();
        all = all.iter().flat_map(|cell| (0..*n).map(|level| with(cell, level)).collect::<Vec<_>>()).collect();
    }
    let mut counts = || {
        let size = [1, 4, 9, 30][next(4) as usize];
        std::array::from_fn(|_| next(size + 1))
    };
    all.into_iter().map(|cell| (cell, counts())).collect()
}

/// How many cells of these tables are withheld, none of which follows from the rest.
fn n_safely_withheld(template: &Audit, cells: &Cells, attributes: &[&str]) -> usize {
    let published = of_counts(template, cells, attributes);
    let mut attack = unknown(cells);
    learn(&mut attack, &published.audit);
    nothing_is_pinned(cells, &mut attack, &published.log);
    published.log.iter().filter(|entry| !entry.group.is_empty()).count()
}

#[test]
fn random_tables_keep_their_small_cells() {
    let (template, mut next) = (stored(&recorded(&towns())), numbers());
    let mut n_withheld = 0;
    for _ in 0..30 {
        let n_levels = [2 + next(2), 2 + next(3)];
        let cells = random_cells(&n_levels, &mut next);
        n_withheld += n_safely_withheld(&template, &cells, &["", "sex", "town", "sex,town"]);
    }
    assert!(n_withheld > 100, "{n_withheld} cells were withheld");
}

#[test]
fn tables_that_overlap_do_not_give_each_other_away() {
    let (template, mut next) = (stored(&recorded(&towns())), numbers());
    let tables: [&[&str]; 3] = [
        &["", "sex", "town", "band", "sex,town", "town,band"],
        &["", "town", "sex,town", "sex,town,band"],
        &["", "sex,town", "town,band", "sex,band"],
    ];
    let mut n_withheld = 0;
    for round in 0..9 {
        let cells = random_cells(&[2, 2 + next(2), 2], &mut next);
        n_withheld += n_safely_withheld(&template, &cells, tables[round % 3]);
    }
    assert!(n_withheld > 50, "{n_withheld} cells were withheld");
}

/// A suppressed audit with these counts and nothing else.
fn of_counts(template: &Audit, cells: &Cells, attributes: &[&str]) -> Published {
    let mut audit = Audit { curves: Vec::new(), gates: Vec::new(), ..template.clone() };
    (audit.metrics, audit.group_counts) = (Vec::new(), Vec::new());
    for attribute in attributes {
        let mut groups: Vec<String> = cells.keys().map(|cell| group_of(attribute, cell)).collect();
        groups.sort();
        groups.dedup();
        for group in groups {
            let [tp, fp, tn, fn_] = counts_of(cells, attribute, &group);
            let n = tp + fp + tn + fn_;
            audit.group_counts.push(GroupCount {
                attribute: (*attribute).into(),
                group_value: group.clone(),
                output: "1".into(),
                n,
                weight: n as f64,
                tp: Some(tp as f64),
                fp: Some(fp as f64),
                tn: Some(tn as f64),
                fn_: Some(fn_ as f64),
                ..GroupCount::default()
            });
            let rates = [("selection_rate", tp + fp, n), ("true_positive_rate", tp, tp + fn_)];
            audit.metrics.extend(rates.map(|(name, part, whole)| Metric {
                metric: name.into(),
                attribute: (*attribute).into(),
                group_value: group.clone(),
                output: "1".into(),
                value: (whole > 0).then(|| part as f64 / whole as f64),
                undefined_reason: (whole == 0).then(|| "0 / 0".into()),
                n,
                n_positive: Some(tp + fn_),
                n_predicted_positive: Some(tp + fp),
                denominator: Some(whole),
                ..Metric::default()
            }));
        }
    }
    published(&audit)
}

#[test]
fn large_groups_are_shown_as_they_are() {
    let cells = cells(&[
        ("Female", "Alpha", [30, 10, 30, 10]),
        ("Male", "Alpha", [40, 12, 50, 13]),
        ("Female", "Beta", [20, 9, 41, 8]),
        ("Male", "Beta", [22, 11, 32, 9]),
    ]);
    let audit = stored(&recorded(&cells));
    let published = published(&audit);
    assert_eq!((&published.audit.metrics, &published.audit.group_counts), (&audit.metrics, &audit.group_counts));
    assert!(published.log.iter().all(|entry| entry.group.is_empty()), "{:?}", published.log);
}

#[test]
fn the_catalogue_keeps_what_reports_withhold() {
    let project = recorded(&towns());
    let zeta = "SELECT n FROM group_counts WHERE attribute = 'town' AND group_value = 'Zeta'";
    assert_eq!(project.value(zeta), 3);
    let shown = project.probity(&["show", "recorded@latest", "--format", "json", "--catalogue", "var/catalogue.db"]);
    let shown = shown.expect(0).json();
    let speaks_of_zeta = |row: &Value| row["group_value"].as_str().is_some_and(|group| group.contains("Zeta"));
    for table in ["metrics", "group_counts", "curves"] {
        assert!(!shown[table].as_array().unwrap().iter().any(speaks_of_zeta), "{table}");
    }
    let log = shown["withheld"].as_array().unwrap();
    let zeta = json!({ "attribute": "town", "group": "Zeta", "what": "everything", "why": "primary" });
    assert!(log.contains(&zeta), "{log:?}");
}

#[test]
fn limits_that_hide_nothing_or_all_are_refused() {
    let project = Project::new();
    let ran = project.append("[privacy]\nsuppress_below = 2\n").run(&[]);
    assert!(ran.expect(2).stderr.contains("would be known to be 1"), "{}", ran.stderr);
    let ran = project.edit("suppress_below = 2", "suppress_below = 1000").run(&[]);
    assert!(ran.expect(2).stderr.contains("fewer than suppress_below"), "{}", ran.stderr);
}

// Pseudonyms

#[test]
fn row_ids_become_the_same_pseudonyms_in_every_run() {
    let project = Project::new();
    project.append("[privacy]\npseudonymise = \"env:PEOPLE_KEY\"\n");
    let run = |key: &str, day: &str| {
        let output = project.command(&["run", "audit.toml", "--as-of", day]).env("PEOPLE_KEY", key).output().unwrap();
        crate::project::Ran::of(output).expect(0);
    };
    run("kept safe", "2026-11-20");
    run("kept safe", "2026-11-21");
    run("another", "2026-11-22");
    let ids = |day: &str| {
        let rows =
            project.query(&format!("SELECT row_id FROM predictions WHERE run_date = '{day}' ORDER BY score, row_id"));
        rows.iter().map(|row| row["row_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("2026-11-20"), ids("2026-11-21"));
    assert!(ids("2026-11-22").iter().all(|id| !ids("2026-11-21").contains(id)));
    // HMAC-SHA256 of "7" under "kept safe".
    let known = "8dd418ec4e6cbe03226784815c93a0c0f79f87167a895b862cc981f642cdb298";
    assert!(ids("2026-11-20").iter().any(|id| id == known));
    assert!(ids("2026-11-20").iter().all(|id| id.len() == 64));
    let explained = project.value("SELECT count(DISTINCT row_id) AS n FROM explanations WHERE run_date = '2026-11-20'");
    assert_eq!(explained, 60);
}

#[test]
fn another_key_is_another_question() {
    let project = Project::new();
    project.append("[privacy]\npseudonymise = \"env:PEOPLE_KEY\"\n");
    for key in ["a", "b", "a"] {
        let output =
            project.command(&["run", "audit.toml", "--as-of", "2026-11-20"]).env("PEOPLE_KEY", key).output().unwrap();
        crate::project::Ran::of(output).expect(0);
    }
    assert_eq!(project.value("SELECT count(*) AS n FROM runs"), 2);
}

#[test]
fn a_key_that_is_not_set_is_refused() {
    let project = Project::new();
    let ran = project.append("[privacy]\npseudonymise = \"env:NO_SUCH_KEY\"\n").run(&[]);
    assert!(ran.expect(2).stderr.contains("NO_SUCH_KEY"), "{}", ran.stderr);
    assert!(project.results().is_empty());
    let ran = project.edit("env:NO_SUCH_KEY", "my key").run(&[]);
    assert!(ran.expect(2).stderr.contains("env: and the name"), "{}", ran.stderr);
}

// Columns

#[test]
fn values_of_dropped_columns_are_stored_nowhere() {
    let project = Project::new();
    project.write("people.csv", people(60)).append("[privacy]\ndrop = [\"income\"]\n").ran(0);
    let rows = project.query("SELECT feature_value, attribution FROM explanations WHERE feature = 'income'");
    assert_eq!(rows.len(), 60);
    assert!(rows.iter().all(|row| row["feature_value"].is_null() && row["attribution"].is_number()));
    let kept = project.value("SELECT count(feature_value) AS n FROM explanations WHERE feature = 'debt'");
    assert_eq!(kept, 60);
    let audit = stored(&project);
    let series = audit.sample.series.iter().filter(|series| series.feature == "income");
    assert!(series.flat_map(|series| &series.value).all(Option::is_none));
    let terms = audit.cases.iter().flat_map(|case| &case.terms).filter(|term| term.feature == "income");
    assert!(terms.map(|term| term.feature_value.as_str()).all(|value| value == "(dropped)"));
    let page = std::fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    assert!(page.contains("Columns never stored"));
}

#[test]
fn columns_whose_values_are_results_cannot_be_dropped() {
    for (column, why) in
        [("sex", "makes groups"), ("repaid", "[data] label"), ("id", "[data] id"), ("incme", "no column `incme`")]
    {
        let project = Project::new();
        let ran = project.append(&format!("[privacy]\ndrop = [\"{column}\"]\n")).run(&[]);
        assert!(ran.expect(2).stderr.contains(why), "{column}: {}", ran.stderr);
    }
}

#[test]
fn a_projects_list_of_dropped_columns_is_for_all_its_pipelines() {
    let project = Project::new();
    project.write("probity.toml", "[privacy]\ndrop = [\"income\", \"email\"]\n").ran(0);
    let kept = project.value("SELECT count(feature_value) AS n FROM explanations WHERE feature = 'income'");
    assert_eq!(kept, 0);
}
