//! The properties of the whole document.

use super::*;
use crate::audit::{Audit, CurvePoint};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

fn html(audit: &Audit) -> String {
    render(audit, "audit", None).unwrap()
}

fn all() -> [Audit; 3] {
    [example::binary(), example::multiclass(), example::regression()]
}

/// Tags of the document in order: name and attributes. Panics on markup that a careful parser would not accept.
fn tags(html: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let (head, rest) = (&html[..html.find("<style>").unwrap()], &html[html.find("</style>").unwrap()..]);
    let outside: String = match rest.split_once("<script") {
        Some((body, script)) => {
            let (opening, text) = script.split_once('>').unwrap();
            format!("{body}<script{opening}>{}", &text[text.find("</script>").unwrap()..])
        }
        None => rest.to_owned(),
    };
    [head, &outside].iter().flat_map(|part| part.split('<').skip(1)).map(tag).collect()
}

fn tag(text: &str) -> (String, BTreeMap<String, String>) {
    let mut attributes = BTreeMap::new();
    let end = text.find([' ', '>', '\n']).unwrap();
    let (name, mut rest) = text.split_at(end);
    while let Some(next) = rest.trim_start().strip_prefix(|c: char| c.is_ascii_alphabetic()).map(|_| rest.trim_start())
    {
        let stop = next.find(['=', ' ', '>']).unwrap();
        let key = next[..stop].to_owned();
        rest = &next[stop..];
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let close = quoted.find('"').unwrap();
            attributes.insert(key, quoted[..close].to_owned());
            rest = &quoted[close + 1..];
        } else {
            attributes.insert(key, String::new());
        }
    }
    assert!(
        rest.trim_start().starts_with('>') || rest.trim_start().starts_with("/>"),
        "not a tag: <{}",
        &text[..end + 1]
    );
    (name.to_owned(), attributes)
}

fn named<'a>(tags: &'a [(String, BTreeMap<String, String>)], name: &str) -> Vec<&'a BTreeMap<String, String>> {
    tags.iter().filter(|tag| tag.0 == name).map(|tag| &tag.1).collect()
}

/// A hostile text in every place that data or config can reach.
fn poisoned(text: &str) -> Audit {
    let quoted = serde_json::to_string(text).unwrap();
    let inner = &quoted[1..quoted.len() - 1];
    let mut json = serde_json::to_string(&example::binary()).unwrap();
    for name in
        ["sex", "Female", "age", "relationship", ">50K", "Husband", "Income above 50K", "adult-income", "income"]
    {
        json = json.replace(&format!("\"{name}\""), &format!("\"{inner}{name}\""));
    }
    for phrase in ["Who is shown an offer.", "12 rows have a missing age.", "Female against Male", "data/adult.parquet"]
    {
        json = json.replace(phrase, &format!("{inner}{phrase}"));
    }
    serde_json::from_str(&json).unwrap()
}

#[test]
fn every_kind_of_audit_has_its_sections_and_no_others() {
    let ids =
        |audit: &Audit| view::View::of(audit).sections.iter().map(|section| section.id.to_string()).collect::<Vec<_>>();
    let full = [
        "gates",
        "scope",
        "performance",
        "fairness",
        "drivers",
        "simplicity",
        "gaps",
        "cases",
        "opinions",
        "robustness",
        "structure",
        "history",
        "provenance",
    ];
    assert_eq!(ids(&example::binary()), full);
    let without_attacks: Vec<&str> = full.into_iter().filter(|id| *id != "robustness").collect();
    assert_eq!(ids(&example::multiclass()), without_attacks);
    assert_eq!(ids(&example::regression()), without_attacks[1..]);
    let mut bare = example::binary();
    (bare.importance, bare.sample, bare.cases, bare.group_attributions) = Default::default();
    bare.also.clear();
    bare.structure = None;
    bare.history.clear();
    (bare.drift, bare.baseline, bare.curves, bare.scope.explained_outputs) = Default::default();
    assert_eq!(ids(&bare), ["gates", "scope", "performance", "fairness", "simplicity", "provenance"]);
}

#[test]
fn what_does_not_apply_is_absent() {
    let regression = html(&example::regression());
    for word in ["ROC", "four-fifths", "Threshold", "Decided", "undefined"] {
        assert!(!regression.contains(word), "{word}");
    }
    assert!(regression.contains("Root mean squared error"));
    let multiclass = html(&example::multiclass());
    assert!(multiclass.contains("By class, each against all others") && !multiclass.contains("four-fifths"));
}

