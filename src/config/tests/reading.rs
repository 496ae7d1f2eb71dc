//! What is read from files that are right, from the project, the environment and the command line.

use super::*;

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let folder = folder_with(&[("bytes.toml", "")]);
    fs::write(folder.path().join("bytes.toml"), [0xff, 0xfe, 0x00]).unwrap();
    for (name, reason) in
        [("none.toml", "there is no such file"), ("", "it is a folder"), ("bytes.toml", "it is not text in UTF-8")]
    {
        let path = folder.path().join(name);
        let errors = load(&path, &[], &environment).unwrap_err().errors;
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].to_string(), format!("cannot read {}: {reason}", path.display()));
        assert_eq!(errors[0].location(), None);
    }
}

#[test]
fn variables_are_expanded_and_unset_ones_are_errors() {
    let text = SOUND.replace("d.parquet", "${ROOT}/d-${DAY:-today}-$${x}.parquet");
    let folder = folder_with(&[("a.toml", &text)]);
    let path = folder.path().join("a.toml");
    let loaded = load(&path, &[], &|name| (name == "ROOT").then(|| "/data".to_owned())).unwrap();
    assert_eq!(loaded.config.data.path, "/data/d-today-${x}.parquet");

    let errors = load(&path, &[], &environment).unwrap_err().errors;
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].to_string(), "environment variable `ROOT` is not set, `data.path` needs it");
    assert_eq!(errors[0].location().map(|(_, line, column)| (line, column)), Some((4, 9)));
}

#[test]
fn overrides_win_before_anything_is_checked() {
    let loaded =
        load_with(&format!("{SOUND}threshold = 7\n"), &["model.threshold=0.25", "explain.method=exact"]).unwrap();
    assert_eq!(loaded.config.model.threshold, Some(0.25));
    assert_eq!(loaded.config.explain.method, Method::Exact);
    assert!(loaded.sha256_input.contains("threshold = 0.25"), "{}", loaded.sha256_input);
}

#[test]
fn a_wrong_override_is_shown_as_it_was_typed() {
    let errors = load_with(SOUND, &["model.treshold=0.5", "explain.rows = 0", "nonsense"]).unwrap_err().errors;
    let seen: Vec<_> = errors.iter().map(|error| (error.location(), error.to_string())).collect();
    assert_eq!(seen[0], (Some(("--set", 1, 7)), "unknown key `treshold` in [model]".to_owned()));
    assert_eq!(seen[1], (Some(("--set", 1, 16)), "`explain.rows` = 0 must be at least 1".to_owned()));
    assert_eq!(seen[2], (Some(("--set", 1, 1)), "`--set nonsense` is not of the form key.path=value".to_owned()));
}

#[test]
fn defaults_are_the_documented_ones() {
    let config = sound("[fairness]\nattributes = [\"sex\"]\n[[gates]]\nmetric = \"f1\"\nmin = 0\n");
    assert_eq!(config.pipeline.seed, 0);
    assert_eq!(config.explain, Explain::default());
    assert_eq!((config.explain.budget, config.explain.rows, config.explain.method), (2048, Rows::All, Method::Auto));
    assert_eq!(config.importance.repeats, 10);
    let fairness = config.fairness.unwrap();
    assert_eq!((fairness.bootstrap, fairness.confidence, fairness.min_group_rows), (1000, 0.95, 30));
    assert_eq!(fairness.metrics, MetricsChoice::All);
    assert_eq!((config.gates[0].decide_on, config.gates[0].severity), (DecideOn::Point, Severity::Fail));
    assert_eq!(config.report.templates, [Template::Audit]);
    assert_eq!(config.store, Store::default());
}

#[test]
fn every_form_of_a_value_is_read() {
    let config = sound(
        "[model.inputs]\na = \"x\"\nb = [\"y\", \"z\"]\n[data.encode]\nw = [\"p\", 1, true]\n[data.image]\ncolumn = \"i\"\nmean = 0.5\nstd = [1, 2]\n\
         [background]\nrows = 10\n[explain]\noutputs = [0, 2]\ncover = \"c.parquet\"\nrows = 5\n[importance]\nmethods = []\n\
         [fairness]\nattributes = [\"sex\", [\"sex\", \"race\"], { column = \"age\", bins = [25, 45.5] }]\nreference = { sex = \"Male\", age = 1 }\nmetrics = [\"f1\"]\n",
    );
    assert_eq!(config.model.inputs["a"], InputColumns::One("x".to_owned()));
    assert_eq!(config.model.inputs["b"], InputColumns::Matrix(vec!["y".to_owned(), "z".to_owned()]));
    assert_eq!(config.data.encode["w"], [Scalar::Text("p".to_owned()), Scalar::Integer(1), Scalar::Boolean(true)]);
    let image = config.data.image.unwrap();
    assert_eq!((image.mean, image.std), (Some(PerChannel::Same(0.5)), Some(PerChannel::Each(vec![1.0, 2.0]))));
    assert_eq!(config.background.rows, Some(Rows::Count(10)));
    assert_eq!(config.explain.outputs, Some(Outputs::Classes(vec![0, 2])));
    assert_eq!(config.explain.cover, Cover::File("c.parquet".to_owned()));
    assert_eq!(config.importance.methods, Some(Vec::new()));
    let fairness = config.fairness.unwrap();
    let names: Vec<_> = fairness.attributes.iter().map(Attribute::name).collect();
    assert_eq!(names, ["sex", "sex,race", "age"]);
    assert_eq!(fairness.attributes[2], Attribute::Binned(Binned { column: "age".to_owned(), bins: vec![25.0, 45.5] }));
    assert_eq!(fairness.metrics, MetricsChoice::Named(vec!["f1".to_owned()]));
}

