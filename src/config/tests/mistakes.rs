//! Mistakes that people make, with the place, message and help that they get.

use super::*;

#[test]
fn a_misspelt_key_is_named_with_the_one_that_was_meant() {
    one_mistake("treshold = 0.5\n", "7:1 unknown key `treshold` in [model] | did you mean `threshold`?");
    one_mistake("[explan]\n", "7:2 unknown table [explan] | did you mean `explain`?");
    one_mistake(
        "[[gates]]\nmetric = \"f1\"\nmin = 0\nmx = 1\n",
        "10:1 unknown key `mx` in an entry of `gates` | did you mean `max`?",
    );
    one_mistake(
        "[fairness]\nattributes = [{ colum = \"age\", bins = [1] }]\n",
        "8:17 unknown key `colum` in an entry of `fairness.attributes` | did you mean `column`?",
    );
}

#[test]
fn a_key_of_another_table_is_sent_there() {
    one_mistake(
        "[data.image]\ncolumn = \"x\"\nthreshold = 1\n",
        "9:1 unknown key `threshold` in [data.image] | `threshold` is a key of [model]",
    );
    one_mistake(
        "metrics = \"all\"\n",
        "7:1 unknown key `metrics` in [model] | `metrics` is a key of [fairness] or [importance]",
    );
}

#[test]
fn a_key_that_resembles_none_lists_what_is_known() {
    one_mistake(
        "[report]\nzzzzzz = 1\n",
        "8:1 unknown key `zzzzzz` in [report] | known here: `fields`, `least_share`, `logo`, `logo_alt`, `reasons`, `reasons_per_decision`, `reasons_version`, `sections`, `templates` or `title`",
    );
}

#[test]
fn a_section_of_the_house_has_one_text_and_a_known_place() {
    for (keys, message) in [("", "neither"), (", file = \"a\", text = \"b\"", "both")] {
        let found = mistakes(&format!("{SOUND}[report]\nsections = [{{ title = \"a\"{keys} }}]\n"), &[]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("8:13 a section of `report.sections` has") && found[0].contains(message),
            "{found:?}"
        );
    }
    let found = mistakes(&format!("{SOUND}[[report.sections]]\ntitle = \"a\"\ntext = \"b\"\nplace = \"gatse\"\n"), &[]);
    assert!(found.len() == 1 && found[0].contains("did you mean \"gates\"?"), "{found:?}");
    one_mistake(
        "[report]\nlogo_alt = \"x\"\n",
        "8:12 `report.logo_alt` describes a logo, and there is none | give the picture's path as `logo`, or leave this out",
    );
}

#[test]
fn missing_tables_and_keys_are_named_and_described() {
    assert_eq!(
        mistakes("", &[]),
        [
            "1:1 missing table [pipeline] | add [pipeline]: Names the pipeline and seeds everything random.",
            "1:1 missing table [data] | add [data]: Rows to audit.",
        ]
    );
    one_mistake(
        "[[gates]]\nmin = 0\n",
        "7:1 missing key `metric` in an entry of `gates` | add `metric = …`: Name of the metric.",
    );
}

#[test]
fn a_misspelt_required_key_is_not_reported_as_missing_too() {
    let text = "[pipeline]\nnmae = \"a\"\n[data]\npath = \"d\"\nscore = \"p\"\n";
    assert_eq!(mistakes(text, &[]), ["2:1 unknown key `nmae` in [pipeline] | did you mean `name`?"]);
}

#[test]
fn a_value_of_the_wrong_kind_says_how_to_write_it() {
    one_mistake(
        "threshold = \"0.5\"\n",
        "7:13 `model.threshold` must be a number, found text | write 0.5 without quotes",
    );
    one_mistake("output = 1\n", "7:10 `model.output` must be text, found a whole number | put it in quotes: \"1\"");
    one_mistake(
        "[gates]\nmetric = \"f1\"\nmin = 0\n",
        "7:1 `gates` must be a list of tables, found a table | write [[gates]], with two brackets",
    );
    one_mistake("[[report]]\n", "7:1 `report` must be a table, found a list | write [report] once, with one bracket");
    one_mistake(
        "classes = \"x\"\n",
        "7:11 `model.classes` must be a list of text values, found text | put it into a list: [\"x\"]",
    );
    one_mistake(
        "[explain]\ninteractions = \"true\"\n",
        "8:16 `explain.interactions` must be true or false, found text | write true without quotes",
    );
    one_mistake(
        "[importance]\nrepeats = 2.5\n",
        "8:11 `importance.repeats` must be a whole number, found a number | Shufflings of each column. Default 10.",
    );
    one_mistake(
        "[explain]\nrows = true\n",
        "8:8 `explain.rows` must be \"all\" or a whole number, found true | \"all\", or how many rows are explained, sampled with the seed. Default \"all\".",
    );
}