#[test]
fn the_document_asks_for_nothing_and_runs_nothing() {
    for audit in all() {
        let html = html(&audit);
        let script = script::Script::of(None).unwrap();
        let policy =
            format!("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:{}\"", script.policy());
        assert!(script.policy().contains("'sha256-") && html.contains(&policy));
        assert!(html.contains(&format!("\">{}</script>", script.text)), "the script is the one of the hash");
        let tags = tags(&html);
        for name in ["link", "img", "iframe", "object", "embed", "base", "form", "image", "use", "foreignObject"] {
            assert!(named(&tags, name).is_empty(), "{name}");
        }
        for (name, attributes) in &tags {
            assert!(!attributes.keys().any(|key| key.starts_with("on")), "{name}");
            assert!(!attributes.contains_key("src"), "{name}");
            assert!(attributes.get("href").is_none_or(|href| href.starts_with('#')), "{name}");
        }
        assert_eq!(named(&tags, "script").len(), 1);
        let style = &html[html.find("<style>").unwrap()..html.find("</style>").unwrap()];
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[test]
fn hostile_names_are_just_text() {
    let plain = tags(&html(&example::binary()));
    for text in
        ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{ 7*7 }}{% raw %}", "&lt;b&gt;", "' x='"]
    {
        let html = html(&poisoned(text));
        let names =
            |tags: &[(String, BTreeMap<String, String>)]| tags.iter().map(|tag| tag.0.clone()).collect::<BTreeSet<_>>();
        assert_eq!(names(&tags(&html)), names(&plain), "{text}");
        assert!(!html.contains("<script>alert") && !html.contains("<img"), "{text}");
        assert!(!html.contains("49}"), "{text}");
    }
    assert!(html(&poisoned("<script>alert(1)</script>")).contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;"));
}

#[test]
fn control_and_reordering_characters_never_reach_the_document() {
    let html = html(&poisoned("a\0b\u{1b}c\u{202e}d\u{7f}"));
    assert!(html.chars().all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}')));
    assert!(html.contains("a\u{FFFD}b\u{FFFD}c\u{FFFD}d"));
}

#[test]
fn a_name_of_ten_thousand_characters_is_cut_visibly_and_whole_in_a_tooltip() {
    let long = "x".repeat(10_000);
    let html = html(&poisoned(&long));
    assert!(html.contains("xxx…"));
    let tags = tags(&html);
    assert!(named(&tags, "th").iter().any(|th| th.get("title").is_some_and(|title| title.len() >= 10_000)));
    let longest = html.split(['<', '>', '"']).filter(|text| text.len() >= 10_000).count();
    assert!(longest <= 24, "the whole name is repeated {longest} times");
    assert!(html.len() < 2_000_000);
}

#[test]
fn every_chart_has_title_description_and_its_numbers_as_a_table() {
    for audit in all() {
        let html = html(&audit);
        let figures: Vec<&str> = html.split("<figure").skip(1).map(|f| &f[..f.find("</figure>").unwrap()]).collect();
        assert!(figures.len() >= 5);
        for figure in figures {
            let tags = tags(&format!("<style></style><figure{figure}"));
            let svg = named(&tags, "svg")[0];
            assert_eq!(svg["role"], "img");
            let ids: Vec<&String> = ["title", "desc"].iter().map(|name| &named(&tags, name)[0]["id"]).collect();
            assert_eq!(svg["aria-labelledby"], format!("{} {}", ids[0], ids[1]));
            assert!(figure.find("<table>").unwrap() > figure.find("</svg>").unwrap());
            assert!(figure.contains("<tbody>\n<tr>"), "an empty table of numbers");
        }
    }
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    for audit in all() {
        let tags = tags(&html(&audit));
        let ids: Vec<&String> = tags.iter().filter_map(|tag| tag.1.get("id")).collect();
        let distinct: BTreeSet<&String> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len());
        let labelled = tags.iter().filter_map(|tag| tag.1.get("aria-labelledby")).flat_map(|ids| ids.split(' '));
        let anchors = tags.iter().filter_map(|tag| tag.1.get("href")).filter_map(|href| href.strip_prefix('#'));
        for reference in labelled.chain(anchors) {
            assert!(distinct.contains(&reference.to_owned()), "{reference}");
        }
    }
}

#[test]
fn the_structure_is_readable_without_sight() {
    for audit in all() {
        let html = html(&audit);
        let tags = tags(&html);
        assert_eq!(named(&tags, "html")[0]["lang"], "en");
        for landmark in ["header", "nav", "main", "footer", "h1"] {
            assert_eq!(named(&tags, landmark).len(), 1, "{landmark}");
        }
        let levels: Vec<u8> = tags
            .iter()
            .filter(|tag| tag.0.len() == 2 && tag.0.starts_with('h') && tag.0.as_bytes()[1].is_ascii_digit())
            .map(|tag| tag.0.as_bytes()[1] - b'0')
            .collect();
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
        assert_eq!(named(&tags, "table").len(), named(&tags, "caption").len());
        assert!(named(&tags, "th").iter().all(|th| th.contains_key("scope")));
    }
}

#[test]
fn the_same_audit_gives_the_same_bytes_also_after_a_round_trip_through_storage() {
    for audit in all() {
        let stored: Audit = serde_json::from_str(&serde_json::to_string(&audit).unwrap()).unwrap();
        assert!(html(&audit) == html(&stored));
    }
}

#[test]
fn an_undefined_value_shows_its_reason() {
    assert!(html(&example::binary()).contains("no positive labels in the group"));
}

#[test]
fn an_empty_audit_is_still_a_document() {
    let mut audit = example::binary();
    audit.scope = crate::audit::Scope { task: "binary".into(), ..Default::default() };
    audit.proof = Default::default();
    (audit.metrics, audit.group_counts, audit.importance, audit.gates) = Default::default();
    (audit.group_attributions, audit.drift, audit.curves, audit.sample) = Default::default();
    audit.baseline = None;
    audit.history.clear();
    (audit.cases, audit.notes, audit.timings) = Default::default();
    let html = html(&audit);
    assert!(html.contains("No gates were set") && html.contains("adult-income"));
}

#[test]
fn numbers_that_are_not_numbers_break_nothing() {
    let mut audit = example::binary();
    for value in [f64::NAN, f64::INFINITY, -1e300, 1e300, 5e-324] {
        audit.sample.series[0].attribution[3] = value;
        audit.group_attributions[0].mean = value;
        audit.importance[0].value = value;
        audit.metrics[3].value = Some(value);
        audit.cases[0].terms[0].attribution = value;
        audit.gates[0].observed = Some(value);
        audit.curves[4].y = value;
        let html = html(&audit);
        let marks =
            html.split("<svg").skip(1).flat_map(|svg| svg[..svg.find("</svg>").unwrap()].split(" d=\"").skip(1));
        for path in marks.map(|rest| &rest[..rest.find('"').unwrap()]) {
            assert!(!path.contains("NaN") && !path.contains("inf") && !path.contains('e'), "{path}");
        }
    }
}

/// 50 features, 10 explained classes, 200 groups and every measure of each: what the widest audit stores.
fn huge() -> Audit {
    let mut audit = example::multiclass();
    let features: Vec<String> = (0..50).map(|i| format!("a_rather_long_feature_name_{i}")).collect();
    let classes: Vec<String> = (0..10).map(|i| format!("class {i}")).collect();
    let groups: Vec<String> = (0..200).map(|i| format!("group number {i}")).collect();
    (audit.scope.outputs, audit.scope.explained_outputs) = (classes.clone(), classes.clone());
    audit.scope.features = features
        .iter()
        .map(|name| crate::audit::Feature { name: name.clone(), ..audit.scope.features[0].clone() })
        .collect();
    audit.run.n_rows = 1_000_000;
    let places: Vec<String> = groups.iter().cloned().chain([String::new()]).collect();
    let (metric, group_attribution) = (audit.metrics[0].clone(), audit.group_attributions[0].clone());
    let names =
        ["selection_rate", "precision", "recall", "f1", "roc_auc", "accuracy", "base_rate", "false_positive_rate"];
    audit.metrics = names
        .iter()
        .flat_map(|name| places.iter().map(move |group| (name, group)))
        .flat_map(|(name, group)| {
            let class = |class: &String| {
                let attribute = if group.is_empty() { "" } else { "sex" };
                crate::audit::Metric {
                    metric: (*name).into(),
                    attribute: attribute.into(),
                    group_value: group.clone(),
                    output: class.clone(),
                    ..metric.clone()
                }
            };
            classes.iter().map(class).collect::<Vec<_>>()
        })
        .collect();
    audit.group_attributions = groups
        .iter()
        .flat_map(|group| features.iter().map(move |feature| (group, feature)))
        .flat_map(|(group, feature)| {
            let of = |class: &String| crate::audit::GroupAttribution {
                group_value: group.clone(),
                feature: feature.clone(),
                output: class.clone(),
                ..group_attribution.clone()
            };
            classes.iter().map(of).collect::<Vec<_>>()
        })
        .collect();
    let importance = audit.importance[0].clone();
    let ranked = |class: &String| -> Vec<crate::audit::Importance> {
        let of = |(at, feature): (usize, &String)| crate::audit::Importance {
            feature: feature.clone(),
            output: class.clone(),
            rank: at as u32 + 1,
            ..importance.clone()
        };
        features.iter().enumerate().map(of).collect()
    };
    audit.importance = classes.iter().flat_map(ranked).collect();
    let series = |class: &String| -> Vec<crate::audit::SampleSeries> {
        let of = |feature: &String| crate::audit::SampleSeries {
            feature: feature.clone(),
            output: class.clone(),
            attribution: (0..2_000).map(|i| f64::from(i * 7_919 % 2_003) / 1_000.0 - 1.0).collect(),
            value: (0..2_000).map(|i| Some(f64::from(i))).collect(),
        };
        features.iter().map(of).collect()
    };
    audit.sample.series = classes.iter().flat_map(series).collect();
    audit.curves = vec![
        CurvePoint {
            kind: "roc".into(),
            feature: String::new(),
            group_value: String::new(),
            output: "class 0".into(),
            x: 0.0,
            y: 0.0,
            n: 1,
            ci_low: None,
            ci_high: None
        };
        5_000
    ];
    audit
}

#[test]
fn the_widest_audit_fits_into_two_megabytes_and_says_what_it_leaves_out() {
    let audit = huge();
    let started = Instant::now();
    let html = html(&audit);
    assert!(html.len() <= 2_000_000, "{} bytes", html.len());
    assert!(started.elapsed().as_secs_f64() < 20.0, "unoptimised builds included");
    assert!(
        html.contains("of 200 groups shown")
            && html.contains("7 of 10 classes shown, in model order.")
            && html.contains("of 50 features shown")
            && html.contains("of 1,000 rows shown")
    );
}

#[test]
fn a_template_of_the_user_comes_first_and_reaches_included_ones() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("theme.css"), ":root { --paper: tomato; }").unwrap();
    let html = render(&example::binary(), "audit", Some(folder.path())).unwrap();
    assert!(html.contains("--paper: tomato") && html.contains("<h1"));
    std::fs::write(folder.path().join("mine.html"), "<p>{{ title.text }}</p>").unwrap();
    assert_eq!(render(&example::binary(), "mine", Some(folder.path())).unwrap(), "<p>Income above 50K</p>");
}

