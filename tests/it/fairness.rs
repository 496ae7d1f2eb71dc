//! What an audit says of single people and of features, beside its groups.

use crate::project::{Project, people};

#[test]
fn what_single_rows_and_features_say_is_stored_and_shown() {
    let project = Project::new();
    project.write("people.csv", people(400)).edit("attributes = [\"sex\"]", "attributes = [\"sex\", \"owner\"]").ran(0);
    let count = |sql: &str| project.value(sql).as_i64().unwrap();
    // `owner` is a column of the model and can be flipped, `sex` is not.
    assert_eq!(count("SELECT count(*) FROM metrics WHERE metric = 'flip_rate' AND attribute = 'sex'"), 0);
    assert_eq!(count("SELECT count(*) FROM metrics WHERE metric = 'flip_rate' AND attribute = 'owner'"), 2);
    assert_eq!(count("SELECT n FROM metrics WHERE metric = 'consistency' AND attribute = ''"), 400);
    let number = |sql: &str| project.value(sql).as_f64().unwrap();
    let parts = number("SELECT sum(difference) FROM attribution_gaps WHERE attribute = 'sex' AND condition = ''");
    let means = number(
        "SELECT sum(CASE WHEN group_value = 'Female' THEN mean ELSE -mean END) FROM group_attributions \
         WHERE attribute = 'sex'",
    );
    assert!((parts - means).abs() < 1e-9, "the parts are {parts}, the gap of means {means}");
    assert!(
        count("SELECT count(*) FROM attribution_gaps WHERE condition = 'favourable label' AND p_value IS NOT NULL") > 0
    );
    assert_eq!(
        count("SELECT count(*) FROM proxies WHERE attribute = 'owner' AND feature = 'owner' AND cramers_v > 0.99"),
        1
    );
    let report = project.files().into_iter().find(|file| file.ends_with("audit.html")).unwrap();
    let html = std::fs::read_to_string(project.path(&report)).unwrap();
    for words in ["Consistency with the nearest rows", "Proxies", "Flips as the reference", "By chance?"] {
        assert!(html.contains(words), "the report does not say {words}");
    }
}

#[test]
fn a_gate_on_consistency_needs_no_attribute_and_one_on_flips_an_input() {
    let project = Project::new();
    project.edit("metric = \"accuracy\"\nmin = 0.1", "metric = \"consistency\"\nmin = 0.1").ran(0);
    assert_eq!(project.query("SELECT decision FROM gates")[0]["decision"], "pass");
    project.edit("metric = \"consistency\"\nmin = 0.1", "metric = \"flip_rate\"\nattribute = \"sex\"\nmax = 0.1");
    let ran = project.run(&[]);
    ran.expect(2).says(&["flip_rate", "sex is not a column of the model"]);
}