#[test]
fn an_unknown_name_suggests_the_one_that_was_meant() {
    one_mistake(
        "[explain]\nmethod = \"shap_tree\"\n",
        "8:10 `explain.method` = \"shap_tree\" is not known | known: \"auto\", \"tree\", \"tree_path_dependent\", \"linear\", \"exact\", \"kernel\", \"permutation\", \"lime\", \"gradient\", \"smooth_grad\", \"integrated_gradients\", \"expected_gradients\", \"deep\", \"occlusion\", \"partition\" or \"none\"",
    );
    one_mistake(
        "[explain]\nmethod = \"kernal\"\n",
        "8:10 `explain.method` = \"kernal\" is not known | did you mean \"kernel\"?",
    );
    one_mistake(
        "[explain]\ncover = \"modell\"\n",
        "8:9 `explain.cover` = \"modell\" is not known | did you mean \"model\"?",
    );
    one_mistake(
        "[explain]\nbaseline = \"mean\"\n",
        "8:12 `explain.baseline` = \"mean\" is not known | known: \"background\", \"zero\" or the path of a .parquet file",
    );
    one_mistake("task = \"Binary\"\n", "7:8 `model.task` = \"Binary\" is not known | did you mean \"binary\"?");
}

#[test]
fn numbers_out_of_bounds_name_the_bounds() {
    let help = "Binary tasks: probability from which the decision is the positive class. Default 0.5.";
    one_mistake("threshold = 1.5\n", &format!("7:13 `model.threshold` = 1.5 must be between 0 and 1 | {help}"));
    one_mistake("threshold = -1\n", &format!("7:13 `model.threshold` = -1 must be between 0 and 1 | {help}"));
    one_mistake(
        "[importance]\nrepeats = 0\n",
        "8:11 `importance.repeats` = 0 must be at least 1 | Shufflings of each column. Default 10.",
    );
    one_mistake(
        "[fairness]\nattributes = [\"sex\"]\nconfidence = 1\n",
        "9:14 `fairness.confidence` = 1 must be above 0 and below 1 | Coverage of all intervals, between 0 and 1. Default 0.95.",
    );
    one_mistake(
        "[background]\nrows = 0\n",
        "8:8 `background.rows` = 0 must be at least 1 | \"all\", or how many rows are sampled with the seed. Default: all where the cost does not depend on it, else 200.",
    );
    assert_eq!(
        mistakes("[pipeline]\nname = \"a\"\nseed = -1\n[data]\npath = \"d\"\nscore = \"p\"\n", &[]),
        ["3:8 `pipeline.seed` = -1 must be at least 0 | Everything random derives from it. Default 0."]
    );
}

#[test]
fn numbers_that_are_none_are_refused() {
    one_mistake("threshold = nan\n", "7:13 not valid TOML: nan is not a finite number of at most 64 bits | ");
    assert_eq!(
        mistakes("a = 99999999999999999999\n", &[]),
        ["1:5 not valid TOML: 99999999999999999999 is not a finite number of at most 64 bits | "]
    );
}

#[test]
fn a_pipeline_name_is_made_of_lower_case_letters_digits_and_hyphens() {
    for name in ["Adult", "adult income", "adult_income", "ä", ""] {
        let text = SOUND.replace("\"a\"", &format!("\"{name}\""));
        let found = mistakes(&text, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("must be made of lower-case letters, digits and hyphens"), "{found:?}");
    }
}

#[test]
fn empty_lists_and_texts_are_refused_where_they_mean_nothing() {
    one_mistake(
        "[fairness]\nattributes = []\n",
        "8:14 `fairness.attributes` is empty | Columns that make groups: a name, a list of names for their intersection, or `{ column, bins }` for numbers.",
    );
    one_mistake(
        "[model.inputs]\nx = []\n",
        "8:5 `model.inputs.x` is empty | Model input to column, or to a list of columns for a matrix: only where names do not match.",
    );
    one_mistake(
        "[data.encode]\nx = []\n",
        "8:5 `data.encode.x` lists no category | list its categories in code order, or leave the column out of [data.encode]",
    );
    one_mistake(
        "[background]\npath = \"\"\n",
        "8:8 `background.path` is empty | File with the model's columns, relative to this file's folder. Default: the evaluation data itself.",
    );
}

