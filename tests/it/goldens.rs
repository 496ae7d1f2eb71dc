//! Tiny models from the real converters against their known answers (`tests/golden/README.md`), through the binary.

use crate::project::{Project, golden};
use polars::prelude::{ParquetWriter, df};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;

/// What ONNX Runtime's float32 scores are repeated to.
const SCORE_TOLERANCE: f64 = 1e-6;

/// A model's known answers.
struct Known {
    name: &'static str,
    answers: Value,
}

impl Known {
    fn read(name: &'static str) -> Self {
        let text = std::fs::read_to_string(golden(&format!("{name}.json"))).unwrap();
        Self { name, answers: serde_json::from_str(&text).unwrap() }
    }

    fn texts(&self, key: &str) -> Vec<String> {
        self.answers[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// Rows of numbers and texts as CSV; an empty cell is a missing value.
    fn csv(&self, key: &str) -> String {
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            number => number.to_string(),
        };
        let rows = self.answers[key].as_array().unwrap().iter();
        let line = |row: &Value| row.as_array().unwrap().iter().map(cell).collect::<Vec<_>>().join(",") + "\n";
        self.texts("features").join(",") + "\n" + &rows.map(line).collect::<String>()
    }

    /// Audited with these keys of `[explain]`.
    fn project(&self, explain: &str) -> Project {
        let project = Project::empty();
        project.model(self.name).write("rows.csv", self.csv("rows")).write("background.csv", self.csv("background"));
        if let Some(cover) = self.answers["cover"].as_array() {
            let column = |at: usize| cover.iter().map(|row| row[at].as_f64().unwrap()).collect::<Vec<_>>();
            let mut nodes = df!("treeid" => column(0), "nodeid" => column(1), "cover" => column(2)).unwrap();
            ParquetWriter::new(File::create(project.path("cover.parquet")).unwrap()).finish(&mut nodes).unwrap();
        }
        let inputs = self.answers["inputs"].as_array().unwrap();
        let matrix = match inputs.as_slice() {
            [input] => format!("[model.inputs]\n{} = {:?}\n", input["name"], self.texts("features")),
            _ => String::new(),
        };
        let toml = format!(
            "[pipeline]\nname = \"golden\"\n[data]\npath = \"rows.csv\"\n[model]\npath = \"model.onnx\"\n{matrix}\
             [background]\npath = \"background.csv\"\nrows = \"all\"\n[explain]\n{explain}\n\
             [importance]\nmethods = []\n\
             [store]\nresults = \"var/results\"\ncatalogue = \"sqlite:var/catalogue.db\"\n"
        );
        project.write("audit.toml", toml);
        project
    }

    /// The golden's classes, or the value, that predictions have a row for, with their columns in `scores`.
    fn outputs(&self) -> Vec<(String, usize)> {
        let classes = self.texts("classes");
        match classes.len() {
            0 => vec![("value".to_owned(), 0)],
            2 => vec![(classes[1].clone(), 1)],
            _ => classes.into_iter().enumerate().map(|(at, class)| (class, at)).collect(),
        }
    }

    fn check_predictions(&self, project: &Project) {
        let found: BTreeMap<(u64, String), Value> = project
            .query("SELECT row_id, output, score, margin FROM predictions")
            .into_iter()
            .map(|row| ((row["row_id"].as_u64().unwrap(), row["output"].as_str().unwrap().to_owned()), row))
            .collect();
        let (scores, margins) = (self.answers["scores"].as_array().unwrap(), &self.answers["margins"]);
        assert_eq!(found.len(), scores.len() * self.outputs().len(), "{}", self.name);
        for (row, known) in scores.iter().enumerate() {
            for (at, (output, column)) in self.outputs().into_iter().enumerate() {
                let place = format!("{} row {row} output {output}", self.name);
                let found = &found[&(row as u64, output)];
                close(&found["score"], &known[column], SCORE_TOLERANCE, &place);
                if let (false, Some(tolerance)) =
                    (margins.is_null(), self.answers["exact_margin"]["tolerance"].as_f64())
                {
                    close(&found["margin"], &margins[row][at], tolerance, &format!("{place} margin"));
                }
            }
        }
    }

    /// Stored attributions and base values against a table of answers.
    fn check_explanations(&self, project: &Project, answers: &str) {
        let known = &self.answers[answers];
        let tolerance = known["tolerance"].as_f64().unwrap();
        let features = self.texts("features");
        let outputs = self.texts("explained");
        let found = project.query("SELECT row_id, output, feature, attribution, base_value FROM explanations");
        let n_rows = known["values"].as_array().unwrap().len();
        assert_eq!(found.len(), n_rows * outputs.len() * features.len(), "{} {answers}", self.name);
        for cell in found {
            let row = cell["row_id"].as_u64().unwrap() as usize;
            let output = outputs.iter().position(|output| output == cell["output"].as_str().unwrap()).unwrap();
            let feature = features.iter().position(|feature| feature == cell["feature"].as_str().unwrap()).unwrap();
            let place = format!("{} {answers} row {row} output {output} {}", self.name, features[feature]);
            close(&cell["attribution"], &known["values"][row][output][feature], tolerance, &place);
            if let Some(base) = known["base"].as_array() {
                close(&cell["base_value"], &base[output], tolerance, &format!("{place} base"));
            }
        }
    }

    /// Predictions, the exact values on the margin by this method, and by enumeration on the probability.
    fn check(&self, method: &str) -> Project {
        let outputs = if self.texts("explained").len() > 1 { "\noutputs = \"all\"" } else { "" };
        let project = self.project(&format!("method = \"{method}\"\nscale = \"margin\"{outputs}"));
        project.ran(0);
        self.check_predictions(&project);
        self.check_explanations(&project, "exact_margin");
        for other in ["shap_interventional"].into_iter().filter(|other| !self.answers[other].is_null()) {
            self.check_explanations(&project, other);
        }
        if !self.answers["exact_probability"].is_null() {
            let enumerated = self.project(&format!("method = \"exact\"\nscale = \"probability\"{outputs}"));
            enumerated.ran(0);
            self.check_explanations(&enumerated, "exact_probability");
        }
        project
    }

    fn check_path_dependent(&self) {
        let project = self.project("method = \"tree_path_dependent\"\ncover = \"cover.parquet\"");
        project.ran(0);
        self.check_explanations(&project, "path_dependent");
        self.check_explanations(&project, "shap_path_dependent");
    }
}

/// Equal within `tolerance` of the larger of 1 and the known value.
fn close(found: &Value, known: &Value, tolerance: f64, place: &str) {
    let (Some(found), Some(known)) = (found.as_f64(), known.as_f64()) else {
        panic!("{place}: {found} where {known} is known");
    };
    let difference = (found - known).abs();
    assert!(
        difference <= tolerance * known.abs().max(1.0),
        "{place}: {found} where {known} is known, off by {difference:e}"
    );
}

/// The method that a run chose.
fn method(project: &Project) -> Value {
    project.value("SELECT explain_method FROM runs")
}

#[test]
fn xgboost_classifiers_of_two_classes_are_explained_exactly() {
    let known = Known::read("xgb_binary");
    assert_eq!(method(&known.check("auto")), "tree");
    known.check_path_dependent();
}

#[test]
fn xgboost_classifiers_of_three_classes_are_explained_exactly() {
    assert_eq!(method(&Known::read("xgb_multiclass").check("auto")), "tree");
}

#[test]
fn xgboost_regressors_are_explained_exactly() {
    assert_eq!(method(&Known::read("xgb_regression").check("auto")), "tree");
}

#[test]
fn lightgbm_behind_a_zipmap_is_explained_exactly() {
    assert_eq!(method(&Known::read("lgbm_binary").check("auto")), "tree");
}

#[test]
fn histogram_boosting_with_missing_values_is_explained_exactly() {
    assert_eq!(method(&Known::read("histgb_binary").check("auto")), "tree");
}

#[test]
fn catboosts_own_export_is_explained_exactly() {
    assert_eq!(method(&Known::read("catboost_binary").check("auto")), "tree");
}

#[test]
fn random_forests_of_two_classes_are_explained_exactly() {
    let known = Known::read("rf_binary");
    assert_eq!(method(&known.check("auto")), "tree");
    known.check_path_dependent();
}

#[test]
fn random_forests_of_three_classes_are_explained_exactly() {
    assert_eq!(method(&Known::read("rf_multiclass").check("auto")), "tree");
}

#[test]
fn float64_rows_meet_float32_thresholds_in_float64() {
    assert_eq!(method(&Known::read("rf_regression_double").check("auto")), "tree");
}

#[test]
fn float64_thresholds_are_not_rounded() {
    assert_eq!(method(&Known::read("rf_regression_tensors").check("auto")), "tree");
}

#[test]
fn whole_number_inputs_are_explained_exactly() {
    assert_eq!(method(&Known::read("tree_int64").check("auto")), "tree");
}

#[test]
fn linear_regressions_are_explained_exactly() {
    assert_eq!(method(&Known::read("linear_regression").check("auto")), "linear");
}

#[test]
fn logistic_regressions_behind_a_zipmap_are_explained_exactly() {
    assert_eq!(method(&Known::read("logistic_zipmap").check("auto")), "linear");
}

#[test]
fn a_pipeline_with_texts_is_explained_by_its_raw_columns() {
    assert_eq!(method(&Known::read("pipeline_strings").check("auto")), "tree");
}

#[test]
fn a_network_with_a_logit_and_a_probability_is_enumerated() {
    assert_eq!(method(&Known::read("mlp").check("auto")), "exact");
}

#[test]
fn a_network_of_three_classes_is_cut_before_its_softmax() {
    assert_eq!(method(&Known::read("mlp_softmax").check("auto")), "exact");
}

#[test]
fn a_network_of_a_fixed_batch_is_padded_and_cut_to_size() {
    assert_eq!(method(&Known::read("mlp_fixed_batch").check("auto")), "exact");
}

#[test]
fn a_network_whose_scores_depend_on_the_batch_is_noticed_and_the_run_says_so() {
    let known = Known::read("mlp_int8");
    let project = known.project("method = \"none\"");
    let ran = project.run(&[]);
    ran.expect(0);
    known.check_predictions(&project);
    assert!(ran.stdout.contains("depends on the batch"), "{}", ran.stdout);
    let audit: Value = serde_json::from_slice(&std::fs::read(project.stored(&["run.json"])).unwrap()).unwrap();
    let one_by_one = known.answers["scores_one_by_one"].as_array().unwrap();
    let together = known.answers["scores"].as_array().unwrap();
    let pairs = together.iter().zip(one_by_one);
    let largest = pairs.map(|(a, b)| (a[1].as_f64().unwrap() - b[1].as_f64().unwrap()).abs()).fold(0.0, f64::max);
    close(&audit["proof"]["batch_difference"], &Value::from(largest), SCORE_TOLERANCE, "the largest difference");
    let report = std::fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    assert!(report.contains("depends on the batch"), "the report says so too");
}

#[test]
fn a_network_that_does_not_depend_on_the_batch_is_not_accused_of_it() {
    let project = Known::read("mlp").project("method = \"none\"");
    let ran = project.run(&[]);
    assert!(!ran.expect(0).stdout.contains("depends on the batch"), "{}", ran.stdout);
}

// Fairness of recorded decisions

const FAIRNESS: &str = r#"
[pipeline]
name = "decisions"
[data]
path = "rows.csv"
score = "score"
label = "label"
WEIGHT
[model]
threshold = 0.5
[fairness]
attributes = ["sex", "race", ["sex", "race"]]
reference = { sex = "Male", race = "White", "sex,race" = "Male,White" }
bootstrap = 50
min_group_rows = 1
[store]
results = "var/results"
catalogue = "sqlite:var/catalogue.db"
"#;

const FAIRNESS_TOLERANCE: f64 = 1e-9;

fn decisions(weight: &str) -> (Value, Project) {
    let known: Value = serde_json::from_slice(&std::fs::read(golden("fairness.json")).unwrap()).unwrap();
    let rows = &known["rows"];
    let n_rows = rows["label"].as_array().unwrap().len();
    let line = |row: usize| {
        let (sex, race) = (&rows["sex"][row], &rows["race"][row]);
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        format!("{},{},{},{},{}\n", rows["label"][row], rows["score"][row], text(sex), text(race), rows["weight"][row])
    };
    let csv = format!("label,score,sex,race,weight\n{}", (0..n_rows).map(line).collect::<String>());
    let project = Project::empty();
    project.write("rows.csv", csv).write("audit.toml", FAIRNESS.replace("WEIGHT", weight));
    project.ran(0);
    (known, project)
}

/// (attribute, group, metric) → value.
type Measured = BTreeMap<(String, String, String), Value>;

fn measured(project: &Project) -> Measured {
    let key = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = project.query("SELECT attribute, group_value, metric, value FROM metrics WHERE stratum = ''");
    rows.into_iter()
        .map(|row| ((key(&row, "attribute"), key(&row, "group_value"), key(&row, "metric")), row["value"].clone()))
        .collect()
}

fn check_metric(measured: &Measured, attribute: &str, group: &str, metric: &str, known: &Value) {
    let place = format!("{metric} of {attribute}={group}");
    let found = measured.get(&(attribute.to_owned(), group.to_owned(), metric.to_owned()));
    let found = found.unwrap_or_else(|| panic!("{place} is not measured"));
    match known {
        Value::Null => assert!(found.is_null(), "{place}: {found} where nothing is defined"),
        known => close(found, known, FAIRNESS_TOLERANCE, &place),
    }
}

const COUNTS: [&str; 6] = ["n", "weight", "tp", "fp", "tn", "fn"];

fn check_groups(project: &Project, known: &Value) -> usize {
    let measured = measured(project);
    let mut n_checked = 0;
    for (attribute, groups) in known.as_object().unwrap() {
        for (group, metrics) in groups.as_object().unwrap() {
            for (metric, value) in
                metrics.as_object().unwrap().iter().filter(|(metric, _)| !COUNTS.contains(&metric.as_str()))
            {
                check_metric(&measured, attribute, group, metric, value);
                n_checked += 1;
            }
            check_counts(project, attribute, group, metrics);
        }
    }
    n_checked
}

fn check_counts(project: &Project, attribute: &str, group: &str, known: &Value) {
    let sql = format!(
        "SELECT * FROM group_counts WHERE attribute = '{attribute}' AND group_value = '{group}' AND stratum = ''"
    );
    let found = project.query(&sql);
    assert_eq!(found.len(), 1, "{attribute}={group}");
    for count in COUNTS {
        close(&found[0][count], &known[count], FAIRNESS_TOLERANCE, &format!("{count} of {attribute}={group}"));
    }
}

#[test]
fn metrics_of_recorded_decisions_agree_with_the_fields_libraries() {
    let (known, project) = decisions("");
    assert!(check_groups(&project, &known["by_group"]) > 300);
    let measured = measured(&project);
    for (attribute, metrics) in known["between_groups"].as_object().unwrap() {
        for (metric, value) in metrics.as_object().unwrap() {
            check_metric(&measured, attribute, "", metric, value);
        }
    }
    for (attribute, compared) in known["against_reference"].as_object().unwrap() {
        for (group, metrics) in compared["groups"].as_object().unwrap() {
            for (metric, value) in metrics.as_object().unwrap() {
                check_metric(&measured, attribute, group, metric, value);
            }
        }
    }
    for (attribute, compared) in known["others_against_reference"].as_object().unwrap() {
        for (metric, value) in compared["metrics"].as_object().unwrap() {
            check_metric(&measured, attribute, "(others)", metric, value);
        }
    }
}

#[test]
fn weighted_metrics_of_recorded_decisions_agree_too() {
    let (known, project) = decisions("weight = \"weight\"");
    assert!(check_groups(&project, &known["by_group_weighted"]) > 300);
}

#[test]
fn what_is_undefined_is_null_and_says_why() {
    let (_, project) = decisions("");
    let rows = project.query("SELECT metric, value, undefined_reason FROM metrics WHERE value IS NULL");
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row["undefined_reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{row}");
    }
    let both = project.query("SELECT metric FROM metrics WHERE value IS NOT NULL AND undefined_reason IS NOT NULL");
    assert_eq!(both, Vec::<Value>::new());
}