#[test]
fn the_same_meaning_has_the_same_canonical_text() {
    let one = load_with(SOUND, &[]).unwrap().sha256_input;
    let other =
        load_with("# a comment\nmodel.path = 'm.onnx'\ndata = { path = \"d.parquet\" }\n[pipeline]\nname=\"a\"\n", &[]);
    assert_eq!(one, other.unwrap().sha256_input);
    let changed = load_with(SOUND, &["pipeline.seed=1"]).unwrap().sha256_input;
    assert_ne!(one, changed);
    assert_eq!(load_with(&one, &[]).unwrap().sha256_input, one, "the canonical text is a pipeline file itself");
}

#[test]
fn project_defaults_fill_in_and_their_paths_start_at_their_own_folder() {
    let project = "[store]\nresults = \"var/results\"\ncatalogue = \"sqlite:${VAR:-var}/c.db\"\n";
    let own = format!("{SOUND}[store]\nresults = \"mine\"\n");
    let folder = folder_with(&[("probity.toml", project), ("a/b/x.toml", SOUND), ("a/b/y.toml", &own)]);
    let base = folder.path().join("a/b");

    let loaded = load(&base.join("x.toml"), &[], &environment).unwrap();
    assert_eq!(loaded.config.store.results.as_deref(), Some("../../var/results"));
    assert_eq!(loaded.results(), Some(base.join("../../var/results")));
    assert_eq!(loaded.catalogue(), Some(format!("sqlite:{}", base.join("../../var/c.db").display())));

    let loaded = load(&base.join("y.toml"), &[], &environment).unwrap();
    assert_eq!(loaded.config.store.results.as_deref(), Some("mine"), "a pipeline's own keys win");
    assert_eq!(loaded.config.store.catalogue.as_deref(), Some("sqlite:../../var/c.db"));
    let loaded = load(&base.join("y.toml"), &["store.catalogue=sqlite:here.db".to_owned()], &environment).unwrap();
    assert_eq!(loaded.config.store.catalogue.as_deref(), Some("sqlite:here.db"), "overrides win over both");
}

#[test]
fn the_nearest_project_file_counts_and_its_mistakes_are_shown_in_it() {
    let folder = folder_with(&[
        ("probity.toml", "[store]\ncatalogue = \"sqlite:far.db\"\n"),
        ("a/probity.toml", "[store]\ncatalog = \"sqlite:near.db\"\n[gates]\n"),
        ("a/x.toml", SOUND),
        ("b/x.toml", SOUND),
    ]);
    let errors = load(&folder.path().join("a/x.toml"), &[], &environment).unwrap_err().errors;
    let seen: Vec<_> = errors.iter().map(|error| format!("{error} | {}", error.help.as_deref().unwrap())).collect();
    assert_eq!(
        seen,
        [
            "unknown key `catalog` in [store] | did you mean `catalogue`?",
            "unknown table [gates] | known here: `notify`, `privacy` or `store`",
        ]
    );
    assert!(errors[0].location().unwrap().0.ends_with("probity.toml"));
    assert!(nearest_catalogue(&folder.path().join("a"), &environment).is_err());

    let found = nearest_catalogue(&folder.path().join("b"), &environment).unwrap();
    assert_eq!(found, Some(format!("sqlite:{}", folder.path().join("b/../far.db").display())));
}

#[test]
fn what_the_plan_finds_points_at_the_key_or_the_table_above() {
    let loaded = load_with(&format!("{SOUND}[[gates]]\nmetric = \"f1\"\nmin = 0\n"), &[]).unwrap();
    let conflict = |key: &str| Conflict { key: key.to_owned(), message: key.to_owned(), help: None };
    let errors =
        loaded.errors(["model.threshold", "data.path", "gates.0.metric", "fairness.attributes"].map(conflict)).errors;
    let places: Vec<_> = errors
        .iter()
        .map(|error| (error.to_string(), error.location().map(|(_, line, column)| (line, column))))
        .collect();
    assert_eq!(
        places,
        [
            ("fairness.attributes".to_owned(), None),
            ("data.path".to_owned(), Some((4, 8))),
            ("model.threshold".to_owned(), Some((5, 1))),
            ("gates.0.metric".to_owned(), Some((8, 10))),
        ]
    );
}
