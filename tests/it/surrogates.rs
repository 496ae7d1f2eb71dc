//! LIME beside and instead of exact values, through the binary.

use crate::project::{N_PEOPLE, Project};
use serde_json::Value;

/// A project explained as these lines say.
fn explained(lines: &str) -> Project {
    let project = Project::new();
    project.edit("[importance]", &format!("{lines}\n[importance]"));
    project
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn lime_stores_terms_and_fits_whose_parts_add_up_to_the_local_prediction() {
    let project = explained("[explain]\nmethod = \"lime\"\nscale = \"probability\"\nrows = 12\nbudget = 400");
    project.ran(0);
    let rows = project.query(
        "SELECT e.row_id, sum(e.attribution) + min(e.base_value) AS total, min(f.local_prediction) AS said, \
         min(f.intercept) - min(e.base_value) AS base, min(f.r2) AS r2, min(f.stability) AS stability, count(*) AS n \
         FROM explanations e JOIN local_fits f USING (row_id, output, method) WHERE e.method = 'lime' GROUP BY e.row_id",
    );
    assert_eq!(rows.len(), 12);
    for row in rows {
        assert!((number(&row["total"]) - number(&row["said"])).abs() < 1e-9, "{row}");
        assert_eq!((number(&row["base"]), number(&row["n"])), (0.0, 5.0), "{row}");
        assert!((0.0..=1.0).contains(&number(&row["stability"])) && number(&row["r2"]) <= 1.0, "{row}");
    }
    let terms = project.query("SELECT DISTINCT term FROM explanations WHERE feature = 'income' ORDER BY term");
    let terms: Vec<&str> = terms.iter().map(|row| row["term"].as_str().unwrap()).collect();
    assert!(terms.len() > 1 && terms.iter().all(|term| term.contains("income")), "{terms:?}");
    let proof = project.value("SELECT explain_method FROM runs");
    assert_eq!(proof, "lime");
}

#[test]
fn the_best_features_alone_have_weights() {
    let lime = "[explain.lime]\nfeatures = 2\nselection = \"lasso_path\"\ndiscretiser = \"decile\"\nkernel_width = 3.0";
    let project = explained(&format!("[explain]\nmethod = \"lime\"\nrows = 5\nbudget = 400\n{lime}"));
    project.ran(0);
    let used = project.query("SELECT count(*) AS n FROM explanations WHERE attribution <> 0 GROUP BY row_id");
    assert!(!used.is_empty() && used.iter().all(|row| number(&row["n"]) <= 2.0), "{used:?}");
}

#[test]
fn further_methods_stand_beside_the_main_one_under_their_names() {
    let also = "[[explain.also]]\nmethod = \"lime\"\nrows = 7\nbudget = 300\n\
                [[explain.also]]\nmethod = \"tree_path_dependent\"\n\
                [[explain.also]]\nmethod = \"kernel\"\nscale = \"margin\"\nrows = 9";
    let project = explained(&format!("[explain]\nmethod = \"tree\"\n{also}"));
    project.append("[background]\nrows = 30\n").ran(0);
    let counted = project.query("SELECT method, count(*) / 5 AS n FROM explanations GROUP BY method ORDER BY method");
    let counted: Vec<_> = counted.iter().map(|row| (row["method"].as_str().unwrap(), number(&row["n"]))).collect();
    let n = N_PEOPLE as f64;
    assert_eq!(counted, [("kernel", 9.0), ("lime", 7.0), ("tree", n), ("tree_path_dependent", n)]);
    let apart = project.value(
        "SELECT max(abs(a.attribution - b.attribution)) AS d FROM explanations a JOIN explanations b \
         USING (row_id, output, feature) WHERE a.method = 'tree' AND b.method = 'kernel'",
    );
    assert!(number(&apart) < 1e-5, "the closed form and all sampled coalitions are {apart} apart");
    let important = project.query("SELECT DISTINCT method FROM importance ORDER BY method");
    let important: Vec<&str> = important.iter().map(|row| row["method"].as_str().unwrap()).collect();
    assert_eq!(important, ["attribution", "kernel", "lime", "permutation", "tree_path_dependent"]);
    let html = std::fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    assert!(html.contains("Second opinions") && html.contains("LIME"), "the report shows the other methods");
}

#[test]
fn check_says_what_a_surrogate_costs() {
    let project = explained(
        "[explain]\nmethod = \"none\"\n[[explain.also]]\nmethod = \"lime\"\nrows = 7\nbudget = 300\n[explain.also.lime]\nseeds = 2",
    );
    project.probity(&["check", "audit.toml"]).expect(2).says(&["there is no main method"]);
    project.edit("method = \"none\"", "method = \"auto\"");
    let ran = project.probity(&["check", "audit.toml"]);
    ran.expect(0);
    assert!(ran.stdout.contains("up to 6,300 model evaluations"), "{}", ran.stdout);
}

#[test]
fn what_lime_cannot_do_is_refused_with_the_place() {
    let refused = |lines: &str, parts: &[&str]| {
        explained(lines).run(&[]).expect(2).says(parts);
    };
    let lime = "[explain]\nmethod = \"lime\"\n";
    refused(&format!("{lime}baseline = \"zero\""), &["zero in every column", "leave `baseline` out"]);
    refused(
        &format!("{lime}[[explain.players]]\nname = \"money\"\ncolumns = [\"income\", \"debt\"]"),
        &["surrogates weigh single columns"],
    );
    refused(&format!("{lime}budget = 3"), &["`explain.budget` = 3"]);
    refused(&format!("{lime}[explain.lime]\nkernel_width = 0"), &["kernel_width"]);
    refused("[explain]\nmethod = \"tree\"\n[[explain.also]]\nmethod = \"tree\"", &["used twice"]);
}

/// Every method of importance beside two explanations, within this budget.
fn studied(budget: u64) -> Project {
    let project = explained("[[explain.also]]\nmethod = \"lime\"\nrows = 10\nbudget = 200");
    let methods = "[\"attribution\", \"permutation\", \"interaction\", \"sage\", \"sobol\", \"morris\", \"sensitivity\", \"faithfulness\"]";
    project.edit("[importance]", &format!("[importance]\nmethods = {methods}\nbudget = {budget}"));
    project
}

#[test]
fn importance_of_every_kind_is_stored_and_compared() {
    let project = studied(20_000);
    project.ran(0);
    let known = project
        .query("SELECT method, metric, count(*) AS n FROM importance GROUP BY method, metric ORDER BY method, metric");
    let told: Vec<String> =
        known.iter().map(|row| format!("{} {} {}", row["method"], row["metric"], row["n"]).replace('"', "")).collect();
    let expected = [
        "attribution mean_abs_attribution 5",
        "interaction friedman_h 10",
        "interaction friedman_h_total 5",
        "lime mean_abs_attribution 5",
        "morris mu 5",
        "morris mu_star 5",
        "morris sigma 5",
        "permutation roc_auc 5",
        "sage log_loss 5",
        "sensitivity decision_change 5",
        "sensitivity largest_change 5",
        "sensitivity single_change_flips 5",
        "sobol first_order 5",
        "sobol total_order 5",
    ];
    assert_eq!(told, expected);
    let pairs = project.value(
        "SELECT count(*) AS n FROM metrics WHERE attribute = '(methods)' AND metric = 'agreement_kendall' AND value BETWEEN -1 AND 1",
    );
    assert_eq!(number(&pairs), 21.0, "seven ways of ordering features");
    let curves = project.query(
        "SELECT kind, group_value, min(x) AS a, max(x) AS b, count(*) AS n FROM curves WHERE feature = '(methods)' \
         GROUP BY kind, group_value",
    );
    assert_eq!(curves.len(), 6, "deletion and insertion of two methods and a random order");
    assert!(curves.iter().all(|row| (number(&row["a"]), number(&row["b"]), number(&row["n"])) == (0.0, 1.0, 6.0)));
    let html = std::fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    for part in ["Agreement of the methods", "On trial", "Single changes", "rows that do not occur"] {
        assert!(html.contains(part), "the report says {part:?}");
    }
}

#[test]
fn check_says_what_importance_asks_of_the_model_and_the_budget_holds() {
    let ran = studied(8_000).probity(&["check", "audit.toml"]);
    ran.expect(0);
    let calls = |method: &str| -> u64 {
        let line = ran.stdout.lines().find(|line| line.contains(&format!("{method}: up to"))).unwrap();
        let count = line.split(" model evaluations").next().unwrap();
        let digits: String = count.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    };
    for method in ["interaction", "sage", "sobol", "morris", "sensitivity"] {
        assert!((100..=8_100).contains(&calls(method)), "{method}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains("and 40 rows on trial"), "{}", ran.stdout);
    studied(4).run(&[]).expect(2).says(&["`importance.budget` pays for too few rows"]);
}