#[test]
fn a_template_of_the_user_fills_the_page_around_it_and_may_change_that_page() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    let print = |name: &str| render(&example::binary(), name, Some(folder.path())).unwrap();
    let own = "{% extends \"page.html\" %}{% block masthead %}<h1>Our bank</h1>{% endblock %}";
    write("mine.html", own);
    let (audit, mine) = (print("audit"), print("mine"));
    let main = |html: &str| html[html.find("<main").unwrap()..].to_owned();
    assert_eq!(main(&mine), main(&audit));
    assert!(mine.contains("<h1>Our bank</h1></header>\n<main") && mine.contains("<title>Income above 50K</title>"));
    write("page.html", "<p>{% block masthead %}{% endblock %}</p>");
    assert_eq!(print("mine"), "<p><h1>Our bank</h1></p>");
    assert!(print("audit").starts_with("<p>\n<p class=\"eyebrow\">"));
}

#[test]
fn a_broken_template_fails_with_its_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.html");
    for (text, line, word) in [("a\n\n{% for %}", 3, "syntax error"), ("a\n{{ table.nothing.here }}", 2, "undefined")] {
        std::fs::write(&path, text).unwrap();
        let error = render(&example::binary(), "audit", Some(folder.path())).unwrap_err();
        let ReportError::Template { file, line: found, detail } = &error else { panic!("{error}") };
        assert_eq!((file.as_str(), *found), (path.to_str().unwrap(), line), "{error}");
        assert!(detail.contains(word), "{error}");
    }
}

