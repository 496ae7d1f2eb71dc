//! Logo and sections of the house: shown, kept with the run, escaped, and refused where they are not what they should be.

use crate::project::Project;
use std::fs;

const LOGO: &str =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 4 1\"><rect width=\"4\" height=\"1\"/></svg>";

const REPORT: &str = r#"
[report]
templates = ["audit", "model-card"]
logo = "house/logo.svg"
logo_alt = "Example Bank"
[[report.sections]]
title = "How to read <this>"
file = "house/reading.md"
place = "gates"
[[report.sections]]
title = "Sign-off"
text = "Signed by **Ada**, see [gates](#gates)."
"#;

const READING: &str = "# First\n\nRead *slowly*. <script>alert(1)</script> ![x](https://example.org/x.png)\n";

fn audited() -> Project {
    let project = Project::new();
    project.write("house/logo.svg", LOGO).write("house/reading.md", READING).append(REPORT).ran(0);
    project
}

#[test]
fn the_report_holds_logo_and_sections_in_their_places() {
    let project = audited();
    let html = fs::read_to_string(project.stored(&["/audit.html"])).unwrap();
    assert!(html.contains("alt=\"Example Bank\"") && html.contains("data:image&#x2f;svg+xml;base64,PHN2Zy"));
    let order = ["id=\"gates\"", "id=\"own-1\"", "id=\"scope\"", "id=\"provenance\"", "id=\"own-2\""];
    let places: Vec<usize> = order.iter().map(|id| html.find(id).unwrap_or_else(|| panic!("{id}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(html.contains("<h3>First</h3>") && html.contains("<em>slowly</em>"));
    assert!(html.contains("How to read &lt;this&gt;") && html.contains("&lt;script&gt;alert"));
    assert!(!html.contains("<script>alert") && !html.contains("src=\"https"));
    let card = fs::read_to_string(project.stored(&["/model-card.html"])).unwrap();
    assert!(card.contains("alt=\"Example Bank\"") && !card.contains("own-1"));
}

#[test]
fn a_report_is_drawn_again_to_the_byte_without_the_files() {
    let project = audited();
    let stored = fs::read(project.stored(&["/audit.html"])).unwrap();
    fs::remove_dir_all(project.path("house")).unwrap();
    project.probity(&["report", "credit@latest", "--out", "again"]).expect(0);
    assert!(stored == fs::read(project.path("again/audit.html")).unwrap());
    project.probity(&["report", "credit@latest", "--out", "again", "--format", "md"]).expect(0);
    let md = fs::read_to_string(project.path("again/audit.md")).unwrap();
    assert!(md.contains("### First") && md.contains("\\<script\\>") && !md.contains("!["), "{md}");
    project.probity(&["report", "credit@latest", "--out", "again", "--format", "json"]).expect(0);
    let json: serde_json::Value = serde_json::from_slice(&fs::read(project.path("again/audit.json")).unwrap()).unwrap();
    assert_eq!(json["sections"][1]["title"], "How to read <this>");
    assert_eq!(json["sections"][1]["parts"][0]["prose"].as_str().unwrap().lines().next(), Some("### First"));
}

#[test]
fn a_changed_text_makes_another_run_and_the_same_one_none() {
    let project = audited();
    let runs = || project.query("SELECT run_id FROM runs").len();
    project.ran(0);
    assert_eq!(runs(), 1);
    project.write("house/reading.md", "Other words.").ran(0);
    assert_eq!(runs(), 2);
}

/// What is refused, with its key and its file; nothing is run.
#[test]
fn what_cannot_be_shown_is_refused_with_key_and_file() {
    let large = "x".repeat(200_000);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("logo = \"a/b.png\"", vec![], "cannot be read"),
        ("logo = \"house/f\"", b"GIF89a".to_vec(), "is neither PNG, JPEG nor SVG"),
        ("logo = \"house/f\"", format!("<svg>{large}</svg>").into(), "at most 131072 are taken"),
        ("logo = \"house/f\"", b"<svg><script/></svg>".to_vec(), "is an SVG file with scripts or entities"),
        ("sections = [{ title = \"a\", file = \"house/f\" }]", vec![b'a', 0xff], "byte 1 is not"),
        ("sections = [{ title = \"a\", file = \"house/f\" }]", large.clone().into(), "at most 65536 are taken"),
    ];
    for (line, content, what) in cases {
        let project = Project::new();
        project.write("house/f", content).append(&format!("[report]\n{line}\n"));
        let ran = project.run(&[]);
        let ran = ran.expect(2);
        // Help is wrapped to the width of the terminal.
        let words = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(what), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("audit.toml:"), "{}", ran.stderr);
        assert!(!project.path("var/results").exists());
    }
}
