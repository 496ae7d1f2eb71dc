//! How attributions are asked for and stored: clusters of columns, the largest alone, how well they add up.

use crate::project::{N_PEOPLE, Project};

const ADDRESS: &str = "[[explain.players]]\nname = \"family\"\ncolumns = [\"children\", \"age\"]\n";

/// An audit explained by `explain`, with `lines` after it.
fn explained(explain: &str, lines: &str) -> Project {
    let project = Project::new();
    project.append(&format!("[background]\nrows = 5\n[explain]\n{explain}\n{lines}"));
    project
}

/// Sum by row of the attributions whose feature passes `filter`.
fn sums(project: &Project, filter: &str) -> Vec<f64> {
    let sql =
        format!("SELECT sum(attribution) AS phi FROM explanations WHERE {filter} GROUP BY row_id ORDER BY row_id");
    project.query(&sql).iter().map(|row| row["phi"].as_f64().unwrap()).collect()
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!((a.len(), b.len()), (N_PEOPLE, N_PEOPLE));
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < tolerance), "{a:?}\n{b:?}");
}

/// Attributions and base value add up to what is explained, as SQL sees it.
fn assert_adds_up(project: &Project, target: &str, tolerance: f64) {
    let sql = format!(
        "SELECT max(abs(e.total + e.base - p.{target})) AS gap, count(*) AS n FROM predictions p JOIN
            (SELECT row_id, sum(attribution) AS total, min(base_value) AS base FROM explanations GROUP BY row_id) e
         ON e.row_id = p.row_id"
    );
    let row = &project.query(&sql)[0];
    assert_eq!(row["n"], N_PEOPLE);
    assert!(row["gap"].as_f64().unwrap() < tolerance, "{row}");
}

#[test]
fn columns_of_a_cluster_share_its_value() {
    let split = explained("method = \"exact\"", &format!("{ADDRESS}split = true\n"));
    let checked = split.probity(&["check", "audit.toml"]);
    assert!(checked.expect(0).stdout.contains("children, age share the value of family (Owen values)"));
    split.ran(0);
    assert_adds_up(&split, "score", 1e-9);
    let joined = explained("method = \"exact\"", ADDRESS);
    joined.ran(0);
    let family = sums(&joined, "feature = 'family'");
    assert_close(&sums(&split, "feature IN ('children', 'age')"), &family, 1e-9);
    assert_close(&sums(&split, "feature = 'debt'"), &sums(&joined, "feature = 'debt'"), 1e-9);
    let apart = explained("method = \"exact\"", "");
    apart.ran(0);
    let shapley = sums(&apart, "feature IN ('children', 'age')");
    assert!(family.iter().zip(&shapley).any(|(a, b)| (a - b).abs() > 1e-6), "the trees let columns interact");
}

#[test]
fn margins_are_enumerated_where_the_graph_reports_none() {
    let enumerated = explained("method = \"exact\"\nscale = \"margin\"", "");
    enumerated.ran(0);
    assert_adds_up(&enumerated, "margin", 1e-6);
    let trees = explained("method = \"tree\"", "");
    trees.ran(0);
    assert_close(&sums(&enumerated, "feature = 'debt'"), &sums(&trees, "feature = 'debt'"), 1e-6);
}

#[test]
fn clusters_choose_a_method_that_knows_them() {
    let cluster = format!("{ADDRESS}split = true\n");
    let auto = explained("", &cluster);
    auto.ran(0);
    assert_eq!(auto.value("SELECT explain_method FROM runs"), "exact");
    for method in ["tree", "kernel", "tree_path_dependent"] {
        let refused = explained(&format!("method = \"{method}\""), &cluster);
        refused.run(&[]).expect(2).says(&["cannot share the worth of a cluster", "\"exact\" or \"permutation\""]);
    }
    let sampled = explained("method = \"permutation\"\nbudget = 40", &cluster);
    sampled.ran(0);
    // Sampling asks the trees themselves, which sum in double precision.
    assert_adds_up(&sampled, "score", 1e-6);
}