#[test]
fn every_section_is_known_by_name() {
    for audit in all() {
        let view = view::View::of(&audit);
        let ids = view.sections.iter().chain(&view.annexes).map(|section| &section.id);
        ids.for_each(|id| assert!(view::SECTIONS.contains(&id.as_ref()), "{id}"));
    }
}

#[test]
fn every_document_informs_asks_and_says_what_is_not_provided() {
    for audit in all() {
        for name in document::names() {
            let html = render(&audit, &name, None).unwrap();
            assert!(html.contains("it is not legal advice"), "{name}");
            assert!(html.contains("not provided</span> <code>[report.fields] "), "{name}");
            tags(&html);
            assert!(!html.contains("http://") && !html.contains("https://"), "{name}");
            assert_eq!(html.matches("<script").count(), 1, "{name}");
            let markdown = markdown(&audit, &name, None).unwrap();
            assert!(markdown.contains("it is not legal advice") && !markdown.contains("<p"), "{name}");
            let json: serde_json::Value = serde_json::from_str(&json(&audit, &name, None).unwrap()).unwrap();
            assert!(json["document"]["outline"].as_array().unwrap().len() > 2, "{name}");
            assert!(!json["document"].to_string().contains("\"chart\""), "{name}");
        }
    }
}

#[test]
fn hostile_texts_are_just_text_in_every_document_and_format() {
    let audit = poisoned("<script>alert(1)</script>|`x`\n# ");
    for name in ["audit", "nyc-ll144", "adverse-action", "model-card"] {
        assert!(!render(&audit, name, None).unwrap().contains("<script>"), "{name}");
        let markdown = markdown(&audit, name, None).unwrap();
        assert!(!markdown.contains("<script>") && !markdown.contains("|`x`"), "{name}");
    }
}