/// Both attributes, each within the strata of one of them.
fn stratified(stratum: &str) -> Project {
    let (_, project) = decisions("");
    let toml = FAIRNESS.replace("WEIGHT", "").replace("[fairness]", &format!("[fairness]\nstrata = [\"{stratum}\"]"));
    project.write("audit.toml", toml);
    project.ran(0);
    project
}

#[test]
fn comparisons_of_scores_and_within_strata_agree_with_rows_taken_one_by_one() {
    let known: Value = serde_json::from_slice(&std::fs::read(golden("fairness_comparisons.json")).unwrap()).unwrap();
    let mut n_checked = 0;
    for (attribute, compared) in known["compared"].as_object().unwrap() {
        let project = stratified(compared["stratum"].as_str().unwrap());
        let measured = measured_last(&project);
        for (metric, value) in compared["across"].as_object().unwrap() {
            check_metric(&measured["value"], attribute, "", metric, value);
        }
        for (group, metrics) in compared["groups"].as_object().unwrap() {
            for (name, value) in metrics.as_object().unwrap() {
                match name.split_once(' ') {
                    None => check_metric(&measured["value"], attribute, group, name, value),
                    Some((metric, "p")) => check_metric(&measured["p_value"], attribute, group, metric, value),
                    Some((metric, _)) => {
                        check_metric(&measured["ci_low"], attribute, group, metric, &value[0]);
                        check_metric(&measured["ci_high"], attribute, group, metric, &value[1]);
                    }
                }
                n_checked += 1;
            }
        }
        for (metric, value) in known["overall"].as_object().unwrap() {
            check_metric(&measured["value"], "", "", metric, value);
        }
    }
    assert!(n_checked > 60, "{n_checked}");
}

/// Columns of `metrics` over all strata, of the last run.
fn measured_last(project: &Project) -> BTreeMap<&'static str, Measured> {
    let key = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = project.query(
        "SELECT attribute, group_value, metric, value, p_value, ci_low, ci_high FROM metrics WHERE stratum = '' AND \
         run_id = (SELECT run_id FROM runs ORDER BY sequence DESC LIMIT 1)",
    );
    let column = |name: &'static str| {
        let cell =
            |row: &Value| ((key(row, "attribute"), key(row, "group_value"), key(row, "metric")), row[name].clone());
        (name, rows.iter().map(cell).collect())
    };
    ["value", "p_value", "ci_low", "ci_high"].map(column).into_iter().collect()
}
