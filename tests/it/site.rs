//! The static site: what it links to, what it shows, and that a new night draws little.

use crate::project::{AUDIT, Project, Ran, people_with};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

fn site(project: &Project) -> Ran {
    project.probity(&["site", "--out", "site", "--catalogue", "var/catalogue.db"])
}

fn night(project: &Project, day: u32, more: &[&str]) -> Ran {
    let date = format!("2026-11-{day:02}");
    project.probity(&[&["run", "audit.toml", "--as-of", &date], more].concat())
}

/// Every file of the site and when it was written.
fn written(project: &Project) -> BTreeMap<String, SystemTime> {
    let files = project.files().into_iter().filter(|file| file.starts_with("site/"));
    files.map(|file| (file.clone(), fs::metadata(project.path(&file)).unwrap().modified().unwrap())).collect()
}

fn page(project: &Project, name: &str) -> String {
    fs::read_to_string(project.path(name)).unwrap()
}

/// Targets of all links and styles of a page, percent-decoded.
fn links(text: &str) -> Vec<String> {
    let unescaped = text.replace("&#x2f;", "/");
    unescaped.split("href=\"").skip(1).map(|rest| decoded(rest.split('"').next().unwrap())).collect()
}

fn decoded(link: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = link.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex: String = [rest.next().unwrap(), rest.next().unwrap()].map(char::from).iter().collect();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_link_leads_to_a_file_and_none_out_of_the_house() {
    let project = Project::new();
    project.write("other.toml", AUDIT.replace("\"credit\"", "\"other\""));
    for day in 1..=3 {
        night(&project, day, &[]).expect(0);
    }
    night(&project, 3, &["--force"]).expect(0);
    night(&project, 4, &["--set", "gates.0.min=0.999", "--no-report"]).expect(1);
    project.probity(&["run", "other.toml", "--as-of", "2026-11-02"]).expect(0);
    assert_eq!(site(&project).expect(0).stdout, "site/index.html\n");
    let mut reports = BTreeSet::new();
    let pages: Vec<String> = written(&project).into_keys().filter(|file| file.ends_with(".html")).collect();
    assert_eq!(pages.len(), 1 + 2 + 6, "{pages:?}");
    for name in pages {
        let text = page(&project, &name);
        assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("<script"), "{name}");
        let folder: PathBuf = project.path(&name).parent().unwrap().to_owned();
        for link in links(&text).into_iter().filter(|link| !link.starts_with('#')) {
            assert!(!Path::new(&link).is_absolute(), "{name}: {link}");
            assert!(folder.join(&link).is_file(), "{name}: {link} leads nowhere");
            reports.extend(link.ends_with("audit.html").then_some(link));
        }
    }
    assert_eq!(reports.len(), 5, "one link for each stored report: {reports:?}");
    let index = page(&project, "site/index.html");
    for part in ["2 pipelines, 6 runs, the latest of 4 November 2026", "credit", "other", "1 of 1 gate failed"] {
        assert!(index.contains(part), "{part}\n{index}");
    }
    let credit = page(&project, "site/credit/index.html");
    for part in ["superseded", "November 2026", "4 November 2026: Fail", "class=\"threshold\""] {
        assert!(credit.contains(part), "{part}\n{credit}");
    }
}

#[test]
fn a_new_night_writes_its_pages_and_no_others() {
    let project = Project::new();
    project.write("other.toml", AUDIT.replace("\"credit\"", "\"other\""));
    project.probity(&["run", "other.toml", "--as-of", "2026-11-02"]).expect(0);
    for day in 1..=3 {
        night(&project, day, &[]).expect(0);
    }
    site(&project).expect(0);
    let first = written(&project);
    site(&project).expect(0).says(&["0 files written"]);
    let run_of = |day: u32| {
        let sql = format!("SELECT run_id FROM runs WHERE pipeline = 'credit' AND as_of = '2026-11-{day:02}'");
        project.value(&sql).as_str().unwrap().to_owned()
    };
    night(&project, 4, &[]).expect(0);
    site(&project).expect(0);
    let second = written(&project);
    let changed: BTreeSet<&str> = second
        .iter()
        .filter(|(name, time)| first.get(*name) != Some(time) && *name != "site/site.json")
        .map(|(name, _)| name.as_str())
        .collect();
    let (old, new) = (format!("site/credit/{}.html", run_of(3)), format!("site/credit/{}.html", run_of(4)));
    assert_eq!(changed, BTreeSet::from(["site/index.html", "site/credit/index.html", &old, &new]));
    fs::remove_file(project.path(&new)).unwrap();
    site(&project).expect(0).says(&["1 files written"]);
    let pages = |project: &Project| written(project).into_keys().map(|name| page(project, &name)).collect::<Vec<_>>();
    let before = pages(&project);
    fs::remove_dir_all(project.path("site")).unwrap();
    site(&project).expect(0);
    assert!(pages(&project) == before, "drawn at once or night by night, the same pages");
}