#[test]
fn an_intersection_needs_two_different_columns() {
    let found = mistakes(&format!("{SOUND}[fairness]\nattributes = [[\"sex\"], [\"a\", \"a\"]]\n"), &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("8:15 an entry of `fairness.attributes` needs at least 2 entries, found 1"),
        "{found:?}"
    );
    assert!(found[1].starts_with("8:24 the intersection `a,a` names a column twice"), "{found:?}");
}

#[test]
fn bins_must_ascend() {
    let help = "list the limits in ascending order";
    one_mistake(
        "[fairness]\nattributes = [{ column = \"age\", bins = [25, 65, 45] }]\n",
        &format!("8:49 `bins` must ascend, and 45 comes after 65 | {help}"),
    );
    one_mistake(
        "[fairness]\nattributes = [{ column = \"age\", bins = [25, 25.0] }]\n",
        &format!("8:45 `bins` must ascend, and 25.0 comes after 25 | {help}"),
    );
}

#[test]
fn attributes_stand_once_and_references_name_them() {
    one_mistake(
        "[fairness]\nattributes = [\"sex\", \"sex\"]\n",
        "8:22 `fairness.attributes` lists `sex` twice | list every attribute once",
    );
    one_mistake(
        "[fairness]\nattributes = [\"sex\", [\"sex\", \"race\"]]\nreference = { \"race,sex\" = \"x\" }\n",
        "9:15 `fairness.reference` names `race,sex`, which is not among the attributes | did you mean `sex,race`?",
    );
    one_mistake(
        "[fairness]\nattributes = [\"sex\"]\nreference = { country = \"x\" }\n",
        "9:15 `fairness.reference` names `country`, which is not among the attributes | `fairness.attributes` lists `sex`; add it there",
    );
}

#[test]
fn a_gate_needs_a_limit_that_something_can_pass() {
    one_mistake(
        "[[gates]]\nmetric = \"f1\"\n",
        "7:1 the gate on \"f1\" has no limit | add `min = …`, `max = …`, `max_change = …` or several",
    );
    one_mistake(
        "[[gates]]\nmetric = \"f1\"\nmin = 0.9\nmax = 0.8\n",
        "10:7 no value passes a gate with min = 0.9 and max = 0.8 | exchange the two, or leave one out",
    );
    sound("[[gates]]\nmetric = \"f1\"\nmin = 0.8\nmax = 0.8\n");
}

#[test]
fn a_gate_names_an_attribute_that_is_listed() {
    one_mistake(
        "[[gates]]\nmetric = \"f1\"\nattribute = \"sex\"\nmin = 0\n",
        "9:13 the gate's attribute \"sex\" is not among the attributes of [fairness] | list it in [fairness] attributes",
    );
    one_mistake(
        "[fairness]\nattributes = [[\"sex\", \"race\"]]\n[[gates]]\nmetric = \"f1\"\nattribute = \"sex, race\"\nmin = 0\n",
        "11:13 the gate's attribute \"sex, race\" is not among the attributes of [fairness] | did you mean `sex,race`?",
    );
}

#[test]
fn categories_and_players_stand_once() {
    one_mistake(
        "[data.encode]\nx = [\"a\", \"b\", \"a\"]\n",
        "8:16 `data.encode.x` lists \"a\" twice | list every category once, in code order",
    );
    one_mistake(
        "[[explain.players]]\nname = \"p\"\ncolumns = [\"a\"]\n[[explain.players]]\nname = \"q\"\ncolumns = [\"a\"]\n",
        "12:12 column \"a\" stands in two places of `explain.players` | a column belongs to one player",
    );
    one_mistake(
        "[[explain.players]]\nname = \"p\"\ncolumns = [\"a\"]\n[[explain.players]]\nname = \"p\"\ncolumns = [\"b\"]\n",
        "11:8 two players are called \"p\" | give each its own name",
    );
}

