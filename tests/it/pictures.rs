//! Pictures as data: PNG bytes and number lists in both layouts, what is refused, and what the report shows.

use crate::project::{DAY, Project, golden};
use polars::prelude::*;
use serde_json::Value;
use std::fs::{self, File};

const AUDIT: &str = r#"
[pipeline]
name = "pictures"

[data]
path = "pictures.parquet"
id = "id"
label = "kind"

[data.image]
column = "picture"
scale = 0.00392156862745098
mean = [0.5, 0.4, 0.3]
std = [0.2, 0.25, 0.5]

[model]
path = "model.onnx"

[explain]
method = "integrated_gradients"
scale = "probability"
baseline = "zero"

[importance]
methods = ["attribution"]

[fairness]
attributes = ["by"]
bootstrap = 100

[store]
results = "var/results"
catalogue = "sqlite:var/catalogue.db"
"#;

/// A picture of the known answers: its file, and its numbers pixel by pixel.
fn rows() -> Vec<(Vec<u8>, Vec<f64>)> {
    let known: Value = serde_json::from_str(&fs::read_to_string(golden("pictures.json")).unwrap()).unwrap();
    let row = |row: &Value| {
        let hex = row["bytes"].as_str().unwrap();
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        (bytes, row["numbers"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect())
    };
    known["rows"].as_array().unwrap().iter().map(row).collect()
}

/// The numbers with the planes of colours one after the other.
fn planes(pixels: &[f64]) -> Vec<f64> {
    (0..3).flat_map(|channel| pixels.iter().skip(channel).step_by(3).copied()).collect()
}

fn project(model: &str, picture: Column) -> Project {
    let n = picture.len();
    let column =
        |name: &str, of: &dyn Fn(usize) -> String| Column::new(name.into(), (0..n).map(of).collect::<Vec<_>>());
    let ids = column("id", &|row| format!("p{row}"));
    let kinds = Column::new("kind".into(), (0..n).map(|row| (row % 3) as i64).collect::<Vec<_>>());
    let by = column("by", &|row| ["Ada", "Bob"][row % 2].to_owned());
    let mut frame = DataFrame::new(n, vec![ids, picture.with_name("picture".into()), kinds, by]).unwrap();
    let project = Project::empty();
    project.model(model).write("audit.toml", AUDIT);
    ParquetWriter::new(File::create(project.path("pictures.parquet")).unwrap()).finish(&mut frame).unwrap();
    project
}

fn files(change: impl Fn(usize, Vec<u8>) -> Option<Vec<u8>>) -> Column {
    let bytes: Vec<Option<Vec<u8>>> =
        rows().into_iter().enumerate().map(|(row, (file, _))| change(row, file)).collect();
    let bytes: BinaryChunked = bytes.iter().map(|bytes| bytes.as_deref()).collect();
    bytes.into_series().into()
}

fn lists(of: impl Fn(&[f64]) -> Vec<f64>) -> Column {
    let rows: Vec<Series> = rows().iter().map(|(_, numbers)| Series::new("".into(), of(numbers))).collect();
    Column::new("".into(), rows)
}

fn ran(project: &Project) -> Vec<Value> {
    project.ran(0);
    project.query("SELECT row_id, output, score FROM predictions ORDER BY row_id, output")
}

#[test]
fn files_and_lists_in_both_layouts_have_the_same_scores() {
    let whole = |_: usize, file: Vec<u8>| Some(file);
    let all = [
        ("picture_nhwc", files(whole)),
        ("picture_nchw", files(whole)),
        ("picture_nhwc", lists(|pixels| pixels.to_vec())),
        ("picture_nchw", lists(planes)),
    ];
    let found: Vec<Vec<Value>> = all.into_iter().map(|(model, picture)| ran(&project(model, picture))).collect();
    assert_eq!(found[0].len(), 72);
    assert_eq!(found[0], found[2]);
    assert_eq!(found[1], found[3]);
    for (a, b) in found[0].iter().zip(&found[1]) {
        assert_eq!(a["row_id"], b["row_id"]);
        let apart = (a["score"].as_f64().unwrap() - b["score"].as_f64().unwrap()).abs();
        assert!(apart < 1e-6, "{a} and {b}");
    }
}

#[test]
fn what_is_no_such_picture_is_refused_with_file_row_and_finding() {
    let cut = |at: usize| move |row: usize, file: Vec<u8>| Some(if row == 5 { file[..at].to_vec() } else { file });
    let swapped = |row: usize, file: Vec<u8>| Some(if row == 5 { b"GIF89a".to_vec() } else { file });
    let missing = |row: usize, file: Vec<u8>| (row != 5).then_some(file);
    for (picture, found) in [
        (files(cut(60)), "a broken PNG picture"),
        (files(swapped), "neither PNG nor JPEG (they begin with 47 49 46 38)"),
        (files(missing), "no picture"),
    ] {
        let project = project("picture_nhwc", picture);
        let refused = project.probity(&["run", "audit.toml", "--as-of", DAY]);
        refused.expect(2).says(&["pictures.parquet", "row p5", "column `picture`", found]);
        assert!(project.results().is_empty(), "nothing is left half-written");
    }
    let known: Value = serde_json::from_str(&fs::read_to_string(golden("pictures.json")).unwrap()).unwrap();
    for (case, found) in [("interlaced", "a picture of 9"), ("grey", "1 channel (grey), the model takes 3 channels")] {
        let cases = known["cases"].as_array().unwrap();
        let hex = cases.iter().find(|it| it["name"] == case).unwrap()["bytes"].as_str().unwrap();
        let other: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let project = project("picture_nhwc", files(|row, file| Some(if row == 5 { other.clone() } else { file })));
        project.probity(&["run", "audit.toml", "--as-of", DAY]).expect(2).says(&["row p5", found]);
    }
}

#[test]
fn bytes_that_nobody_calls_pictures_and_other_means_than_channels_are_refused() {
    let project = project("picture_nhwc", files(|_, file| Some(file)));
    project.edit("mean = [0.5, 0.4, 0.3]", "mean = [0.5, 0.4]");
    project.probity(&["check", "audit.toml"]).expect(2).says(&[
        "2 numbers are given",
        "3 channel(s)",
        "mean = [0.5, 0.4]",
    ]);
    project.edit(
        "[data.image]\ncolumn = \"picture\"\nscale = 0.00392156862745098\nmean = [0.5, 0.4]",
        "[model.inputs]\npicture = \"picture\"\n#",
    );
    project.edit("std = [0.2, 0.25, 0.5]", "");
    project.probity(&["check", "audit.toml"]).expect(2).says(&["holds bytes", "[data.image]"]);
}

#[test]
fn check_says_why_pictures_are_not_explained_and_what_would() {
    let project = project("picture_nhwc", files(|_, file| Some(file)));
    project.edit("method = \"integrated_gradients\"", "method = \"auto\"");
    let told = project.probity(&["check", "audit.toml"]).expect(0).stdout.clone();
    assert!(
        told.contains("explain      nothing: pictures are scored, but not explained unless a method is named"),
        "{told}"
    );
    assert!(told.contains("\"integrated_gradients\" where"), "{told}");
}

fn report(project: &Project) -> String {
    fs::read_to_string(project.stored(&["report", ".html"])).unwrap()
}

#[test]
fn the_report_shows_pictures_of_every_class_errors_and_means() {
    let project = project("picture_nhwc", files(|_, file| Some(file)));
    project.ran(0);
    let html = report(&project);
    let section =
        html.split("<h2 id=\"pictures\">").nth(1).expect("there is a section").split("</section>").next().unwrap();
    for part in ["Chosen pictures", "most certain", "least certain", "confident error", "Mean maps", "Ada"] {
        assert!(section.to_lowercase().contains(&part.to_lowercase()), "{part} is missing");
    }
    let images = section.matches("<img src=\"data:image").count();
    assert!(images >= 10, "{images} pictures");
    assert_eq!(section.matches("<img").count(), section.matches(" alt=\"").count());
    assert!(html.contains("fig-confusion-t"));
    // Maps of a group are the mean of its rows' maps.
    let audit: Value = serde_json::from_str(&fs::read_to_string(project.stored(&["run.json"])).unwrap()).unwrap();
    let mean =
        audit["pictures"]["mean_maps"].as_array().unwrap().iter().find(|map| map["group_value"] == "Ada").unwrap();
    let sql = "SELECT max(abs(m)) AS largest FROM (SELECT at, avg(pixel) AS m FROM (SELECT unnest(\"values\") AS pixel,
        unnest(range(1, 31)) AS at FROM attribution_maps WHERE cast(substr(row_id, 2) AS int) % 2 = 0) GROUP BY at)";
    let largest = project.value(sql).as_f64().unwrap();
    assert!((mean["map"]["largest"].as_f64().unwrap() - largest).abs() < 1e-6 * largest.abs().max(1e-3));
    let cells = audit["confusion"].as_array().unwrap();
    assert_eq!(cells.iter().map(|cell| cell["n"].as_u64().unwrap()).sum::<u64>(), 24);
}