#[test]
fn an_unknown_template_names_those_that_are_known() {
    let error = render(&example::binary(), "audti", None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no report template `audti`; known: audit, adverse-action, eu-ai-act, model-card, model-risk, nyc-ll144"
    );
    assert!(matches!(render(&example::binary(), "../secret", None), Err(ReportError::BadName { .. })));
    let missing = std::path::Path::new("no/such/folder");
    assert!(matches!(render(&example::binary(), "audit", Some(missing)), Err(ReportError::Folder { .. })));
}

// Since the baseline run

#[test]
fn the_psi_is_read_beside_its_conventional_limits_and_ranks_as_slopes() {
    let page = html(&example::binary());
    for part in [
        "class=\"guide\"",
        "By convention below 0.1",
        "class=\"slope up\"",
        "class=\"slope down\"",
        "1 relationship",
        "age 1",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("run 0190-before of 20 November 2026"));
}

#[test]
fn a_baseline_that_cannot_be_compared_gives_reasons_and_no_numbers() {
    let mut audit = example::binary();
    let reason = "another scale of attributions: margin before, probability now";
    audit.drift.clear();
    if let Some(baseline) = &mut audit.baseline {
        baseline.not_comparable = vec![reason.to_owned()];
    }
    let page = html(&audit);
    assert!(page.contains(reason) && page.contains("Nothing is compared with run 0190-before"));
    assert!(!page.contains("class=\"guide\"") && !page.contains("class=\"slope"));
}

#[test]
fn two_runs_are_compared_in_a_document_of_the_same_kind() {
    let (before, mut now) = (example::binary(), example::binary());
    now.run.run_id = "0190f000-0000-7000-8000-000000000002".into();
    let baseline = now.baseline.clone().unwrap();
    let mut comparison = crate::audit::Comparison {
        before: crate::audit::Side::of(&before),
        now: crate::audit::Side::of(&now),
        comparable: true,
        not_comparable: vec![],
        differences: vec![crate::audit::Difference { what: "model", before: "a".repeat(64), now: "<b>".into() }],
        metrics: baseline.changes.clone(),
        group_gaps: baseline.changes.clone(),
        groups: vec![],
        ranks: baseline.ranks,
        drift: now.drift.clone(),
        gates: vec![],
    };
    let page = compare(&comparison).unwrap();
    for part in
        ["Comparable", "&lt;b&gt;", "class=\"guide\"", "class=\"slope up\"", "Accuracy", now.run.run_id.as_str()]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<b>&lt;") && page.matches("<script").count() == 1);
    (comparison.comparable, comparison.not_comparable) = (false, vec!["another task: binary before".into()]);
    assert!(compare(&comparison).unwrap().contains("another task: binary before"));
}
