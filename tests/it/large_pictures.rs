//! Pictures of 224 × 224 × 3, from PNG and JPEG files to overlays in the report, in both layouts.

use crate::project::{Project, golden};
use polars::prelude::*;
use serde_json::Value;
use std::fs::{self, File};

const AUDIT: &str = r#"
[pipeline]
name = "large-pictures"

[data]
path = "pictures.parquet"
id = "id"
label = "kind"

[data.image]
column = "picture"
scale = 0.00392156862745098
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]

[model]
path = "model.onnx"
classes = ["cat", "dog", "owl"]

[explain]
method = "integrated_gradients"
scale = "probability"
baseline = "zero"
budget = 32

[[explain.also]]
method = "occlusion"
rows = 2
occlusion = { window = [112, 112], stride = [56, 56] }

[[explain.also]]
method = "lime"
rows = 1
budget = 50
lime = { segments = 8 }

[importance]
methods = ["attribution"]

[layers]
tensors = "auto"
rows = 4
probes = false
maps = 8

[robustness]
epsilon = [0.05]
rows = 2
steps = 2
restarts = 0
range = { picture = [-3, 3] }

[fairness]
attributes = ["by"]
bootstrap = 0

[store]
results = "var/results"
catalogue = "sqlite:var/catalogue.db"
"#;

const N: usize = 6;

fn known() -> Value {
    serde_json::from_str(&fs::read_to_string(golden("large_pictures.json")).unwrap()).unwrap()
}

/// Five PNG files and a JPEG file as bytes in Parquet.
fn project(model: &str) -> Project {
    let known = known();
    let files = known["files"].as_array().unwrap().iter().map(|name| golden(name.as_str().unwrap()));
    let bytes: Vec<Vec<u8>> = files.map(|file| fs::read(file).unwrap()).collect();
    let pictures: BinaryChunked = bytes.iter().map(|bytes| Some(bytes.as_slice())).collect();
    let ids = Column::new("id".into(), (0..N).map(|row| format!("p{row}")).collect::<Vec<_>>());
    let kinds = Column::new("kind".into(), (0..N).map(|row| (row % 3) as i64).collect::<Vec<_>>());
    let by = Column::new("by".into(), (0..N).map(|row| ["Ada", "Bob"][row % 2]).collect::<Vec<_>>());
    let picture = Column::from(pictures.into_series()).with_name("picture".into());
    let mut frame = DataFrame::new(N, vec![ids, picture, kinds, by]).unwrap();
    let project = Project::empty();
    project.model(model).write("audit.toml", AUDIT);
    ParquetWriter::new(File::create(project.path("pictures.parquet")).unwrap()).finish(&mut frame).unwrap();
    project.ran(0);
    project
}

fn numbers(rows: &[Value], name: &str) -> Vec<f64> {
    rows.iter().map(|row| row[name].as_f64().unwrap()).collect()
}

fn farthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Sums of each row's map over 16 × 16 tiles: what an eye would compare.
const TILES: &str = "SELECT row_id, down, across, sum(pixel) AS total FROM (SELECT row_id, unnest(\"values\") AS pixel,
    (unnest(range(0, 50176)) / 224) / 16 AS down, (unnest(range(0, 50176)) % 224) / 16 AS across
    FROM attribution_maps WHERE method = 'integrated_gradients') GROUP BY row_id, down, across ORDER BY 1, 2, 3";

const ATTRIBUTED: &str = "SELECT row_id, sum(attribution) AS total FROM explanations
    WHERE method = 'integrated_gradients' GROUP BY row_id ORDER BY row_id";

#[test]
fn large_pictures_are_scored_explained_and_drawn_in_both_layouts() {
    let known = known();
    let scores: Vec<f64> = known["scores"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|p| p.as_f64().unwrap())
        .collect();
    let mut tiles = Vec::new();
    for model in ["large_nhwc", "large_nchw"] {
        let project = project(model);
        let found = project.query("SELECT score FROM predictions ORDER BY row_id, output");
        let found = numbers(&found, "score");
        // The JPEG file is the last: decoders may round a shade to its neighbour.
        let png = 3 * (N - 1);
        assert!(farthest(&found[..png], &scores[..png]) < 1e-6, "{model}: {found:?}");
        assert!(farthest(&found[png..], &scores[png..]) < 1e-2, "{model}: {found:?}");
        let shapes = "SELECT method, count(*) AS n, min(height) AS h, max(width) AS w FROM attribution_maps
            GROUP BY method ORDER BY method";
        let shapes: Vec<String> = project.query(shapes).iter().map(|row| row.to_string()).collect();
        for (method, n) in [("integrated_gradients", N), ("occlusion", 2), ("lime", 1)] {
            let of = |row: &&String| row.contains(&format!("\"{method}\""));
            let row: Value = serde_json::from_str(shapes.iter().find(of).expect(method)).unwrap();
            assert_eq!((&row["n"], &row["h"], &row["w"]), (&n.into(), &224.into(), &224.into()), "{model} {method}");
        }
        let gap = "SELECT max(abs(additivity_gap)) FROM predictions";
        assert!(project.value(gap).as_f64().unwrap() < 1e-3, "{model}: attributions add up to the score");
        let by_tile = numbers(&project.query(TILES), "total");
        assert_eq!(by_tile.len(), N * 14 * 14);
        let of_maps: Vec<f64> = by_tile.chunks(14 * 14).map(|tiles| tiles.iter().sum()).collect();
        let attributed = numbers(&project.query(ATTRIBUTED), "total");
        assert!(farthest(&of_maps, &attributed) < 1e-5, "{of_maps:?} are not {attributed:?}");
        assert!(attributed.iter().any(|total| total.abs() > 0.1), "{attributed:?}");
        tiles.push(by_tile);
        let html = fs::read_to_string(project.stored(&["report", ".html"])).unwrap();
        assert!(html.len() < 2_000_000, "{} bytes", html.len());
        let section = html.split("<h2 id=\"pictures\">").nth(1).unwrap().split("</section>").next().unwrap();
        // Most and least certain of the classes decided for, errors, and means of classes and groups.
        assert!(section.matches("<img src=\"data:image").count() >= 9, "{model}");
        assert_eq!(html.matches("id=\"feature-maps-").count(), 3, "{model}: every convolution is drawn");
    }
    let largest = tiles[0].iter().fold(0.0_f64, |largest, total| largest.max(total.abs()));
    assert!(farthest(&tiles[0], &tiles[1]) < 1e-4 * largest, "layouts give one map");
}