#[test]
fn the_largest_attributions_are_stored_and_the_rest_summed() {
    for method in ["tree", "kernel"] {
        let project = explained(&format!("method = \"{method}\"\ntop_k = 2"), "");
        project.ran(0);
        let (target, tolerance) = if method == "tree" { ("margin", 1e-9) } else { ("score", 1e-6) };
        assert_adds_up(&project, target, tolerance);
        assert_eq!(project.value("SELECT count(*) FROM explanations"), 3 * N_PEOPLE);
        assert_eq!(project.value("SELECT count(*) FROM explanations WHERE feature = '(other)'"), N_PEOPLE);
        let whole = explained(&format!("method = \"{method}\""), "");
        whole.ran(0);
        let ranked = "SELECT row_id, feature FROM (SELECT row_id, feature, row_number() OVER
                (PARTITION BY row_id ORDER BY abs(attribution) DESC) AS place FROM explanations) WHERE place <= 2
             ORDER BY row_id, feature";
        let kept = "SELECT row_id, feature FROM explanations WHERE feature <> '(other)' ORDER BY row_id, feature";
        assert_eq!(whole.query(ranked), project.query(kept));
        // Whatever is summarised rests on all features.
        for (table, order) in [("importance", "method, rank"), ("group_attributions", "group_value, feature")] {
            let sql = format!("SELECT * EXCLUDE (run_id) FROM {table} ORDER BY {order}");
            assert_eq!(whole.query(&sql), project.query(&sql), "{table}");
        }
        let report = std::fs::read_to_string(project.stored(&["reports", ".html"])).unwrap();
        assert!(report.contains("(other)"));
    }
}

#[test]
fn how_far_every_row_misses_its_score_is_stored_and_told() {
    let project = explained("rows = 20", "");
    let ran = project.run(&[]);
    assert!(ran.expect(0).stdout.contains("attributions miss the score by at most"), "{}", ran.stdout);
    let gap = "SELECT count(additivity_gap) AS n, max(additivity_gap) AS largest FROM predictions";
    let row = &project.query(gap)[0];
    assert_eq!(row["n"], 20);
    assert!(row["largest"].as_f64().unwrap() < 1e-9);
    let shown = project.probity(&["show", "credit@latest", "--catalogue", "var/catalogue.db"]);
    assert!(shown.expect(0).stdout.contains("adding up"));
    let json =
        project.probity(&["show", "credit@latest", "--format", "json", "--catalogue", "var/catalogue.db"]).json();
    assert_eq!(json["proof"]["additivity_gap"], row["largest"]);
    let report = std::fs::read_to_string(project.stored(&["reports", ".html"])).unwrap();
    assert!(report.contains("Additivity gap") && report.contains("on average over 20 rows"));
}

#[test]
fn the_published_sampling_is_there_to_compare_with() {
    let sampled = explained("method = \"kernel\"\nsampling = \"shapley_kernel\"\nbudget = 22", "");
    assert!(sampled.probity(&["check", "audit.toml"]).expect(0).stdout.contains("KernelSHAP as published"));
    sampled.ran(0);
    assert_adds_up(&sampled, "score", 1e-6);
    let exact = explained("method = \"exact\"", "");
    exact.ran(0);
    // Pooled: with so few draws a single standard error is itself uncertain.
    let sql = "SELECT attribution, coalesce(std_err, 0) AS std_err FROM explanations ORDER BY row_id, feature";
    let number = |row: &serde_json::Value, name: &str| row[name].as_f64().unwrap();
    let (mut squares, mut variance) = (0.0, 0.0);
    for (a, b) in sampled.query(sql).iter().zip(exact.query(sql)) {
        squares += (number(a, "attribution") - number(&b, "attribution")).powi(2);
        variance += number(a, "std_err").powi(2);
    }
    assert!((0.2..5.0).contains(&(squares / variance)), "{squares} against {variance}");
}