#[test]
fn there_must_be_something_to_audit() {
    let text = "[pipeline]\nname = \"a\"\n[data]\npath = \"d\"\n";
    assert_eq!(
        mistakes(text, &[]),
        [
            "3:2 there is neither a model nor recorded scores to audit | give `path` in [model], or in [data] the column of recorded scores as `score`"
        ]
    );
    assert!(load_with(&format!("{text}score = \"p\"\n"), &[]).is_ok());
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    one_mistake(
        "task = \"regression\"\nthreshold = 0.5\n",
        "8:13 `model.threshold` has no meaning for task = \"regression\" | leave it out",
    );
    one_mistake(
        "[explain]\nmethod = \"none\"\n[importance]\nmethods = [\"attribution\"]\n",
        "10:12 importance by attribution needs attributions, and `explain.method` is \"none\" | choose an explain method, or leave \"attribution\" out",
    );
    one_mistake(
        "[[explain.also]]\nmethod = \"lime\"\n[[explain.also.also]]\nmethod = \"kernel\"\n",
        "9:1 a further method has no further methods of its own | write each as its own [[explain.also]]",
    );
    one_mistake(
        "[[explain.also]]\nmethod = \"none\"\n",
        "8:10 a further method that explains nothing has no meaning | leave this [[explain.also]] out",
    );
    one_mistake(
        "[data.image]\ncolumn = \"x\"\nstd = [1, 0]\n",
        "9:11 `data.image.std` must not be 0 | leave it out for no change",
    );
}

#[test]
fn a_webhook_needs_an_address() {
    one_mistake(
        "[notify]\nwebhook = \"hooks.example.org/x\"\n",
        "8:11 `notify.webhook` = \"hooks.example.org/x\" is no address | give env: and the name of an environment variable that holds the address, or http(s)://…",
    );
    one_mistake(
        "[notify]\nwebhook = \"env:\"\n",
        "8:11 `notify.webhook` = \"env:\" is no address | give env: and the name of an environment variable that holds the address, or http(s)://…",
    );
}

#[test]
fn what_is_not_available_yet_is_refused_by_name() {
    for (key, value) in [("results", "s3://b/x"), ("catalogue", "postgres://h/d"), ("catalogue", "postgresql://h/d")] {
        let found = mistakes(&format!("{SOUND}[store]\n{key} = \"{value}\"\n"), &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(&format!("`store.{key}` = \"{value}\" is not available yet")), "{found:?}");
    }
}

#[test]
fn a_store_of_another_kind_is_refused() {
    one_mistake(
        "[store]\nresults = \"gs://bucket\"\n",
        "8:11 `store.results` = \"gs://bucket\": there is no store for gs:// | give a folder, relative to this file",
    );
}

#[test]
fn syntax_errors_point_at_the_text() {
    assert_eq!(mistakes("[pipeline\nname = \"a\"\n", &[]), ["1:10 not valid TOML: unclosed table, expected `]` | "]);
    let found = mistakes("[data]\npath = \"a\"\n[data]\nid = \"x\"\n", &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("3:2 not valid TOML: duplicate key | a key or [table] may stand only once"),
        "{found:?}"
    );
}

#[test]
fn a_malformed_variable_is_an_error() {
    one_mistake(
        "output = \"a${b\"\n",
        "7:12 `model.output` has a `${` that does not read ${NAME} or ${NAME:-default} | a plain `${` is written `$${`",
    );
}

#[test]
fn all_mistakes_of_a_file_come_at_once_in_the_order_of_the_text() {
    let text = "[pipeline]\nname = \"A\"\nsede = 1\n[data]\npath = \"${X}\"\n[model]\npath = 1\nthreshold = 2\n\
                [explain]\nmethod = \"depp\"\n[[gates]]\nmetric = \"f1\"\nmin = \"a\"\n[[gates]]\nmetric = \"f1\"\n[what]\n";
    let places: Vec<_> = mistakes(text, &[]).iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(places, ["2:8", "3:1", "5:9", "7:8", "8:13", "10:10", "13:7", "14:1", "16:2"]);
}

#[test]
fn the_message_shows_file_line_column_excerpt_and_help() {
    let errors = load_with(&format!("{SOUND}treshold = 0.5\n"), &[]).unwrap_err();
    let name = errors.path.display().to_string();
    let expected = "
  × FILE has 1 error

Error: 
  × unknown key `treshold` in [model]
   ╭─[FILE:7:1]
 6 │ path = \"m.onnx\"
 7 │ treshold = 0.5
   · ────┬───
   ·     ╰── not known
   ╰────
  help: did you mean `threshold`?
";
    assert_eq!(rendered(&errors).replace(&name, "FILE").trim_matches('\n'), expected.trim_matches('\n'));
}