#[test]
fn a_run_whose_record_was_altered_has_a_page_without_numbers() {
    let project = Project::new();
    night(&project, 1, &[]).expect(0);
    let record = project.stored(&["run.json"]);
    let altered = fs::read_to_string(&record).unwrap().replacen("\"pass\"", "\"fail\"", 1);
    fs::write(&record, altered).unwrap();
    site(&project).expect(0);
    let run_id = project.value("SELECT run_id FROM runs").as_str().unwrap().to_owned();
    let text = page(&project, &format!("site/credit/{run_id}.html"));
    assert!(
        text.contains("Pass") && !text.contains("<h2 id=\"gates\">"),
        "numbers that cannot be proved are not shown: {text}"
    );
}

#[test]
fn hostile_names_are_only_text() {
    let hostile = "<script>alert(1)</script>";
    let project = Project::new();
    let data = people_with("sex", |_, sex| sex.to_owned()).replacen("sex", hostile, 1);
    project.write("people.csv", data);
    project.edit("attributes = [\"sex\"]", &format!("attributes = [{hostile:?}]"));
    project.edit("reference = { sex = \"Male\" }", "");
    project.append(&format!(
        "[[gates]]\nmetric = \"demographic_parity_ratio\"\nattribute = {hostile:?}\nmin = 0.0\nseverity = \"warn\"\n"
    ));
    night(&project, 1, &["--no-report"]).expect(0);
    site(&project).expect(0);
    for (name, _) in written(&project).into_iter().filter(|(name, _)| name.ends_with(".html")) {
        let text = page(&project, &name);
        assert!(!text.contains("<script"), "{name}: {text}");
        assert!(text.contains("&lt;script&gt;"), "{name}");
    }
}

#[test]
fn what_reports_withhold_the_site_withholds() {
    let project = Project::new();
    let gate =
        "[[gates]]\nmetric = \"demographic_parity_ratio\"\nattribute = \"sex\"\nmin = 0.0\nseverity = \"warn\"\n";
    project.append(gate).append("[privacy]\nsuppress_below = 50\n");
    night(&project, 1, &[]).expect(0);
    site(&project).expect(0);
    let run_id = project.value("SELECT run_id FROM runs").as_str().unwrap().to_owned();
    let text = page(&project, &format!("site/credit/{run_id}.html"));
    assert!(text.contains("<td class=\"n\">withheld</td>"), "{text}");
    let stored =
        project.value("SELECT observed FROM gates WHERE metric = 'demographic_parity_ratio'").as_f64().unwrap();
    let shown = format!("{stored:.2}");
    assert!(!text.contains(&shown), "{shown} in {text}");
    assert!(!page(&project, "site/site.json").contains(&format!("{stored:.6}")), "nor does the memory hold it");
}

#[test]
fn a_folder_of_something_else_and_an_empty_history_are_told_apart() {
    let project = Project::new();
    project.write("site/mine.txt", "mine");
    night(&project, 1, &["--no-report"]).expect(0);
    site(&project).expect(2).says(&["no site of probity's", "--out"]);
    assert_eq!(page(&project, "site/mine.txt"), "mine");
    project.probity(&["site", "--out", "new", "--catalogue", "nowhere.db"]).expect(2).says(&["nowhere.db"]);
    assert!(!project.path("new").exists());
}