#[test]
fn mean_maps_and_confusions_are_asked_for_in_sql() {
    let project = project("picture_nhwc", files(|_, file| Some(file)));
    project.ran(0);
    // The mean map of a group is the mean of its rows' maps, pixel by pixel.
    let apart = "WITH of_rows AS (SELECT at, avg(pixel) AS mean FROM (SELECT unnest(\"values\") AS pixel,
            unnest(range(1, 31)) AS at FROM attribution_maps WHERE cast(substr(row_id, 2) AS int) % 2 = 0) GROUP BY at),
        stored AS (SELECT unnest(\"values\") AS mean, unnest(range(1, 31)) AS at FROM mean_maps
            WHERE attribute = 'by' AND group_value = 'Ada')
        SELECT count(*) AS n, max(abs(of_rows.mean - stored.mean)) AS apart, max(abs(stored.mean)) AS largest
        FROM of_rows JOIN stored USING (at)";
    let found = &project.query(apart)[0];
    assert_eq!(found["n"], 30);
    let [apart, largest] = ["apart", "largest"].map(|name| found[name].as_f64().unwrap());
    assert!(largest > 0.0 && apart <= 1e-6 * largest, "{apart} of {largest}");
    let kinds = "SELECT attribute, sum(n) AS n, min(height) AS h, max(width) AS w, max(step) AS s FROM mean_maps
        GROUP BY attribute ORDER BY attribute";
    let all: Vec<Vec<u64>> = project
        .query(kinds)
        .iter()
        .map(|row| ["n", "h", "w", "s"].map(|name| row[name].as_u64().unwrap()).to_vec())
        .collect();
    assert_eq!(all, [[24, 6, 5, 1], [24, 6, 5, 1]]);
    // Which classes are taken for which, counted again from the rows.
    let counted = "SELECT label AS actual, output AS predicted, count(*) AS n FROM predictions WHERE predicted";
    let by = |group: &str| match group {
        "" => String::new(),
        group => format!(" AND cast(substr(row_id, 2) AS int) % 2 = {}", u8::from(group == "Bob")),
    };
    for (attribute, group) in [("", ""), ("by", "Ada"), ("by", "Bob")] {
        let expected = project.query(&format!("{counted}{} GROUP BY label, output ORDER BY 1, 2", by(group)));
        let stored = project.query(&format!(
            "SELECT actual, predicted, n FROM confusion WHERE attribute = '{attribute}' AND group_value = '{group}'
             ORDER BY 1, 2"
        ));
        assert_eq!(stored, expected, "{attribute} {group}");
    }
    project.probity(&["verify"]).expect(0);
    let file = project.stored(&["mean_maps", ".parquet"]);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, [&bytes[..], b"x"].concat()).unwrap();
    assert!(project.probity(&["verify"]).expect(1).stdout.contains("mean_maps"));
}

#[test]
fn pictures_are_shown_where_rows_are_and_kept_nowhere_where_their_column_is_dropped() {
    let project = project("picture_nhwc", files(|_, file| Some(file)));
    project.append("[privacy]\nsuppress_below = 3");
    project.ran(0);
    let html = report(&project);
    assert!(html.contains("single pictures") && !html.contains("most certain"), "single pictures are withheld");
    let dropped = self::project("picture_nhwc", files(|_, file| Some(file)));
    dropped.append("[privacy]\ndrop = [\"picture\"]");
    dropped.ran(0);
    assert!(!report(&dropped).contains("data:image"));
    let audit = fs::read_to_string(dropped.stored(&["run.json"])).unwrap();
    assert!(!audit.contains("\"shades\""));
    let maps = |file: &String| file.contains("attribution_maps") || file.contains("mean_maps");
    assert!(!dropped.files().iter().any(maps), "maps show outlines");
}
